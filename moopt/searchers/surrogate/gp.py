"""A Gaussian process with a length scale a hyperparameter: its fit, and its prediction.

Matern 5/2; maximum a posteriori by L-BFGS on analytic gradients. Rasmussen and Williams 2006, chapters 2, 4 and 5,
doi:10.7551/mitpress/3206.001.0001.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, solve_triangular
from scipy.linalg.lapack import dpotrf, dpotri
from scipy.optimize import minimize

from moopt.objectives import Floats

Groups = NDArray[np.intp]

STEPS = 25
_JITTER = 1e-8
_FURTHEST = 12.0
"""A logarithm beyond is held here: a step of the search for the best parameters may be wild. The priors lead back."""
_SQRT5 = 5.0**0.5
# Priors of the logarithms: mean and standard deviation.
_LENGTH, _NOISE, _SIGNAL = (np.log(0.6), 1.2), (np.log(1e-3), 2.0), (0.0, 1.0)


def squares_by_group(X: Floats, groups: Groups) -> Floats:
    """Squared distances (g, n, n) between the rows of X (n, p) within each group of columns."""
    n = len(X)
    out = np.zeros((int(groups.max()) + 1, n, n))
    for column, group in enumerate(groups):
        difference = X[:, column, None] - X[:, column]
        out[group] += difference * difference
    return out


class Posterior:
    """The negative log posterior of parameters (g + 2,): log lengths, log noise, log signal."""

    def __init__(self, squares: Floats, y: Floats) -> None:
        """Squared distances (g, n, n) and standardised values (n,)."""
        g, n, _ = squares.shape
        self._n, self._y, self._eye = n, y, np.eye(n)
        self._squares = squares.reshape(g, n * n)
        priors = [_LENGTH] * g + [_NOISE, _SIGNAL]
        self.start: Floats = np.array([mean for mean, _ in priors])
        self._spread = np.array([sd for _, sd in priors])

    def __call__(self, parameters: Floats) -> tuple[float, Floats]:
        """Its value and its gradient (g + 2,); a huge value where the matrix is no longer positive definite."""
        n, y = self._n, self._y
        held = np.clip(parameters, -_FURTHEST, _FURTHEST)
        weights = np.exp(-2.0 * held[:-2])
        noise, signal = np.exp(held[-2:])
        square = weights @ self._squares
        root = _SQRT5 * np.sqrt(square)
        decay = signal * np.exp(-root)
        kernel = ((1.0 + root + root * root / 3.0) * decay).reshape(n, n)
        lower, failed = dpotrf(kernel + (noise + _JITTER) * self._eye, lower=1)
        if failed:
            return 1e10, np.zeros_like(parameters)
        inverse = dpotri(lower, lower=1)[0]
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        alpha = inverse @ y
        # Equation 5.9: d/dt = tr((K^-1 - aa') dK/dt) / 2.
        outer = 0.5 * (inverse - np.outer(alpha, alpha))
        by_square = outer.ravel() * (5.0 / 3.0 * (1.0 + root) * decay)
        gradient = np.concatenate(
            [weights * (self._squares @ by_square), [np.trace(outer) * noise, float((outer * kernel).sum())]]
        ) * (held == parameters)
        off = (parameters - self.start) / self._spread
        value = 0.5 * float(y @ alpha) + float(np.log(np.diag(lower)).sum()) + 0.5 * float(off @ off)
        return value, gradient + off / self._spread

    def best(self) -> Floats:
        """The parameters (g + 2,) that a few steps from the priors' means lead to."""
        found = minimize(self, self.start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
        return np.asarray(found.x)


def fit(X: Floats, Y: Floats, groups: Groups) -> Floats:
    """Parameters (k, g + 2) for each column of Y (n, k) over X (n, p)."""
    squares = squares_by_group(X, groups)
    return np.array([Posterior(squares, standardised(y)[0]).best() for y in Y.T])


def standardised(y: Floats) -> tuple[Floats, float, float]:
    """Values (n,) with mean 0 and spread 1, and the mean and the spread that they had; a constant keeps its unit."""
    mean, spread = float(y.mean()), float(y.std())
    spread = spread if spread > 1e-12 else 1.0
    return (y - mean) / spread, mean, spread


@dataclass(frozen=True, slots=True)
class _Column:
    scales: Floats
    signal: float
    scaled: Floats
    lower: Floats
    alpha: Floats
    mean: float
    spread: float


class GP:
    """One process a column of Y (n, k), with given parameters (k, g + 2), conditioned on X (n, p)."""

    def __init__(self, X: Floats, Y: Floats, groups: Groups, parameters: Floats) -> None:
        self._columns = [_condition(X, y, groups, row) for y, row in zip(Y.T, parameters, strict=True)]

    def predict(self, Q: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation (q, k) at Q (q, p), without the noise."""
        pairs = [_predict(column, Q) for column in self._columns]
        return np.column_stack([mean for mean, _ in pairs]), np.column_stack([spread for _, spread in pairs])


def _condition(X: Floats, y: Floats, groups: Groups, parameters: Floats) -> _Column:
    scales = np.exp(-parameters[:-2])[groups]
    noise, signal = np.exp(parameters[-2:])
    values, mean, spread = standardised(y)
    scaled = X * scales
    kernel = _matern(scaled, scaled, signal)
    kernel[np.diag_indices(len(X))] = signal + noise + _JITTER
    jitter = _JITTER
    lower, failed = dpotrf(kernel, lower=1, clean=1)
    while failed:
        jitter *= 100.0
        lower, failed = dpotrf(kernel + jitter * np.eye(len(X)), lower=1, clean=1)
    return _Column(scales, float(signal), scaled, lower, cho_solve((lower, True), values), mean, spread)


def _predict(column: _Column, Q: Floats) -> tuple[Floats, Floats]:
    kernel = _matern(Q * column.scales, column.scaled, column.signal)
    half = solve_triangular(column.lower, kernel.T, lower=True, check_finite=False)
    variance = np.maximum(column.signal - (half * half).sum(axis=0), 1e-12)
    return kernel @ column.alpha * column.spread + column.mean, np.sqrt(variance) * column.spread


def _matern(A: Floats, B: Floats, signal: float) -> Floats:
    square = (A * A).sum(axis=1)[:, None] + (B * B).sum(axis=1) - 2.0 * (A @ B.T)
    root = _SQRT5 * np.sqrt(np.maximum(square, 0.0))
    return np.asarray(signal * (1.0 + root + root * root / 3.0) * np.exp(-root))

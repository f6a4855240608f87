"""What is believed of configs that were not evaluated: a model over all results, with the pending ones filled in."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import ndtr

from moopt import pareto
from moopt.objectives import Floats
from moopt.searchers.surrogate import gp
from moopt.searchers.surrogate.features import Features
from moopt.searchers.surrogate.forest import Forest
from moopt.searchers.surrogate.history import Results, Rows

MIDDLE, OUTSIDE = 0.5, -1.0
"""In the place of an inactive number: for the GP, and for a forest or a distance."""
MOST_ROWS, MOST_ROWS_FITTED = 300, 120
REFIT = 5
_NEIGHBOURS = 5


class Belief(Protocol):
    """A model's prediction."""

    def predict(self, points: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation (n, k) of the columns of :meth:`Results.columns` at points (n, d)."""
        ...


class ForestBelief:
    """A forest over the results."""

    def __init__(self, features: Features, results: Results, rng: np.random.Generator) -> None:
        Y = results.columns(len(results))
        rows = telling(Y, MOST_ROWS)
        self._features = features
        self._forest = Forest(features(results.points[rows], OUTSIDE), Y[rows], rng)

    def predict(self, points: Floats) -> tuple[Floats, Floats]:
        """See :class:`Belief`."""
        return self._forest.predict(self._features(points, OUTSIDE))


class GPBelief:
    """A Gaussian process over the results; pending points (p, d) enter as its own predictions."""

    def __init__(self, features: Features, results: Results, pending: Floats, parameters: Floats) -> None:
        Y = results.columns(len(results))
        rows = telling(Y, MOST_ROWS)
        X, Y = features(results.points[rows], MIDDLE), Y[rows]
        self._features = features
        self._gp = gp.GP(X, Y, features.groups, parameters)
        if len(pending):
            X_pending = features(pending, MIDDLE)
            believed = self._gp.predict(X_pending)[0]
            X, Y = np.concatenate([X, X_pending]), np.concatenate([Y, believed])
            self._gp = gp.GP(X, Y, features.groups, parameters)

    def predict(self, points: Floats) -> tuple[Floats, Floats]:
        """See :class:`Belief`."""
        return self._gp.predict(self._features(points, MIDDLE))


def fitted_on(n: int) -> int:
    """How many of n results the parameters of a Gaussian process are fitted on: fits are dear, and change slowly."""
    step = max(REFIT, n // 20)
    return n - n % step if n > 2 * step else n


def fit(features: Features, results: Results, n: int) -> Floats:
    """Parameters of a Gaussian process a column, from the first n results."""
    Y = results.columns(n)
    rows = telling(Y, MOST_ROWS_FITTED)
    return gp.fit(features(results.points[:n][rows], MIDDLE), Y[rows], features.groups)


def telling(Y: Floats, most: int) -> Rows:
    """Rows of Y (n, k): all, or of many those of the best ranks and an even choice of the rest."""
    n = len(Y)
    if n <= most:
        return np.arange(n)
    order = np.argsort(pareto.ranks(Y), kind="stable")
    best = most * 3 // 4
    rest = order[best:][np.linspace(0, n - best - 1, most - best).astype(np.intp)]
    return np.sort(np.concatenate([order[:best], rest]))


def chance_of_meeting(mean: Floats, spread: Floats) -> Floats:
    """The probability (n,) that a config meets its limits, from the predicted violation (n,)."""
    return np.asarray(ndtr(-mean / np.maximum(spread, 1e-9)))


def chance_of_ending(features: Features, points: Floats, failed: Floats, ended: Floats) -> Floats:
    """The share (n,) of the nearest trials of points (n, d) that did not fail, one more success assumed."""
    if not len(failed):
        return np.ones(len(points))
    places = features(np.concatenate([failed, ended]), OUTSIDE)
    k = min(_NEIGHBOURS, len(places))
    nearest = np.argpartition(cdist(features(points, OUTSIDE), places), k - 1, axis=1)[:, :k]
    return np.asarray(((nearest >= len(failed)).sum(axis=1) + 1.0) / (k + 1.0))

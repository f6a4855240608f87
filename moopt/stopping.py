"""Stop a trial early: its steps so far in, keep or stop out. Arrays only, pure functions.

Losses of steps have shape (n, K, m): n complete trials, K steps, m objectives, less is better, all finite. A trial is
stopped when, even if its remaining steps turn out well, a complete one will dominate it or it will miss a limit. What
the remaining steps will bring is read from the trials most like it, on the same steps: how hard those were for them,
and how far they strayed from that. The forgiving rule of Bergman, Purucker and Hutter 2024 (AutoML, PMLR 256:9), for
several objectives at once.

The constants were measured by ``tests/benchmarks/early_stopping.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moopt.objectives import Floats

FORGIVING = 1.5
"""Standard deviations that a trial may improve by; less saves more steps and loses more of the front."""
FEWEST_COMPLETE = 10
"""Complete trials before any trial's noise is judged. With 5 at most .4 % of the steps more is saved."""
_ALIKE, _ALIKE_FOR_SPREAD = 10, 20
"""Trials that tell how hard a step is, and that tell how far one strays."""

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the steps done say of a trial's mean over all its steps."""

    mean: Floats
    """Shape (m,)."""
    spread: Floats
    """Its standard deviation, shape (m,); 0 where an objective has no noise, infinite where it is not known yet."""

    def at_best(self, forgiving: float) -> Floats:
        """The losses (m,) that are still in reach."""
        return self.mean - forgiving * self.spread


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a trial is stopped: one of the two."""

    by: int | None = None
    """The row of the complete trial that beat it."""
    limit: int | None = None
    """The column of the objective whose limit it misses."""


def outlook(steps: Floats, complete: Floats, exact: Mask) -> Outlook:
    """The outlook of a trial whose ``steps`` (K, m) are NaN where not done; at least one is done.

    Steps that were hard for the complete trials (n, K, m) most like it are expected to have been so for this one.
    Objectives that are ``exact`` (m,) are taken as they are. Without complete trials enough nothing is corrected.
    """
    done = _done(steps)
    mean = steps[done].mean(axis=0)
    if len(complete) < FEWEST_COMPLETE:
        return Outlook(mean, np.where(exact, 0.0, np.inf))
    means = complete.mean(axis=1)
    unit = _unit(means)
    alike = _nearest(complete[:, done].mean(axis=1), mean, unit)[:_ALIKE_FOR_SPREAD]
    hardness = complete - means[:, None]
    corrected = mean - hardness[alike[:_ALIKE]][:, done].mean(axis=(0, 1))
    spread = _spread(means, hardness, alike, unit) * np.sqrt(1 / done.sum() - 1 / len(done))
    return Outlook(np.where(exact, mean, corrected), np.where(exact, 0.0, spread))


def verdict(
    steps: Floats, complete: Floats, exact: Mask, limits: Floats, forgiving: float = FORGIVING
) -> Verdict | None:
    """Why a trial is stopped after ``steps`` (K, m), NaN where not done; None where it goes on.

    ``limits`` (m,) are losses, infinite where there is none. As long as no complete trial meets them all, what misses
    them may still be the best there is, and they stop nothing.
    """
    done = _done(steps)
    if not done.any() or not len(complete):
        return None
    best = outlook(steps, complete, exact).at_best(forgiving)
    means = complete.mean(axis=1)
    if (means <= limits).all(axis=1).any() and (best > limits).any():
        return Verdict(limit=_first(best > limits, exact))
    on_same_steps = complete[:, done].mean(axis=1)
    others = np.where(exact, on_same_steps, means)
    better = (others <= best).all(axis=1) & (on_same_steps < steps[done].mean(axis=0)).any(axis=1)
    rows = np.flatnonzero(better)
    return Verdict(by=_clearest(others[rows], best, rows, _unit(means))) if len(rows) else None


def _done(steps: Floats) -> Mask:
    return np.asarray(np.isfinite(steps).all(axis=1))


def _first(missed: Mask, exact: Mask) -> int:
    """The limit to name: one that is certain before one that is likely."""
    certain = missed & exact
    return int(np.argmax(certain if certain.any() else missed))


def _clearest(others: Floats, best: Floats, rows: Rows, unit: Floats) -> int:
    """Of those that beat a trial (b, m) the one that does so by most in all objectives together."""
    return int(rows[((best - others) / unit).sum(axis=1).argmax()])


def _unit(means: Floats) -> Floats:
    spread = means.std(axis=0)
    return np.where(spread > 0, spread, 1.0)


def _nearest(points: Floats, point: Floats, unit: Floats) -> Rows:
    """Rows of points (n, m), the one most like ``point`` (m,) first."""
    return np.argsort(np.square((points - point) / unit).sum(axis=1), kind="stable")


def _spread(means: Floats, hardness: Floats, rows: Rows, unit: Floats) -> Floats:
    """Standard deviation (m,) of a step, pooled over some trials, about how hard it was for those most like each."""
    residuals = []
    for row in rows:
        alike = _nearest(means, means[row], unit)
        alike = alike[alike != row][:_ALIKE]
        residuals.append(hardness[row] - hardness[alike].mean(axis=0))
    squares = np.square(residuals).sum(axis=(0, 1))
    return np.asarray(np.sqrt(squares / (len(rows) * (hardness.shape[1] - 1))))

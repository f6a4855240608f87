"""The results of a search as a model wants them: points, normalised losses, violation, and where trials failed."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from moopt import pareto
from moopt.objectives import Floats
from moopt.searchers.archive import Archive
from moopt.searchers.base import Observation
from moopt.space import Space
from moopt.trial import State

LEAST, MOST = -1.0, 3.0
"""Normalised losses beyond are all the same to a model."""
USUAL = 0.5
"""The share of the first results whose range a loss is measured in, as long as that of the front is narrower."""
_FAR = 1e12
_STEPS = 2.0**20
"""Of a normalised loss."""
_MEETS = -0.5
"""What a model is told of a config that meets its limits; one that misses them has a violation above 0."""

Rows = NDArray[np.intp]


class Results(Protocol):
    """What a model learns from."""

    def __len__(self) -> int: ...

    @property
    def points(self) -> Floats:
        """Shape (n, d)."""
        ...

    @property
    def failed(self) -> Floats:
        """Points (f, d) of the trials that failed."""
        ...

    @property
    def losses(self) -> Floats:
        """Shape (n, m)."""
        ...

    @property
    def violation(self) -> Floats:
        """Shape (n,)."""
        ...

    @property
    def any_meets_limits(self) -> bool:
        """Whether a complete trial does."""
        ...

    def front(self) -> Rows:
        """The rows of the complete results that none dominates; of all results where none is complete."""
        ...

    def columns(self, n: int) -> Floats:
        """What a model learns from the first n: losses (n, m), then violation where any of them missed a limit."""
        ...


class History:
    """Results in the order of their arrival, each with the ideal and the nadir of that moment."""

    def __init__(self, space: Space, n_objectives: int, n_starts: int) -> None:
        self._space = space
        self._n_starts = n_starts
        self._archive = Archive(n_objectives)
        self._points: list[Floats] = []
        self._losses: list[Floats] = []
        self._violation: list[float] = []
        self._complete: list[bool] = []
        self._is_fit: list[bool] = []
        self._scales: list[tuple[Floats, Floats]] = []
        self._failed: list[Floats] = []

    def __len__(self) -> int:
        return len(self._points)

    def add(self, observation: Observation) -> None:
        """Take in what became of a trial; a failed one is a place and no number."""
        point, losses, violation = self._space.encode(observation.config), observation.losses, observation.violation
        if losses is None or not (np.isfinite(losses).all() and math.isfinite(violation)):
            self._failed.append(point)
            return
        complete = observation.state is State.COMPLETE
        if complete:
            self._archive.add(losses, violation)
        self._points.append(point)
        self._losses.append(losses)
        self._violation.append(violation)
        self._complete.append(complete)
        self._is_fit.append(not observation.is_sibling)
        self._scales.append((self._archive.ideal, self._archive.nadir))

    @property
    def n_fits(self) -> int:
        """Results without siblings."""
        return sum(self._is_fit)

    @property
    def points(self) -> Floats:
        """Shape (n, d)."""
        return np.array(self._points).reshape(-1, self._space.d)

    @property
    def failed(self) -> Floats:
        """Points (f, d) of the trials that failed."""
        return np.array(self._failed).reshape(-1, self._space.d)

    @property
    def violation(self) -> Floats:
        """Shape (n,)."""
        return np.array(self._violation)

    @property
    def losses(self) -> Floats:
        """Shape (n, m), normalised as :meth:`columns` are, not cut."""
        return self._normalised(len(self))

    @property
    def any_meets_limits(self) -> bool:
        """Whether a complete trial does."""
        return self._archive.violation == 0

    def front(self) -> Rows:
        """The rows of the complete results that none dominates; of all results where none is complete."""
        rows = self.eligible()
        return rows[pareto.nondominated(self.losses[rows], self.violation[rows])]

    def eligible(self) -> Rows:
        """The rows of the complete results; all where none is complete."""
        return np.flatnonzero(self._complete) if any(self._complete) else np.arange(len(self))

    def columns(self, n: int) -> Floats:
        """What a model learns from the first n results, as it was known then: losses (n, m), then violation where any
        of them missed a limit.
        """
        return as_columns(np.clip(self._normalised(n), LEAST, MOST), np.array(self._violation[:n]))

    def _normalised(self, n: int) -> Floats:
        """The first n results' losses, the ideal at 0; at 1 the nadir, or the middle of the first results if worse.

        An early front may be a point or two. In its range alone all else would be equally bad, and what is worse in
        one objective and much better in others would be worth nothing.
        """
        losses = np.array(self._losses[:n])
        ideal, nadir = self._scales[n - 1]
        first = np.flatnonzero(self._is_fit[:n])[: self._n_starts]
        # Halves, so that the middle of two huge losses is still a number.
        usual = 2.0 * np.quantile(0.5 * losses[first if len(first) else ...], USUAL, axis=0)
        scaled = pareto.normalise(losses, ideal, np.maximum(nadir, usual))
        # In steps, so that an objective's unit or zero point, which change the last bits, do not change the search.
        return np.clip(np.round(scaled * _STEPS) / _STEPS, -_FAR, _FAR)


def as_columns(losses: Floats, violation: Floats) -> Floats:
    """Losses (n, m) and, where any misses a limit, violation (n,) as a model is told it."""
    missed = violation > 0
    if not missed.any():
        return losses
    unit = float(np.median(violation[missed]))
    return np.column_stack([losses, np.where(missed, np.minimum(violation / unit, MOST), _MEETS)])

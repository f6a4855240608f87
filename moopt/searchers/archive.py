"""The non-dominated archive of a search, kept for the ideal and the nadir by which losses are normalised."""

from __future__ import annotations

import numpy as np

from moopt import pareto
from moopt.objectives import Floats

_FAR = 1e12
"""Beyond it all losses are equally far off; its fourth power is still a number."""

_NEXT_TO_NOTHING = 1e-3


class Archive:
    """Losses that no other complete trial dominates, without copies; unbounded.

    Feasible before infeasible: as long as nothing meets the limits it holds the front of the least
    violation. A result is compared with the front once, in O(n m); moocore would sort the whole front anew.
    """

    def __init__(self, n_objectives: int, robust: bool = False) -> None:
        self._robust = robust
        self.violation = np.inf
        """That of every point on the front."""
        self.ideal: Floats = np.zeros(n_objectives)
        self.nadir: Floats = np.ones(n_objectives)
        """Where the front has no range in an objective, the worst loss of all results."""
        self._points: Floats = np.empty((n_objectives, 64))
        self._n = 0
        self._worst: Floats = np.full(n_objectives, -np.inf)
        self._front_worst: Floats = self.nadir

    def __len__(self) -> int:
        return self._n

    @property
    def front(self) -> Floats:
        """Its losses (n, m), in order of arrival."""
        return self._points[:, : self._n].T.copy()

    def add(self, losses: Floats, violation: float) -> None:
        """Take in a result (m,), finite."""
        self._worst = np.maximum(self._worst, losses)
        if self._enter(losses, violation):
            self.ideal = self._points[:, : self._n].min(axis=1)
            front = self._points[:, : self._n]
            self._front_worst = robust_worst(front, self.ideal) if self._robust else front.max(axis=1)
        self.nadir = np.where(self._front_worst > self.ideal, self._front_worst, self._worst)

    def normalise(self, losses: Floats) -> Floats:
        """Losses (n, m) with the ideal at 0 and the nadir at 1, clipped far away; unscaled while it is empty."""
        return np.clip(pareto.normalise(losses, self.ideal, self.nadir), -_FAR, _FAR)

    def _enter(self, losses: Floats, violation: float) -> bool:
        if violation > self.violation:
            return False
        if violation < self.violation:
            self.violation, self._n = violation, 0
        column, points = losses[:, None], self._points[:, : self._n]
        if (points <= column).all(axis=0).any():
            return False
        kept = (points < column).any(axis=0)
        if not kept.all():
            points = points[:, kept]
            self._n = points.shape[1]
            self._points[:, : self._n] = points
        if self._n == self._points.shape[1]:
            self._points = np.hstack([self._points, np.empty_like(self._points)])
        self._points[:, self._n] = losses
        self._n += 1
        return True


def robust_worst(front: Floats, ideal: Floats) -> Floats:
    """Worst losses (m,) of a front (m, n), points left out that pay most of a loss for next to nothing.

    One such point, a millionth better in one objective and far off in another, would squeeze all others together.
    The worst point of an objective is left out while another one has at most half its distance from the ideal there,
    and in no other objective is worse by a thousandth of the range.
    """
    worst = np.empty(len(front))
    with np.errstate(over="ignore"):
        allowed = _NEXT_TO_NOTHING * front.max(axis=1) - _NEXT_TO_NOTHING * ideal
        for place in range(len(front)):
            left = front
            while True:
                at = int(left[place].argmax())
                limit = left[:, at] + allowed
                limit[place] = np.inf
                least = left[place, (left <= limit[:, None]).all(axis=0)].min()
                if 0.5 * least - 0.5 * ideal[place] >= 0.25 * left[place, at] - 0.25 * ideal[place]:
                    break
                left = np.delete(left, at, axis=1)
            worst[place] = left[place, at]
    return worst

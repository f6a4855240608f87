"""What a config is worth: the gain that its predicted losses promise over a front, losses normalised."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import moocore
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from moopt.objectives import Floats

REFERENCE = 1.1
OPTIMISM = 0.5
"""Standard deviations below the mean that candidates are first judged at."""
DRAWS = 12
SHORTLIST = 20
"""Of each first judgement."""
_EXACT_OBJECTIVES = 4
_EXACT_FRONT = 100
_POINTS = 2048
OUTLOOK_POINTS = 256
BELOW = 0.1
"""How far below the ideal a gain is looked for, where it is counted over points."""


class Gain(Protocol):
    """How much better a set of losses becomes."""

    def __call__(self, losses: Floats) -> Floats:
        """Gain (n,) by each row of losses (n, m), at least 0."""
        ...

    def outlook(self, mean: Floats, spread: Floats) -> Floats:
        """The expected gain (n,), roughly and at once for many rows of means and spreads (n, m)."""
        ...


class HypervolumeGain:
    """Volume that a point adds to that of a front (k, m); exact for few objectives, else counted over common points."""

    def __init__(self, front: Floats) -> None:
        self._front = front
        self._m = front.shape[1]
        self._exact = self._m <= _EXACT_OBJECTIVES and len(front) <= _EXACT_FRONT
        points = shares(_POINTS, self._m) * (REFERENCE + BELOW) - BELOW
        self._left = points[~_dominated(points, front)]

    def __call__(self, losses: Floats) -> Floats:
        """Volume (n,) by each row of losses (n, m)."""
        if not self._exact:
            return np.array([float((row <= self._left).all(axis=1).sum()) for row in losses]) / _POINTS
        out = np.zeros(len(losses))
        inside = (losses < REFERENCE).all(axis=1)
        for row in np.flatnonzero(inside & ~_dominated(losses, self._front)):
            out[row] = self._of(losses[row])
        return out

    def outlook(self, mean: Floats, spread: Floats) -> Floats:
        """The chance to dominate a common point, its mean over some that the front does not dominate."""
        points = self._left[:OUTLOOK_POINTS]
        chance = np.ones((len(mean), len(points)))
        for objective in range(self._m):
            off = points[:, objective] - mean[:, objective, None]
            chance *= ndtr(off / np.maximum(spread[:, objective, None], 1e-9))
        return np.asarray(chance.sum(axis=1))

    def _of(self, losses: Floats) -> float:
        clipped = np.maximum(self._front, losses)
        return float(np.prod(REFERENCE - losses)) - hypervolume(clipped)


class TchebycheffGain:
    """What a point adds to the best Tchebycheff values of a front (k, m), the mean over subproblems of a decomposition.

    A subproblem looks from the reference along its direction of (w, m): its value is how far the dominated region
    reaches there, so that the mean of its power m is the hypervolume but for a factor; gaps of a front count by
    themselves. Deng and Zhang 2019, doi:10.1109/TEVC.2019.2909271.
    """

    def __init__(self, front: Floats, directions: Floats) -> None:
        self._inverse = np.linalg.norm(directions, axis=1, keepdims=True) / directions
        self._best = self._values(front).max(axis=0)

    def __call__(self, losses: Floats) -> Floats:
        """Gain (n,) by each row of losses (n, m)."""
        return np.asarray(np.maximum(self._values(losses) - self._best, 0.0).mean(axis=1))

    def outlook(self, mean: Floats, spread: Floats) -> Floats:
        """It costs little: the mean over all draws."""
        return expected_gain(self, mean, spread)

    def _values(self, losses: Floats) -> Floats:
        room = np.maximum(REFERENCE - losses, 0.0)
        reach = room[:, :1] * self._inverse[:, 0]
        for objective in range(1, losses.shape[1]):
            reach = np.minimum(reach, room[:, objective, None] * self._inverse[:, objective])
        return np.asarray(reach ** losses.shape[1])


def expected_gain(gain: Gain, mean: Floats, spread: Floats) -> Floats:
    """The mean gain (n,) of losses with these means and spreads (n, m), over a few quasi-random draws."""
    draws = normal_draws(mean.shape[1])
    points = mean[None] + spread[None] * draws[:, None]
    return np.asarray(gain(points.reshape(-1, mean.shape[1])).reshape(len(draws), -1).mean(axis=0))


def hypervolume(losses: Floats) -> float:
    """The volume that losses (n, m) dominate below the reference."""
    inside = losses[(losses < REFERENCE).all(axis=1)]
    if not len(inside):
        return 0.0
    if losses.shape[1] == 1:
        return float(REFERENCE - inside.min())
    return float(moocore.hypervolume(inside, ref=np.full(losses.shape[1], REFERENCE)))


def normal_draws(m: int) -> Floats:
    """The same few points (DRAWS, m) of a normal distribution each time."""
    return np.asarray(ndtri(np.clip(shares(16, m)[:DRAWS], 1e-4, 1 - 1e-4)))


@lru_cache(maxsize=16)
def shares(n: int, m: int) -> Floats:
    """Quasi-random points (n, m) of the unit cube, n a power of two, the same each time; read-only."""
    from scipy.stats import qmc

    points: Floats = qmc.Sobol(m, scramble=True, rng=np.random.default_rng(0)).random(n)
    points.flags.writeable = False
    return points


def _dominated(losses: Floats, front: Floats) -> NDArray[np.bool_]:
    """Which rows (n,) of losses (n, m) a row of the front (k, m) is as good as, in every objective."""
    as_good: NDArray[np.bool_] = np.all(front[None] <= losses[:, None], axis=2)
    return np.asarray(as_good.any(axis=1))

"""Priors of numeric hyperparameters: from a uniform share to a place between the bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ConfigSpace import (
    BetaFloatHyperparameter,
    BetaIntegerHyperparameter,
    NormalFloatHyperparameter,
    NormalIntegerHyperparameter,
)
from ConfigSpace.hyperparameters import Hyperparameter
from scipy.special import betaincinv, ndtr, ndtri

Prior: TypeAlias = Callable[[float], float]
"""Inverse of a prior's distribution function: a share in (0, 1) -> a place in [0, 1] between the bounds."""


@dataclass(frozen=True, slots=True)
class NormalPrior:
    """A normal distribution cut to the unit line."""

    mu: float
    sigma: float

    def __call__(self, share: float) -> float:
        """The place below which this share lies."""
        low, high = -self.mu / self.sigma, (1.0 - self.mu) / self.sigma
        # Both tails of a normal are precise on the negative side only.
        if low > 0:
            return self.mu - self.sigma * float(ndtri(ndtr(-low) + share * (ndtr(-high) - ndtr(-low))))
        return self.mu + self.sigma * float(ndtri(ndtr(low) + share * (ndtr(high) - ndtr(low))))


@dataclass(frozen=True, slots=True)
class BetaPrior:
    """A beta distribution on the unit line."""

    alpha: float
    beta: float

    def __call__(self, share: float) -> float:
        """The place below which this share lies."""
        return float(betaincinv(self.alpha, self.beta, share))


def prior_of(given: Hyperparameter[Any, Any]) -> tuple[Prior | None, str]:
    """The prior of a numeric hyperparameter, None for a uniform one, and its name for people."""
    if isinstance(given, BetaFloatHyperparameter | BetaIntegerHyperparameter):
        return BetaPrior(given.alpha, given.beta), f"beta({given.alpha:g}, {given.beta:g})"
    if isinstance(given, NormalFloatHyperparameter | NormalIntegerHyperparameter):
        return _normal(given), f"normal({given.mu:g}, {given.sigma:g})"
    return None, "uniform"


def _normal(given: NormalFloatHyperparameter | NormalIntegerHyperparameter) -> NormalPrior:
    if not given.log:
        size = given.upper - given.lower
        return NormalPrior((given.mu - given.lower) / size, given.sigma / size)
    size = math.log(given.upper) - math.log(given.lower)
    # ConfigSpace's own measure of a sigma on a log scale, so that its spaces mean the same here.
    return NormalPrior(
        (math.log(given.mu) - math.log(given.lower)) / size, abs(math.log(given.lower + given.sigma) / size)
    )

"""Priors of numeric hyperparameters: from a uniform share to a place between the bounds, and how likely a place is.

A prior is a belief that fades: :func:`trust` says how much of it is left after so many results.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from ConfigSpace import (
    BetaFloatHyperparameter,
    BetaIntegerHyperparameter,
    NormalFloatHyperparameter,
    NormalIntegerHyperparameter,
)
from ConfigSpace.hyperparameters import Hyperparameter
from scipy.special import betaincinv, betaln, ndtr, ndtri, xlog1py, xlogy

from moopt.objectives import Floats

HALF = 4
"""Results after which a belief counts half."""


class Prior(Protocol):
    """A distribution over the places between the bounds, 0 to 1."""

    def __call__(self, share: float) -> float:
        """The place below which this share in (0, 1) lies."""
        ...

    def density(self, places: Floats) -> Floats:
        """How likely places (n,) are, 1 on the average of the line."""
        ...


def trust(n_results: int) -> float:
    """How much of a prior is left after so many results: 1 at first, then less and less.

    The share of fresh values that are drawn from it, and the exponent of its density in an acquisition: Hvarfner et al.
    2022, arXiv 2204.11051, where it is their beta / n.
    """
    return HALF / (HALF + n_results)


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

    def density(self, places: Floats) -> Floats:
        """How likely places (n,) are, 1 on the average of the line."""
        off = (places - self.mu) / self.sigma
        inside = ndtr((1.0 - self.mu) / self.sigma) - ndtr(-self.mu / self.sigma)
        return np.asarray(np.exp(-0.5 * off * off) / (math.sqrt(2 * math.pi) * self.sigma * max(inside, 1e-300)))


@dataclass(frozen=True, slots=True)
class BetaPrior:
    """A beta distribution on the unit line."""

    alpha: float
    beta: float

    def __call__(self, share: float) -> float:
        """The place below which this share lies."""
        return float(betaincinv(self.alpha, self.beta, share))

    def density(self, places: Floats) -> Floats:
        """How likely places (n,) are, 1 on the average of the line."""
        powers = xlogy(self.alpha - 1.0, places) + xlog1py(self.beta - 1.0, -places)
        return np.asarray(np.exp(powers - betaln(self.alpha, self.beta)))


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

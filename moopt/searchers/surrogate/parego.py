"""ParEGO: the losses scalarised by a weight that each proposal draws, a model of that one number, expected improvement.

Knowles 2006, doi:10.1109/TEVC.2005.851274. What is ours: the weights lead along evenly spread directions, the losses
are normalised by the archive's front, a Gaussian process and a forest take turns, spaces may be mixed and conditional,
and trials that are pending enter as predictions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr

from moopt import pareto
from moopt.objectives import Floats
from moopt.searchers.base import EXHAUSTED, Observation, Pending, Proposal, Signal, Stream, generator
from moopt.searchers.surrogate import beliefs
from moopt.searchers.surrogate.assisted import N_DIRECTIONS, takes_gp
from moopt.searchers.surrogate.beliefs import Belief, ForestBelief, GPBelief
from moopt.searchers.surrogate.experience import Experience
from moopt.searchers.surrogate.history import LEAST, MOST, History, Rows, as_columns
from moopt.searchers.surrogate.ranking import ranked
from moopt.searchers.weights import energy_directions, tchebycheff_weights
from moopt.space import Space

RHO = 0.05
"""Share of the sum beside the maximum, as in the paper."""


class ParEGO:
    """The Bayesian searcher; ``model`` is ``auto`` (both in turn), ``gp`` or ``forest``."""

    def __init__(self, space: Space, n_objectives: int, seed: int, model: str = "auto") -> None:
        self._seed, self._model = seed, model
        self._weights = tchebycheff_weights(energy_directions(N_DIRECTIONS, n_objectives))
        self._experience = Experience(space, n_objectives, seed)

    def ask(self, number: int) -> Proposal | Signal:
        """The best candidate for a weight that is drawn; a point of the initial design until a model can learn."""
        experience = self._experience
        first = experience.first(number)
        if first is not None:
            return first
        rng = generator(self._seed, Stream.PROPOSAL, number)
        direction = int(rng.integers(len(self._weights)))
        results = Scalarised(experience.history, self._weights[direction])
        with_gp = takes_gp(self._model, number)
        belief = self._gp_belief(results) if with_gp else ForestBelief(experience.features, results, rng)
        config = experience.seen.fresh(ranked(experience, results, belief, by_improvement, rng), rng)
        origin = {"model": "gp" if with_gp else "forest", "direction": direction}
        return EXHAUSTED if config is None else Proposal(config, origin)

    def started(self, trial: Pending) -> None:
        """Never propose it again; until its result is there a model's belief stands in."""
        self._experience.started(trial)

    def tell(self, observation: Observation) -> None:
        """Keep a result to learn from."""
        self._experience.tell(observation)

    def _gp_belief(self, results: Scalarised) -> Belief:
        features = self._experience.features
        parameters = beliefs.fit(features, results, len(results))
        return GPBelief(features, results, self._experience.pending, parameters)


@dataclass(frozen=True)
class Scalarised:
    """The results of a search with one number in place of their losses; see ``Results``."""

    history: History
    weights: Floats
    """Shape (m,)."""

    def __len__(self) -> int:
        return len(self.history)

    @property
    def points(self) -> Floats:
        """Shape (n, d)."""
        return self.history.points

    @property
    def failed(self) -> Floats:
        """Points (f, d) of the trials that failed."""
        return self.history.failed

    @cached_property
    def losses(self) -> Floats:
        """Shape (n, 1)."""
        return augmented_tchebycheff(np.clip(self.history.losses, LEAST, MOST), self.weights)[:, None]

    @property
    def violation(self) -> Floats:
        """Shape (n,)."""
        return self.history.violation

    @property
    def any_meets_limits(self) -> bool:
        """Whether a complete trial does."""
        return self.history.any_meets_limits

    def front(self) -> Rows:
        """The row of the best complete result, or rows of equals."""
        rows = self.history.eligible()
        return rows[pareto.nondominated(self.losses[rows], self.violation[rows])]

    def columns(self, n: int) -> Floats:
        """What a model learns from the first n: the number (n, 1), then violation where any of them missed a limit."""
        return as_columns(self.losses[:n], self.violation[:n])


def augmented_tchebycheff(losses: Floats, weights: Floats) -> Floats:
    """One number (n,) for normalised losses (n, m): the largest weighted loss and a little of their sum."""
    weighted = losses * weights
    return np.asarray(weighted.max(axis=1) + RHO * weighted.sum(axis=1))


def by_improvement(best: Floats, mean: Floats, spread: Floats, chance: Floats) -> Rows:
    """Rows of candidates (n, 1) by expected improvement on the least of ``best`` (k, 1), times the chance to count.

    Jones, Schonlau and Welch 1998, doi:10.1023/A:1008306431147, equation 15.
    """
    better, sd = best.min() - mean[:, 0], np.maximum(spread[:, 0], 1e-9)
    z = better / sd
    expected = better * ndtr(z) + sd * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    # Below the smallest number all are equal, so the mean says which comes first.
    return np.lexsort((mean[:, 0], -np.maximum(expected, 0.0) * chance))

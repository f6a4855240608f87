"""A searcher that asks models which config promises most, and hands over to a plain one when trials are many.

Efficient global optimisation (Jones, Schonlau and Welch 1998, doi:10.1023/A:1008306431147) for several objectives: two
unlike models in turn, candidates bred on their predictions, the expected gain decides.
"""

from __future__ import annotations

import numpy as np

from moopt.objectives import Floats
from moopt.searchers.base import EXHAUSTED, Observation, Pending, Proposal, Searcher, Signal, Stream, generator
from moopt.searchers.surrogate import acquisition, beliefs
from moopt.searchers.surrogate.acquisition import Gain, HypervolumeGain, TchebycheffGain
from moopt.searchers.surrogate.beliefs import Belief, ForestBelief, GPBelief
from moopt.searchers.surrogate.experience import Experience
from moopt.searchers.surrogate.history import Rows
from moopt.searchers.surrogate.ranking import ranked
from moopt.searchers.weights import energy_directions
from moopt.space import Space

HANDOVER = 1_000
"""Fits after which models cost more than they gain."""
N_DIRECTIONS = 100


class Assisted:
    """NSGA-II or MOEA/D with surrogates: ``model`` is ``auto`` (both in turn), ``gp`` or ``forest``.

    With ``weighted`` the gain is that of the subproblems of a decomposition, else of the hypervolume. The plain
    searcher hears every event, so that it can take over at any time.
    """

    def __init__(
        self, plain: Searcher, space: Space, n_objectives: int, seed: int, model: str = "auto", weighted: bool = False
    ) -> None:
        self._plain, self._seed, self._model = plain, seed, model
        self._directions = energy_directions(N_DIRECTIONS, n_objectives) if weighted else None
        self._experience = Experience(space, n_objectives, seed)
        # A cache: parameters by the count of results that they were fitted on.
        self._fits: dict[int, Floats] = {}

    def ask(self, number: int) -> Proposal | Signal:
        """The candidate of the largest expected gain; a point of the initial design until a model can learn."""
        experience = self._experience
        if experience.history.n_fits >= HANDOVER:
            return self._plain.ask(number)
        first = experience.first(number)
        if first is not None:
            return first
        rng = generator(self._seed, Stream.PROPOSAL, number)
        with_gp = takes_gp(self._model, number)
        belief = self._gp_belief() if with_gp else ForestBelief(experience.features, experience.history, rng)
        candidates = ranked(experience, experience.history, belief, self._order, rng)
        config = experience.seen.fresh(candidates, rng)
        return EXHAUSTED if config is None else Proposal(config, {"model": "gp" if with_gp else "forest"})

    def started(self, trial: Pending) -> None:
        """Never propose it again; until its result is there a model's belief stands in."""
        self._experience.started(trial)
        self._plain.started(trial)

    def tell(self, observation: Observation) -> None:
        """Keep a result to learn from."""
        self._experience.tell(observation)
        self._plain.tell(observation)

    def _gp_belief(self) -> Belief:
        experience, history = self._experience, self._experience.history
        n = beliefs.fitted_on(len(history))
        if n not in self._fits:
            self._fits = {n: beliefs.fit(experience.features, history, n)}
        parameters = self._fits[n]
        missing = history.columns(len(history)).shape[1] - len(parameters)
        if missing:
            # The first limit was missed since the fit: until the next one violation is as smooth as the first loss.
            parameters = np.concatenate([parameters, parameters[:1]])
        return GPBelief(experience.features, history, experience.pending, parameters)

    def _order(self, front: Floats, mean: Floats, spread: Floats, chance: Floats) -> Rows:
        """All rows: first a shortlist by the expected gain.

        On it is what gains most a little below its mean, and what has the best outlook with all that its spread allows.
        """
        gain = self._gain(front)
        hoped = np.argsort(-gain(mean - acquisition.OPTIMISM * spread) * chance, kind="stable")
        open_to = np.argsort(-gain.outlook(mean, spread) * chance, kind="stable")
        both = np.concatenate([hoped[: acquisition.SHORTLIST], open_to[: acquisition.SHORTLIST], open_to])
        order = both[np.sort(np.unique(both, return_index=True)[1])]
        n = 2 * acquisition.SHORTLIST
        expected = acquisition.expected_gain(gain, mean[order[:n]], spread[order[:n]]) * chance[order[:n]]
        return np.concatenate([order[:n][np.argsort(-expected, kind="stable")], order[n:]])

    def _gain(self, front: Floats) -> Gain:
        return HypervolumeGain(front) if self._directions is None else TchebycheffGain(front, self._directions)


def takes_gp(model: str, number: int) -> bool:
    """Whether trial ``number`` is a Gaussian process's: of ``auto`` each odd one."""
    return model == "gp" or (model == "auto" and number % 2 == 1)

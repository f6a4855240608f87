"""A searcher that asks models which config promises most, and hands over to a plain one when trials are many.

Efficient global optimisation (Jones, Schonlau and Welch 1998, doi:10.1023/A:1008306431147) for several objectives: two
unlike models in turn, candidates bred on their predictions, the expected gain decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from moopt.objectives import Floats
from moopt.searchers.base import EXHAUSTED, Observation, Pending, Proposal, Searcher, Signal, Stream, generator
from moopt.searchers.common import Seen
from moopt.searchers.sampling import SobolSearcher
from moopt.searchers.surrogate import acquisition, beliefs
from moopt.searchers.surrogate.acquisition import Gain, HypervolumeGain, TchebycheffGain
from moopt.searchers.surrogate.beliefs import Belief, ForestBelief, GPBelief
from moopt.searchers.surrogate.candidates import Breeder, News
from moopt.searchers.surrogate.features import Features
from moopt.searchers.surrogate.history import History, Rows
from moopt.searchers.weights import energy_directions
from moopt.space import Space
from moopt.trial import Config

HANDOVER = 1_000
"""Fits after which models cost more than they gain."""
FEWEST_STARTS, MOST_STARTS = 10, 16
"""Bounds of the initial design; a space of few hyperparameters has fewer."""
N_DIRECTIONS = 100
_DRAWS = 64


class Assisted:
    """NSGA-II or MOEA/D with surrogates: ``model`` is ``auto`` (both in turn), ``gp`` or ``forest``.

    With ``weighted`` the gain is that of the subproblems of a decomposition, else of the hypervolume. The plain
    searcher hears every event, so that it can take over at any time.
    """

    def __init__(
        self, plain: Searcher, space: Space, n_objectives: int, seed: int, model: str = "auto", weighted: bool = False
    ) -> None:
        self._plain, self._space, self._seed, self._model = plain, space, seed, model
        self._directions = energy_directions(N_DIRECTIONS, n_objectives) if weighted else None
        self._m = n_objectives
        self._features = Features(space)
        self._breeder = Breeder(space)
        self._seen = Seen(space)
        self._known: set[bytes] = set()
        self._initial = SobolSearcher(space, seed)
        self._n_starts = _n_starts(space, seed)
        self._history = History(space, n_objectives, self._n_starts)
        self._pending: dict[int, Floats] = {}
        # A cache: parameters by the count of results that they were fitted on.
        self._fits: dict[int, Floats] = {}

    def ask(self, number: int) -> Proposal | Signal:
        """The candidate of the largest expected gain; a point of the initial design until a model can learn."""
        if self._history.n_fits >= HANDOVER:
            return self._plain.ask(number)
        if len(self._seen) >= self._space.size:
            return EXHAUSTED
        if not self._can_learn:
            return self._initial.ask(number)
        rng = generator(self._seed, Stream.PROPOSAL, number)
        with_gp = self._model == "gp" or (self._model == "auto" and number % 2 == 1)
        belief = self._gp_belief() if with_gp else ForestBelief(self._features, self._history, rng)
        config = self._seen.fresh(self._ranked(belief, rng), rng)
        return EXHAUSTED if config is None else Proposal(config, {"model": "gp" if with_gp else "forest"})

    def started(self, trial: Pending) -> None:
        """Never propose it again; until its result is there a model's belief stands in."""
        self._seen.add(trial.config)
        point = self._space.encode(trial.config)
        self._known.add(point.tobytes())
        self._pending[trial.number] = point
        self._initial.started(trial)
        self._plain.started(trial)

    def tell(self, observation: Observation) -> None:
        """Keep a result to learn from."""
        self._pending.pop(observation.number, None)
        self._history.add(observation)
        self._plain.tell(observation)

    @property
    def _can_learn(self) -> bool:
        """Pending trials count, so that workers do not stretch the initial design; but some results must be there."""
        n = self._history.n_fits
        return n > 1 and n >= self._n_starts // 2 and n + len(self._pending) >= self._n_starts

    def _gp_belief(self) -> Belief:
        n = beliefs.fitted_on(len(self._history))
        if n not in self._fits:
            self._fits = {n: beliefs.fit(self._features, self._history, n)}
        pending = np.array(list(self._pending.values())).reshape(-1, self._space.d)
        parameters = self._fits[n]
        missing = self._history.columns(len(self._history)).shape[1] - len(parameters)
        if missing:
            # The first limit was missed since the fit: until the next one violation is as smooth as the first loss.
            parameters = np.concatenate([parameters, parameters[:1]])
        return GPBelief(self._features, self._history, pending, parameters)

    def _ranked(self, belief: Belief, rng: np.random.Generator) -> Iterator[Config]:
        """New configs, the most promising first."""
        history, m = self._history, self._m
        on_front = history.front()
        losses, points = history.losses, history.points
        news = News(self._space, self._known.__contains__)
        found = self._breeder.candidates(
            points, losses, history.violation, points[on_front], partial(_hopes, belief, m), news, rng
        )
        if not len(found):
            return
        front = losses[on_front]
        if self._pending:
            front = np.concatenate([front, belief.predict(np.array(list(self._pending.values())))[0][:, :m]])
        gain = self._gain(front)
        for row in self._order(belief, gain, found):
            yield self._space.decode(found[row])

    def _order(self, belief: Belief, gain: Gain, points: Floats) -> Rows:
        """Rows of points (n, d), the most promising first."""
        history, m = self._history, self._m
        mean, spread = belief.predict(points)
        chance = beliefs.chance_of_ending(self._features, points, history.failed, history.points)
        if mean.shape[1] > m:
            if not history.any_meets_limits:
                return np.argsort(_hopes(belief, m, points)[1] / chance, kind="stable")
            chance = chance * beliefs.chance_of_meeting(mean[:, m], spread[:, m])
        return _by_gain(gain, mean[:, :m], spread[:, :m], chance)

    def _gain(self, front: Floats) -> Gain:
        return HypervolumeGain(front) if self._directions is None else TchebycheffGain(front, self._directions)


def _n_starts(space: Space, seed: int) -> int:
    """One more than the hyperparameters that are active at once, but neither few nor many; of a small space d + 1."""
    shares = generator(seed, Stream.INITIAL, 1).random((_DRAWS, space.d))
    active = max(len(space.quantile(row)) for row in shares)
    return min(space.d + 1, MOST_STARTS, max(FEWEST_STARTS, active + 1))


def _hopes(belief: Belief, m: int, points: Floats) -> tuple[Floats, Floats]:
    mean, spread = belief.predict(points)
    hoped = mean - acquisition.OPTIMISM * spread
    return hoped[:, :m], np.maximum(hoped[:, m], 0.0) if hoped.shape[1] > m else np.zeros(len(points))


def _by_gain(gain: Gain, mean: Floats, spread: Floats, chance: Floats) -> Rows:
    """All rows: first a shortlist by the expected gain.

    On it is what gains most a little below its mean, and what has the best outlook with all that its spread allows.
    """
    hoped = np.argsort(-gain(mean - acquisition.OPTIMISM * spread) * chance, kind="stable")
    open_to = np.argsort(-gain.outlook(mean, spread) * chance, kind="stable")
    both = np.concatenate([hoped[: acquisition.SHORTLIST], open_to[: acquisition.SHORTLIST], open_to])
    order = both[np.sort(np.unique(both, return_index=True)[1])]
    n = 2 * acquisition.SHORTLIST
    expected = acquisition.expected_gain(gain, mean[order[:n]], spread[order[:n]]) * chance[order[:n]]
    return np.concatenate([order[:n][np.argsort(-expected, kind="stable")], order[n:]])

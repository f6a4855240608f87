"""What a searcher that asks models has seen: configs, results, what is pending, and where it starts."""

from __future__ import annotations

import numpy as np

from moopt.objectives import Floats
from moopt.searchers.base import EXHAUSTED, Observation, Pending, Proposal, Signal, Stream, generator
from moopt.searchers.common import Seen
from moopt.searchers.sampling import SobolSearcher
from moopt.searchers.surrogate.candidates import Breeder, News
from moopt.searchers.surrogate.features import Features
from moopt.searchers.surrogate.history import History
from moopt.space import Space

FEWEST_STARTS, MOST_STARTS = 10, 16
"""Bounds of the initial design; a space of few hyperparameters has fewer."""
_DRAWS = 64


class Experience:
    """A fold over a study's events."""

    def __init__(self, space: Space, n_objectives: int, seed: int) -> None:
        self.space = space
        self.features = Features(space)
        self.seen = Seen(space)
        self._known: set[bytes] = set()
        self._initial = SobolSearcher(space, seed, hedged=True)
        self._n_starts = _n_starts(space, seed)
        self.history = History(space, n_objectives, self._n_starts)
        self._pending: dict[int, Floats] = {}
        self._breeder = Breeder(space)

    def started(self, trial: Pending) -> None:
        """A config is pending."""
        self.seen.add(trial.config)
        point = self.space.encode(trial.config)
        self._known.add(point.tobytes())
        self._pending[trial.number] = point
        self._initial.started(trial)

    def tell(self, observation: Observation) -> None:
        """A result to learn from."""
        self._pending.pop(observation.number, None)
        self.history.add(observation)

    def first(self, number: int) -> Proposal | Signal | None:
        """A point of the initial design; None once a model can learn."""
        if len(self.seen) >= self.space.size:
            return EXHAUSTED
        return None if self._can_learn else self._initial.ask(number)

    @property
    def pending(self) -> Floats:
        """Points (p, d) of the trials without a result."""
        return np.array(list(self._pending.values())).reshape(-1, self.space.d)

    @property
    def breeder(self) -> Breeder:
        """Makes new points, from what the priors say as far as they still count."""
        return self._breeder.after(len(self.history))

    def news(self) -> News:
        """Which points were not met before, neither in the search nor among candidates."""
        return News(self.space, self._known.__contains__)

    @property
    def _can_learn(self) -> bool:
        """Pending trials count, so that workers do not stretch the initial design; but some results must be there."""
        n = self.history.n_fits
        return n > 1 and n >= self._n_starts // 2 and n + len(self._pending) >= self._n_starts


def _n_starts(space: Space, seed: int) -> int:
    """One more than the hyperparameters that are active at once, but neither few nor many; of a small space d + 1."""
    shares = generator(seed, Stream.INITIAL, 1).random((_DRAWS, space.d))
    active = max(len(space.quantile(row)) for row in shares)
    return min(space.d + 1, MOST_STARTS, max(FEWEST_STARTS, active + 1))

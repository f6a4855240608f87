"""Searchers that learn nothing: random draws, a Sobol sequence, a grid."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from moopt.searchers.base import EXHAUSTED, Observation, Pending, Proposal, Signal, Stream, generator
from moopt.searchers.common import Seen
from moopt.space import Floats, Key, Space
from moopt.trial import Config

_BLOCK = 64
_TRIES = 64
_HEDGE = 3
"""Each so manieth point of a hedged design leaves the priors aside."""


class RandomSearcher:
    """Independent draws from the space's priors, none twice."""

    def __init__(self, space: Space, seed: int) -> None:
        self._seed = seed
        self._seen = Seen(space)

    def ask(self, number: int) -> Proposal | Signal:
        """A config that was never started, drawn for this trial's number."""
        config = self._seen.fresh((), generator(self._seed, Stream.PROPOSAL, number))
        return EXHAUSTED if config is None else Proposal(config)

    def started(self, trial: Pending) -> None:
        """Remembers its config."""
        self._seen.add(trial.config)

    def tell(self, observation: Observation) -> None:
        """Nothing is learned."""


class SobolSearcher:
    """The points of a scrambled Sobol sequence in the priors' shares: a more even cover than random draws.

    A proposal's origin is its index in the sequence. Points whose config is forbidden or was started
    are passed over; where many are, as at the end of a small space, a random config takes the place. With ``hedged``,
    as a start for searchers that learn, a third of the points are spread over the ranges, whatever the priors say.

    Source: Owen (1998), "Scrambling Sobol' and Niederreiter-Xing points", doi:10.1006/jcom.1998.0487.
    """

    def __init__(self, space: Space, seed: int, hedged: bool = False) -> None:
        self._space = space
        self._seed = seed
        self._hedged = hedged
        self._seen = Seen(space)
        self._next = 0

    def ask(self, number: int) -> Proposal | Signal:
        """The config of the next point that gives a new one."""
        end = self._next + _TRIES
        for index in range(self._next, end):
            config = self._config(index)
            if self._seen.new(config):
                return Proposal(config, index)
        other = self._seen.fresh((), generator(self._seed, Stream.PROPOSAL, number))
        return EXHAUSTED if other is None else Proposal(other, end - 1)

    def started(self, trial: Pending) -> None:
        """Remembers its config and how far the sequence was read."""
        self._seen.add(trial.config)
        if isinstance(trial.origin, int):
            self._next = max(self._next, trial.origin + 1)

    def tell(self, observation: Observation) -> None:
        """Nothing is learned."""

    def _config(self, index: int) -> Config:
        evenly = self._hedged and index % _HEDGE == _HEDGE - 1
        return (self._space.even if evenly else self._space.quantile)(self._sequence[index])

    @cached_property
    def _sequence(self) -> SobolSequence:
        return SobolSequence(self._space.d, generator(self._seed, Stream.INITIAL, 0))


class SobolSequence:
    """The points of one scrambled Sobol sequence by index; drawn in blocks that keep the count a power of two."""

    def __init__(self, d: int, rng: np.random.Generator) -> None:
        from scipy.stats import qmc

        self._engine = qmc.Sobol(d, scramble=True, rng=rng)
        self._points: Floats = self._engine.random(_BLOCK)

    def __getitem__(self, index: int) -> Floats:
        while index >= len(self._points):
            self._points = np.concatenate([self._points, self._engine.random(len(self._points))])
        point: Floats = self._points[index]
        return point


class GridSearcher:
    """Every config of the grid once, in an order shuffled by the seed, so that a part of it covers the whole.

    Ranges with more values than ``resolution`` are cut to so many, evenly spaced on their scale.
    Raises SpaceError for a grid of more than a million points.
    """

    def __init__(self, space: Space, seed: int, resolution: int = 5) -> None:
        self._space = space
        self._seen = Seen(space)
        self._grid = space.grid(resolution)
        self._seed = seed
        # A cache: all points before it were started.
        self._first = 0

    def ask(self, number: int) -> Proposal | Signal:  # noqa: ARG002 - the order is fixed
        """The first point of the order that was not started."""
        for index in range(self._first, len(self._order)):
            config = self._space.from_key(self._order[index])
            if config not in self._seen:
                self._first = index
                return Proposal(config)
        return EXHAUSTED

    def started(self, trial: Pending) -> None:
        """Remembers its config."""
        self._seen.add(trial.config)

    def tell(self, observation: Observation) -> None:
        """Nothing is learned."""

    @cached_property
    def _order(self) -> list[Key]:
        keys = [self._space.key(config) for config in self._grid]
        return [keys[place] for place in generator(self._seed, Stream.INITIAL, 0).permutation(len(keys))]

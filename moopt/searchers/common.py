"""What every searcher keeps: the configs that were started, and how to find one that was not."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from itertools import chain, islice

import numpy as np

from moopt.space import Key, Space
from moopt.trial import Config

_DRAWS = 64
_DRAWS_OF_MANY = 10_000
_LONGEST_LIST = 1_000_000


class Seen:
    """The keys of the configs that were started in a space."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._keys: set[Key] = set()

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, config: Config) -> bool:
        return self._space.key(config) in self._keys

    def add(self, config: Config) -> None:
        """A config was started."""
        self._keys.add(self._space.key(config))

    def new(self, config: Config) -> bool:
        """Whether a config may be proposed: allowed, and not started before."""
        return self._space.allowed(config) and config not in self

    def fresh(self, candidates: Iterable[Config], rng: np.random.Generator) -> Config | None:
        """The first new one of the candidates; else a random new config; None when the space is used up.

        Candidates are looked at one after the other, so they may be a generator that makes them when asked for;
        they must come to an end. The last configs of a space of up to a million are found by listing it.
        """
        for config in candidates:
            if self.new(config):
                return config
        if len(self) >= self._space.size:
            return None
        listable = self._space.size <= _LONGEST_LIST
        for _ in range(_DRAWS if listable else _DRAWS_OF_MANY):
            config = self._space.quantile(rng.random(self._space.d))
            if self.new(config):
                return config
        return self._left(rng) if listable else None

    def _left(self, rng: np.random.Generator) -> Config | None:
        start = int(rng.integers(len(self._all)))
        for key in chain(islice(self._all, start, None), islice(self._all, start)):
            if key not in self._keys:
                return self._space.from_key(key)
        return None

    @cached_property
    def _all(self) -> list[Key]:
        return list(self._space.keys())

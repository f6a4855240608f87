"""Counting and listing the valid configs of a space, without listing what cannot interact.

Only parents and hyperparameters in forbidden clauses decide what else is valid. The others multiply the
count where they are active, and parts of a space that share no clause are counted by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any

from moopt.clauses import INACTIVE, Test

_VISITS = 200_000


class TooMany(Exception):
    """An exact count would take too long."""


class Plan:
    """What decides what in a space, by position; domains come as one list of values each."""

    def __init__(
        self,
        parents: Sequence[Sequence[int]],
        tests: Sequence[Test | None],
        forbidden: Sequence[Test],
        forbidden_places: Sequence[Set[int]],
    ) -> None:
        self._tests = tests
        self._d = len(tests)
        self._deciders = {place for group in (*parents, *forbidden_places) for place in group}
        links = [{child, *group} for child, group in enumerate(parents)] + [set(group) for group in forbidden_places]
        self._parts = _connected(self._d, links)
        # Each forbidden clause is asked as soon as the last of its values is known.
        self._asked: list[list[Test]] = [[] for _ in range(self._d)]
        for test, places in zip(forbidden, forbidden_places, strict=True):
            self._asked[max(places)].append(test)

    def count(self, lengths: Sequence[float], domains: Sequence[Sequence[Any]]) -> float:
        """Valid configs: exact for up to 200,000 combinations of deciding values in a part, else an upper bound.

        ``lengths`` are those of the domains, inf for one that has no list.
        """
        total: float = 1
        for part in self._parts:
            try:
                self._left = _VISITS
                total *= self._count(part, 0, [INACTIVE] * self._d, lengths, domains)
            except TooMany:
                total *= math.prod(lengths[place] for place in part)
        return total

    def _count(
        self,
        part: Sequence[int],
        at: int,
        values: list[Any],
        lengths: Sequence[float],
        domains: Sequence[Sequence[Any]],
    ) -> float:
        if at == len(part):
            return 1
        self._left -= 1
        if self._left < 0:
            raise TooMany
        place = part[at]
        test = self._tests[place]
        if test is not None and not test(values):
            values[place] = INACTIVE
            return 0 if self._refused(place, values) else self._count(part, at + 1, values, lengths, domains)
        if place not in self._deciders or math.isinf(lengths[place]):
            rest = self._count(part, at + 1, values, lengths, domains)
            return lengths[place] * rest if rest else 0
        total: float = 0
        for value in domains[place]:
            values[place] = value
            if not self._refused(place, values):
                total += self._count(part, at + 1, values, lengths, domains)
        values[place] = INACTIVE
        return total

    def walk(self, domains: Sequence[Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
        """The values of every valid config, INACTIVE where there is none, in lexicographic order."""
        return self._walk(0, [INACTIVE] * self._d, domains)

    def _walk(self, place: int, values: list[Any], domains: Sequence[Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
        if place == self._d:
            yield tuple(values)
            return
        test = self._tests[place]
        options: Iterable[Any] = domains[place] if test is None or test(values) else (INACTIVE,)
        for value in options:
            values[place] = value
            if not self._refused(place, values):
                yield from self._walk(place + 1, values, domains)

    def _refused(self, place: int, values: Sequence[Any]) -> bool:
        return any(test(values) for test in self._asked[place])


def _connected(d: int, links: Iterable[Set[int]]) -> list[list[int]]:
    group = list(range(d))
    for link in links:
        joined = {group[place] for place in link}
        least = min(joined, default=0)
        group = [least if one in joined else one for one in group]
    return [[place for place in range(d) if group[place] == least] for least in sorted(set(group))]

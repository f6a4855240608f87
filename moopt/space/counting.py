"""Counting and listing the valid configs of a space, without listing what cannot interact.

Only parents and hyperparameters in forbidden clauses decide what else is valid. The others multiply the
count where they are active, and parts of a space that share no clause are counted by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any, TypeAlias

from moopt.space.clauses import INACTIVE, Test

Lists: TypeAlias = Sequence[Sequence[Any] | None]
"""For each hyperparameter its values; None for a continuous one."""


class Plan:
    """What decides what in a space, by position."""

    def __init__(
        self,
        parents: Sequence[Sequence[int]],
        tests: Sequence[Test | None],
        forbidden: Sequence[Test],
        forbidden_places: Sequence[Set[int]],
    ) -> None:
        self.tests = tests
        self.d = len(tests)
        self.deciders = {place for group in (*parents, *forbidden_places) for place in group}
        links = [{child, *group} for child, group in enumerate(parents)] + [set(group) for group in forbidden_places]
        self.parts = _connected(self.d, links)
        # Each forbidden clause is asked as soon as the last of its values is known.
        self._asked: list[list[Test]] = [[] for _ in range(self.d)]
        for test, places in zip(forbidden, forbidden_places, strict=True):
            self._asked[max(places)].append(test)

    def count(self, lists: Lists, visits: int) -> float:
        """Valid configs: exact where at most ``visits`` values have to be tried in a part, else an upper bound."""
        return math.prod(_Count(self, lists, visits).of(part) for part in self.parts)

    def walk(self, lists: Lists) -> Iterator[tuple[Any, ...]]:
        """The values of every valid config, INACTIVE where there is none, in lexicographic order."""
        return self._walk(0, [INACTIVE] * self.d, lists)

    def _walk(self, place: int, values: list[Any], lists: Lists) -> Iterator[tuple[Any, ...]]:
        if place == self.d:
            yield tuple(values)
            return
        test = self.tests[place]
        options = lists[place] if test is None or test(values) else (INACTIVE,)
        for value in options or ():
            values[place] = value
            if not self.refused(place, values):
                yield from self._walk(place + 1, values, lists)

    def refused(self, place: int, values: Sequence[Any]) -> bool:
        """Whether a forbidden clause applies whose last value stands at a place."""
        return any(test(values) for test in self._asked[place])


class _TooMany(Exception):
    """An exact count would take too long."""


class _Count:
    """One count, with the values tried so far."""

    def __init__(self, plan: Plan, lists: Lists, visits: int) -> None:
        self._plan = plan
        self._lists = lists
        self._lengths = [math.inf if values is None else len(values) for values in lists]
        self._visits = visits
        self._values: list[Any] = [INACTIVE] * plan.d

    def of(self, part: Sequence[int]) -> float:
        """Valid combinations of the values at these places."""
        self._left = self._visits
        try:
            return self._from(part)
        except _TooMany:
            return math.prod(self._lengths[place] for place in part)

    def _from(self, part: Sequence[int]) -> float:
        if not part:
            return 1
        place, rest = part[0], part[1:]
        test = self._plan.tests[place]
        values = self._lists[place]
        if test is not None and not test(self._values):
            return self._with(place, INACTIVE, rest)
        if values is None or place not in self._plan.deciders:
            others = self._with(place, INACTIVE, rest)
            return self._lengths[place] * others if others else 0
        return sum(self._with(place, value, rest) for value in values)

    def _with(self, place: int, value: Any, rest: Sequence[int]) -> float:
        self._left -= 1
        if self._left < 0:
            raise _TooMany
        self._values[place] = value
        return 0 if self._plan.refused(place, self._values) else self._from(rest)


def _connected(d: int, links: Iterable[Set[int]]) -> list[list[int]]:
    group = list(range(d))
    for link in links:
        joined = {group[place] for place in link}
        least = min(joined)
        group = [least if one in joined else one for one in group]
    return [[place for place in range(d) if group[place] == least] for least in sorted(set(group))]

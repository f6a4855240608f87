"""Many trials as columns; a Trial is made when it is asked for.

A study of a hundred thousand trials is counted, ranked and drawn from arrays, and a few of its trials are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from moopt.objectives import Floats, Objective
from moopt.trial import State, Trial

Rows = NDArray[np.bool_] | NDArray[np.intp]
"""A mask (n,), or places in their order."""


@dataclass(frozen=True, eq=False)
class Trials(Sequence[Trial]):
    """n trials, a column a field that is asked of all of them."""

    number: NDArray[np.int64]
    state: NDArray[np.str_]
    source: NDArray[np.str_]
    finished_at: Floats
    """Unix seconds; NaN for a trial that has not ended."""
    values: Mapping[str, Floats]
    """Objective name -> values, NaN where a trial has none."""
    kept: NDArray[np.object_]
    """What each trial is made from."""
    make: Callable[[Sequence[Any]], Sequence[Trial]]
    """Makes trials of what is kept of them."""

    @classmethod
    def of(cls, trials: Iterable[Trial]) -> Trials:
        """The columns of some trials; those that are columns already stay as they are."""
        if isinstance(trials, Trials):
            return trials
        trials = tuple(trials)
        names = dict.fromkeys(name for one in trials for name in one.values)
        return cls(
            number=np.array([one.number for one in trials], dtype=np.int64),
            state=np.array([one.state for one in trials], dtype=np.str_),
            source=np.array([one.source for one in trials], dtype=np.str_),
            finished_at=_floats([one.finished_at for one in trials]),
            values={name: _floats([one.values.get(name) for one in trials]) for name in names},
            kept=np.fromiter(trials, dtype=np.object_, count=len(trials)),
            make=list,
        )

    def __len__(self) -> int:
        """How many they are."""
        return len(self.number)

    @overload
    def __getitem__(self, place: int) -> Trial: ...
    @overload
    def __getitem__(self, place: slice) -> Trials: ...
    def __getitem__(self, place: int | slice) -> Trial | Trials:
        """The trial at a place, or those of a slice."""
        if isinstance(place, slice):
            return self.take(np.arange(len(self))[place])
        return self.make([self.kept[place]])[0]

    def __iter__(self) -> Iterator[Trial]:
        """All of them, made at once."""
        return iter(self.make(self.kept.tolist()))

    def take(self, rows: Rows) -> Trials:
        """Some of them."""
        return replace(
            self,
            number=self.number[rows],
            state=self.state[rows],
            source=self.source[rows],
            finished_at=self.finished_at[rows],
            values={name: column[rows] for name, column in self.values.items()},
            kept=self.kept[rows],
        )

    def where(self, state: State) -> Trials:
        """Those in a state."""
        return self.take(self.state == state.value)

    def matrix(self, objectives: Sequence[Objective]) -> Floats:
        """Values (n, m), NaN where a trial has none."""
        nothing = np.full(len(self), np.nan)
        return np.column_stack([self.values.get(one.name, nothing) for one in objectives])

    def updated(self, fresh: Trials) -> Trials:
        """With fresh trials in the place of those of the same number, and new ones after them, by number."""
        stay = ~np.isin(self.number, fresh.number)
        order = np.argsort(np.concatenate([self.number[stay], fresh.number]), kind="stable")

        def merged(old: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
            return np.concatenate([old[stay], new])[order]

        names = dict.fromkeys([*self.values, *fresh.values])
        olds, news = (np.full(len(one), np.nan) for one in (self, fresh))
        return Trials(
            number=merged(self.number, fresh.number),
            state=merged(self.state, fresh.state),
            source=merged(self.source, fresh.source),
            finished_at=merged(self.finished_at, fresh.finished_at),
            values={name: merged(self.values.get(name, olds), fresh.values.get(name, news)) for name in names},
            kept=merged(self.kept, fresh.kept),
            make=fresh.make,
        )


def _floats(values: Sequence[float | None]) -> Floats:
    """A column of numbers, NaN for None."""
    return np.array(values, dtype=np.float64)

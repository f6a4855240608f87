"""The front as arrays: what limits, swaps and the choice are computed from.

Nothing here chooses. Trials, or plain values by number, become one frozen record of arrays whose rows
are the front's members by number and whose columns follow the objectives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from moopt import pareto
from moopt.errors import NoTrialLeft, UsageError
from moopt.objectives import Floats, Objective, loss_matrix
from moopt.trial import State, Trial

Points: TypeAlias = Iterable[Trial] | Mapping[int, Mapping[str, float]]
"""Trials (those that are not complete are left out), or a trial's number -> its values by objective."""


@dataclass(frozen=True, slots=True, eq=False)
class Front:
    """The non-dominated members of some trials, by number."""

    objectives: tuple[Objective, ...]
    numbers: NDArray[np.int64]
    """Shape (n,), ascending."""
    values: Floats
    """Shape (n, m), in each objective's own direction and unit."""
    losses: Floats
    """Shape (n, m)."""
    scaled: Floats
    """Shape (n, m): losses with the front's best at 0 and its worst at 1; 0 where the front has one value."""

    def __len__(self) -> int:
        """Members of the front."""
        return len(self.numbers)

    def row(self, number: int) -> int:
        """The row of a trial; raises UsageError with the front's numbers where it is none of them."""
        found = np.flatnonzero(self.numbers == number)
        if not found.size:
            raise UsageError(f"trial {number} is not on the front; on the front are: {join_numbers(self.numbers)}")
        return int(found[0])


def front_of(objectives: Sequence[Objective], points: Points) -> Front:
    """The front of some trials. Points without a finite loss in every objective are left out.

    Raises NoTrialLeft where no point remains.
    """
    table = points if isinstance(points, Mapping) else {t.number: t.values for t in points if t.state is State.COMPLETE}
    numbers = np.array(sorted(table), dtype=np.int64)
    values = np.array(
        [[table[int(number)].get(objective.name, np.nan) for objective in objectives] for number in numbers],
        dtype=np.float64,
    ).reshape(-1, len(objectives))
    losses = loss_matrix(objectives, values)
    usable = np.isfinite(losses).all(axis=1)
    if not usable.any():
        raise NoTrialLeft("no trial is complete, so there is nothing to choose from; let the search run longer")
    numbers, values, losses = numbers[usable], values[usable], losses[usable]
    best = pareto.nondominated(losses)
    numbers, values, losses = numbers[best], values[best], losses[best]
    ideal, nadir = losses.min(axis=0), losses.max(axis=0)
    return Front(tuple(objectives), numbers, values, losses, pareto.normalise(losses, ideal, nadir))


def join_numbers(numbers: Iterable[int], at_most: int = 20) -> str:
    """Numbers for a message: ``1, 4, 9``, cut with a count of the rest."""
    listed = [str(number) for number in numbers]
    more = len(listed) - at_most
    return ", ".join(listed[:at_most]) + (f" and {more} more" if more > 0 else "")

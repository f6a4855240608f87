"""The front as arrays: what limits, swaps and the choice are computed from.

Nothing here chooses. Trials, or plain values by number, become one frozen record of arrays whose rows
are the front's members by number and whose columns follow the objectives.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from moopt import pareto
from moopt.columns import Trials
from moopt.errors import NoTrialLeft, UsageError
from moopt.objectives import Floats, Objective, loss_matrix
from moopt.trial import State, Trial

Points: TypeAlias = "Iterable[Trial] | Mapping[int, Mapping[str, float]] | Front"
"""Trials (those that are not complete are left out), or a trial's number -> its values by objective; or a front of
these objectives, which stays what it is under whatever limits.
"""
Table: TypeAlias = tuple[NDArray[np.int64], Floats]
LEAST_LOG_SPAN = 0.5 * math.log2(10)
"""Half a decade. A front that spans less in a logarithmic objective is not stretched to the full scale: where all
trials are within a factor of 1.5, the slowest is not as bad as the worst of an objective that matters."""


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
    span: Floats
    """Shape (m,): the ranges of the losses, those of logarithmic objectives at least LEAST_LOG_SPAN; above 0."""
    scaled: Floats
    """Shape (n, m): by how much losses are above the front's best, in spans."""

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
    if isinstance(points, Front):
        return replace(points, objectives=tuple(objectives))
    numbers, values = _table(objectives, points)
    losses = loss_matrix(objectives, values)
    usable = np.isfinite(losses).all(axis=1)
    if not usable.any():
        raise NoTrialLeft("no trial is complete, so there is nothing to choose from; let the search run longer")
    numbers, values, losses = numbers[usable], values[usable], losses[usable]
    best = pareto.nondominated(losses)
    numbers, values, losses = numbers[best], values[best], losses[best]
    least = [LEAST_LOG_SPAN if objective.log else 0.0 for objective in objectives]
    span = np.maximum(np.ptp(losses, axis=0), least)
    span[span == 0] = 1.0
    return Front(tuple(objectives), numbers, values, losses, span, (losses - losses.min(axis=0)) / span)


def _table(objectives: Sequence[Objective], points: Iterable[Trial] | Mapping[int, Mapping[str, float]]) -> Table:
    """Numbers (n,), ascending, and values (n, m)."""
    if isinstance(points, Mapping):
        numbers = np.array(sorted(points), dtype=np.int64)
        rows = [[points[number].get(one.name, np.nan) for one in objectives] for number in numbers.tolist()]
        return numbers, np.array(rows, dtype=np.float64).reshape(-1, len(objectives))
    complete = Trials.of(points).where(State.COMPLETE)
    complete = complete.take(np.argsort(complete.number))
    return complete.number, complete.matrix(objectives)


def join_numbers(numbers: Iterable[int], at_most: int = 20) -> str:
    """Numbers for a message: ``1, 4, 9``, cut with a count of the rest."""
    listed = [str(number) for number in numbers]
    more = len(listed) - at_most
    return ", ".join(listed[:at_most]) + (f" and {more} more" if more > 0 else "")

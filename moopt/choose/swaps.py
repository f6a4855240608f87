"""Swaps: what a trial's neighbours on the front would buy and cost, in the user's units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from moopt.choose.front import Front, Points, front_of
from moopt.choose.limits import meets_limits
from moopt.objectives import Objective, canonical_name, format_value, is_share

_SMALL_STEP = 0.05


@dataclass(frozen=True, slots=True)
class Swap:
    """Another member of the front in place of a trial."""

    number: int
    """The other trial's."""
    objective: str
    """What it is the cheapest way to improve."""
    gains: tuple[str, ...]
    """What gets better, in words: ``3.1 times lower latency``."""
    costs: tuple[str, ...]
    """What gets worse, in words: ``-0.4 pt accuracy``."""
    within_limits: bool
    """Whether the other trial meets the objectives' limits."""

    @property
    def text(self) -> str:
        """As a sentence: ``-0.4 pt accuracy buys 3.1 times lower latency``."""
        costs, gains = " and ".join(self.costs), " and ".join(self.gains)
        verb = "buys" if len(self.costs) == 1 else "buy"
        return f"{costs} {verb} {gains}" + ("" if self.within_limits else " (beyond a limit)")


def swaps(objectives: Sequence[Objective], trials: Points, number: int) -> list[Swap]:
    """For each objective the cheapest swap that improves it, the best bargain first.

    The cheapest gains most of its objective for what the others lose, both in the front's spans; a twentieth
    is added to the loss, so that a tiny gain for next to nothing is no bargain. Swaps within
    the objectives' limits come before those beyond. Each other trial is named once. Raises UsageError for a trial
    that is not on the front.
    """
    front = front_of(objectives, trials)
    return swaps_of(front, front.row(number))


def swaps_of(front: Front, row: int) -> list[Swap]:
    """:func:`swaps` of one row of a front."""
    gain = np.maximum(front.scaled[row] - front.scaled, 0.0)
    cost = np.maximum(front.scaled - front.scaled[row], 0.0).sum(axis=1)
    rates = gain / (cost + _SMALL_STEP)[:, None]
    within = meets_limits(front)
    ranked: list[tuple[bool, float, int, int]] = []
    for column in range(len(front.objectives)):
        allowed = np.where(within & (rates[:, column] > 0), rates[:, column], 0.0)
        best = allowed if allowed.any() else rates[:, column]
        if best.any():
            other = int(np.argmax(best))
            ranked.append((not within[other], -float(best[other]), other, column))
    named: dict[int, Swap] = {}
    for beyond, _, other, column in sorted(ranked):
        if other not in named:
            gains, costs = differences(front, row, other)
            named[other] = Swap(
                int(front.numbers[other]), front.objectives[column].name, gains, costs, within_limits=not beyond
            )
    return list(named.values())


def differences(front: Front, row: int, other: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What gets better and what gets worse from one row of a front to another, in words."""
    gains: list[str] = []
    costs: list[str] = []
    for column, objective in enumerate(front.objectives):
        change = front.losses[other, column] - front.losses[row, column]
        if change != 0:
            old, new = float(front.values[row, column]), float(front.values[other, column])
            in_words = difference(objective, old, new, in_points=is_share(front.values[:, column]))
            (gains if change < 0 else costs).append(in_words)
    return tuple(gains), tuple(costs)


def difference(objective: Objective, old: float, new: float, *, in_points: bool) -> str:
    """From one value to another in words, for values that differ.

    A factor for a logarithmic objective (a percentage below 1.1), points for a share of one (``in_points``, where
    the objective has no unit), else a signed difference in its unit.
    """
    name = words(objective)
    if objective.log:
        way = ("smaller", "larger") if objective.unit in ("B", "kB", "MB", "GB") else ("lower", "higher")
        factor = max(new / old, old / new)
        amount = f"{factor:.2g} times" if 1.1 <= factor < 99.5 else f"{factor:.0f} times"
        return f"{amount if factor >= 1.1 else f'{100 * (factor - 1):.2g} %'} {way[new > old]} {name}"
    if in_points and not objective.unit:
        return f"{100 * (new - old):+.2g} pt {name}"
    sign = "+" if new > old else "-"
    return f"{sign}{format_value(objective, abs(new - old))} {name}"


def words(objective: Objective) -> str:
    """An objective's name without its unit: ``latency`` for ``latency_ms``."""
    short = objective.name[: -len(objective.unit) - 1] if objective.unit else objective.name
    return short if not objective.unit or canonical_name(short) == objective.name else short.replace("_", " ")


def join(parts: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    listed = list(parts)
    return " and ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)

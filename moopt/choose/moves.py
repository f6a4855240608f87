"""Moves from one member of a front to another: what should get better, what must stay, what may get worse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moopt.choose.front import Front
from moopt.choose.limits import meets_limits
from moopt.choose.swaps import words
from moopt.errors import UsageError, nearest
from moopt.objectives import Floats, format_value, loss

IMPROVE = "improve"
ANYTHING = "anything"
Wish = float | str
"""``improve``, ``anything`` (it may get as bad as it likes), or the worst value accepted, in the objective's unit."""


@dataclass(frozen=True, slots=True)
class Move:
    """The answer to some wishes."""

    number: int | None
    """The trial that suits them best; None where none does."""
    n_suited: int
    """How many members of the front suit them."""
    hindrance: str = ""
    """Where none does: which one wish to give up, in words, or that no single one would help."""


def answer_wishes(front: Front, number: int, wishes: Mapping[str, Wish]) -> Move:
    """The member of a front that suits the wishes, seen from one of its trials; an objective without a wish is kept.

    Among those that suit and meet the objectives' limits, the one that gains most on what is to improve for what the
    others lose, in the front's spans. Raises UsageError for a trial that is not on the front, an unknown objective or
    an unknown wish.
    """
    row = front.row(number)
    _check(front, wishes)
    suits = _suits(front, row, wishes)  # (n, m)
    allowed = meets_limits(front)
    allowed[row] = False
    suited = allowed & suits.all(axis=1)
    if not suited.any():
        return Move(None, 0, _hindrance(front, suits, allowed, wishes))
    wanted = [wishes.get(one.name) == IMPROVE for one in front.objectives]
    step = front.scaled[row] - front.scaled
    score = np.maximum(step[:, wanted], 0.0).sum(axis=1) - np.maximum(-step, 0.0).sum(axis=1)
    return Move(int(front.numbers[int(np.argmax(np.where(suited, score, -np.inf)))]), int(suited.sum()))


def next_along(front: Front, number: int, objective: str, *, better: bool) -> int | None:
    """The next member within the limits that is better (or worse) in one objective; None at the end.

    Of several that are equal in it the one that is nearest in the others, in the front's spans.
    """
    row = front.row(number)
    column = [one.name for one in front.objectives].index(objective)
    step = front.losses[:, column] - front.losses[row, column]
    if better:
        step = -step
    beyond = meets_limits(front) & (step > 0)
    if not beyond.any():
        return None
    nearest_step = np.min(step[beyond])
    distance = np.abs(front.scaled - front.scaled[row]).sum(axis=1)
    there = beyond & (step == nearest_step)
    return int(front.numbers[int(np.argmin(np.where(there, distance, np.inf)))])


def _suits(front: Front, row: int, wishes: Mapping[str, Wish]) -> NDArray[np.bool_]:
    """Which members (n,) suit the wish on each objective: (n, m)."""
    columns = []
    for column, one in enumerate(front.objectives):
        losses, here = front.losses[:, column], front.losses[row, column]
        wish = wishes.get(one.name)
        if wish == IMPROVE:
            columns.append(losses < here)
        elif wish == ANYTHING:
            columns.append(np.ones(len(front), dtype=bool))
        else:
            columns.append(losses <= (here if wish is None else max(here, loss(one, float(wish)))))
    return np.column_stack(columns)


def _hindrance(front: Front, suits: NDArray[np.bool_], allowed: NDArray[np.bool_], wishes: Mapping[str, Wish]) -> str:
    """Which objective's wish alone stands in the way, and what the best without it would give."""
    if not wishes:
        return "Nothing is asked to improve."
    helped: list[tuple[float, str]] = []
    for column, one in enumerate(front.objectives):
        without = allowed & np.delete(suits, column, axis=1).all(axis=1)
        if without.any():
            best: Floats = np.where(without, front.losses[:, column], np.inf)
            member = int(np.argmin(best))
            value = format_value(one, float(front.values[member, column]))
            helped.append(
                (
                    float(front.scaled[member, column]),
                    f"{words(one)} would have to be {value} (#{front.numbers[member]})",
                )
            )
    if not helped:
        return "No trial on the front does that, and giving up one of the wishes would not help."
    return f"No trial on the front does that; {min(helped)[1]}."


def _check(front: Front, wishes: Mapping[str, Wish]) -> None:
    names = [one.name for one in front.objectives]
    for name, wish in wishes.items():
        if name not in names:
            raise UsageError(f"a wish is given for {name!r}, which is no objective here{nearest(name, names)}")
        if isinstance(wish, str) and wish not in (IMPROVE, ANYTHING):
            raise UsageError(f"the wish for {name} is {wish!r}; give 'improve', 'anything' or the worst value accepted")

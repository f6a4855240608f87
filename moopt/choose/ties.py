"""Ties: where scores differ within noise, the costs decide."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from moopt.certainty import Certainty
from moopt.choose.front import Front, join_numbers
from moopt.choose.preference import FIRST_WEIGHT, KNEE, Preference, scores
from moopt.choose.swaps import join, words
from moopt.objectives import Floats

_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Settled:
    """A row of a front, and how it came to be chosen among those that tie with it."""

    row: int
    tie: tuple[int, ...]
    """Numbers of the trials that tie with the one the values alone would choose, that one among them; else none."""
    text: str
    """In words; empty where there is no tie."""


def settle(front: Front, left: NDArray[np.bool_], row: int, preference: Preference, known: Certainty | None) -> Settled:
    """The member to take in place of ``row``, the best by the values: the cheapest that ties with it.

    A tie is not ranked by its noisy objectives (:class:`moopt.certainty.Certainty`). The others, the costs, decide
    by the same preference; first by the objective that the user named next, where that is one of them.
    """
    if known is None:
        return Settled(row, (), "")
    first = int(front.numbers[row])
    tied = np.array([known.tie(first, int(number)) for number in front.numbers]) & left
    if tied.sum() < 2:
        return Settled(row, (), "")
    members = tuple(int(number) for number in front.numbers[tied])
    noisy = join(words(one) for one in front.objectives if one.name in known.noisy)
    others = [number for number in members if number != first]
    tie = (
        f"Trial {first} ties with trial{'s' if len(others) > 1 else ''} {join_numbers(others)}: "
        f"they differ within noise in {noisy}"
    )
    costs = [at for at, one in enumerate(front.objectives) if one.name not in known.noisy]
    if not costs:
        return Settled(row, members, f"{tie}.")
    row = lowest(_cost_scores(front, preference, costs), tied)
    return Settled(row, members, f"{tie}, so costs decide: of these it is {_what(front, preference, costs)}.")


def lowest(values: Floats, left: NDArray[np.bool_]) -> int:
    """The row of the least value (n,) among those left; rows go by number, so the first of equals has the lowest."""
    kept = np.where(left, values, np.inf)
    return int(np.flatnonzero(kept <= kept.min() + _SAME)[0])


def _cost_scores(front: Front, preference: Preference, costs: list[int]) -> Floats:
    column = _next(front, preference, costs)
    if column is None:
        return scores(front, preference, costs)
    weights = np.ones(len(front.objectives))
    weights[column] = FIRST_WEIGHT
    return scores(front, replace(preference, name=front.objectives[column].name, weights=weights), costs)


def _next(front: Front, preference: Preference, costs: list[int]) -> int | None:
    """The column of the first cost that the user named after the preference."""
    places = {front.objectives[at].name: at for at in costs}
    return next((places[name] for name in preference.next if name in places), None)


def _what(front: Front, preference: Preference, costs: list[int]) -> str:
    if len(costs) == 1:
        only = front.objectives[costs[0]]
        return f"the one with the {'lowest' if only.better == 'lower' else 'highest'} {words(only)}"
    named = join(words(front.objectives[at]) for at in costs)
    column = _next(front, preference, costs)
    if column is not None:
        return f"the cheapest in {named}, {words(front.objectives[column])} first"
    return f"the {'knee' if preference.name == KNEE else 'cheapest'} in {named}"

"""Limits: from a text on the command line to a mapping, who meets them, and which one to relax."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from moopt.choose.front import Front, Points, front_of
from moopt.errors import NoTrialLeft, ObjectiveError, nearest
from moopt.objectives import (
    Objective,
    canonical_name,
    format_value,
    loss,
    loss_matrix,
    parse_limit,
    violations,
    with_limits,
)

_SMALL_STEP = 0.05
_COMPARISON = {"minimize": "<=", "maximize": ">="}


def parse_limits(objectives: Sequence[Objective], texts: Iterable[str]) -> dict[str, float]:
    """Limits in their objectives' units from texts such as ``latency_ms<=5``, ``recall >= 90 %``, ``size<=200 kB``.

    Raises ObjectiveError for a text of another form, a name that is no objective, a comparison in the wrong
    direction, a number that is no limit, and an objective that is limited twice.
    """
    return _parsed(objectives, texts, "limit")


def parse_aspirations(objectives: Sequence[Objective], texts: Iterable[str]) -> dict[str, float]:
    """Aspirations from the same kind of texts, such as ``accuracy>=.95``; errors as :func:`parse_limits`."""
    return _parsed(objectives, texts, "aspiration")


def _parsed(objectives: Sequence[Objective], texts: Iterable[str], what: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for text in texts:
        name, value = _parse(objectives, text, what)
        if name in found:
            raise ObjectiveError(f"{name} has two {what}s, again by {text!r}; give one {what} an objective")
        found[name] = value
    return found


def _parse(objectives: Sequence[Objective], text: str, what: str) -> tuple[str, float]:
    match = re.fullmatch(r"\s*([^<>=≤≥]+?)\s*(<=|>=|≤|≥)\s*([^<>=≤≥]+)", text)
    if match is None:
        example = objectives[0]
        raise ObjectiveError(
            f"the {what} {text!r} cannot be read; give a name, <= or >=, and a value, "
            f"such as '{example.name}{_COMPARISON[example.direction]}{'0.9' if not example.unit else '5'}'"
        )
    name, sign, value = canonical_name(match[1]), match[2].replace("≤", "<=").replace("≥", ">="), match[3].strip()
    known = {objective.name: objective for objective in objectives}
    if name not in known:
        raise ObjectiveError(
            f"the {what} {text!r} names {match[1]!r}, which is no objective here{nearest(match[1], known)}"
        )
    objective = known[name]
    right = _COMPARISON[objective.direction]
    if sign != right:
        raise ObjectiveError(
            f"the {what} {text!r} turns the wrong way: {objective.better} {name} is better; "
            f"write '{name}{right}{value}'"
        )
    return name, parse_limit(objective, value)


def apply_limits(
    objectives: Sequence[Objective], limits: Mapping[str, float | str | None] | None
) -> tuple[Objective, ...]:
    """The objectives with other limits; None lifts an objective's own limit.

    Raises ObjectiveError for a name that is not among them and for what is no limit.
    """
    given = {canonical_name(name): limit for name, limit in (limits or {}).items()}
    with_numbers = with_limits(objectives, {name: 1.0 if limit is None else limit for name, limit in given.items()})
    return tuple(
        replace(objective, limit=None) if objective.name in given and given[objective.name] is None else objective
        for objective in with_numbers
    )


def limits_of(objectives: Sequence[Objective]) -> dict[str, float]:
    """Objective name -> its limit, for those that have one."""
    return {objective.name: objective.limit for objective in objectives if objective.limit is not None}


def limit_text(objective: Objective, limit: float) -> str:
    """A limit for people: ``latency_ms <= 5 ms``."""
    return f"{objective.name} {_COMPARISON[objective.direction]} {format_value(objective, limit)}"


def meets_limits(front: Front) -> NDArray[np.bool_]:
    """Which members meet the limits of the front's objectives, shape (n,)."""
    return np.asarray(violations(front.objectives, front.values) == 0.0)


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One limit moved so that more of the front is left."""

    name: str
    """The objective's."""
    limit: float
    """As it is."""
    relaxed: float
    """As it would be, rounded to three digits on the generous side."""
    n_left: int
    """Members of the front that would be left."""
    n_freed: int
    """Those among them that the limits exclude as they are."""
    text: str
    """In words: ``latency_ms 5 -> 5.4 ms leaves 3``."""


def relaxations(
    objectives: Sequence[Objective], trials: Points, *, limits: Mapping[str, float | str | None] | None = None
) -> list[Relaxation]:
    """What each limit, moved alone, would bring; the best one first.

    A limit is moved to where it frees most members of the front for the step, the step being in the front's spans
    (:class:`moopt.choose.front.Front`); steps below a twentieth count as one. A limit that frees none alone is not
    listed. Raises NoTrialLeft without a complete trial and ObjectiveError for a limit that cannot be.
    """
    return relaxations_of(front_of(apply_limits(objectives, limits), trials))


def relaxations_of(front: Front) -> list[Relaxation]:
    """:func:`relaxations` of a front whose objectives carry the limits."""
    found = [_relax(front, column) for column, one in enumerate(front.objectives) if one.limit is not None]
    ranked = sorted((one for one in found if one is not None), key=lambda pair: -pair[0])
    return [relaxation for _, relaxation in ranked]


def _relax(front: Front, column: int) -> tuple[float, Relaxation] | None:
    """The best step of one limit and its gain: members freed for each share of the range."""
    objective = front.objectives[column]
    limit = objective.limit
    if limit is None:
        return None
    now = meets_limits(front)
    lifted = replace(front, objectives=_swap_limit(front.objectives, column, None))
    freed = np.flatnonzero(meets_limits(lifted) & ~now)
    if not freed.size:
        return None
    order = freed[np.argsort(front.losses[freed, column], kind="stable")]
    steps = (front.losses[order, column] - loss(objective, limit)) / front.span[column]
    gains = np.arange(1, len(order) + 1) / np.maximum(steps, _SMALL_STEP)
    best = int(np.argmax(gains))
    relaxed = _round_outward(objective, float(front.values[order[best], column]))
    n_left = int(meets_limits(replace(front, objectives=_swap_limit(front.objectives, column, relaxed))).sum())
    text = f"{objective.name} {limit:.4g} -> {format_value(objective, relaxed)} leaves {n_left}"
    return float(gains[best]), Relaxation(objective.name, limit, relaxed, n_left, n_left - int(now.sum()), text)


def _swap_limit(objectives: tuple[Objective, ...], column: int, limit: float | None) -> tuple[Objective, ...]:
    return tuple(replace(one, limit=limit) if at == column else one for at, one in enumerate(objectives))


def _round_outward(objective: Objective, value: float) -> float:
    """Three significant digits, moved to the worse side where the rounded limit would not admit the value."""
    rounded = float(f"{value:.3g}")
    if loss(objective, value) <= loss(objective, rounded):
        return rounded
    last_digit = 10.0 ** (math.floor(math.log10(abs(rounded))) - 2)
    return float(f"{rounded + (last_digit if objective.direction == 'minimize' else -last_digit):.3g}")


def refuse(front: Front) -> NoTrialLeft:
    """The error for limits that no member of the front meets, with the way out."""
    stated = ", ".join(limit_text(one, one.limit) for one in front.objectives if one.limit is not None)
    ways = relaxations_of(front)
    if ways:
        return NoTrialLeft(f"no trial meets {stated}\nRelax one limit: {ways[0].text}.")
    misses = np.maximum(front.losses - _limit_losses(front), 0.0)
    closest = int(np.argmin((misses / front.span).sum(axis=1)))
    needed = " and ".join(
        f"{one.name} {one.limit:.4g} -> {format_value(one, _round_outward(one, float(front.values[closest, column])))}"
        for column, one in enumerate(front.objectives)
        if one.limit is not None and misses[closest, column] > 0
    )
    return NoTrialLeft(
        f"no trial meets {stated}\nNo single limit frees one; the closest is trial {front.numbers[closest]}: {needed}."
    )


def _limit_losses(front: Front) -> NDArray[np.float64]:
    limits = [[math.nan if one.limit is None else one.limit for one in front.objectives]]
    return np.asarray(np.nan_to_num(loss_matrix(front.objectives, np.array(limits))[0], nan=math.inf))

"""What the user says of a hyperparameter: another range, other choices, one value, or where good values are believed.

    [10, 300]                                      a range, or choices
    50                                             fixed
    { likely = 120, sd = 40 }                      a belief; with range = [10, 300] of another range
    { likely = 120, factor = 2 }                   the same of a hyperparameter that is searched by its logarithm
    { choices = ["none", "balanced"], weights = [1, 3] }

A belief is a beta distribution on the range's scale whose peak is at ``likely`` and whose standard deviation is ``sd``,
or as much as multiplying by ``factor`` is. It fades as results arrive.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from scipy.optimize import brentq

from moopt.errors import SpaceError, nearest
from moopt.models.families import Choice, Parameter, Peak, Range

_WIDEST = math.sqrt(1 / 12)
"""Standard deviation of a uniform distribution over the unit line."""
_FIRMEST = 1e4


def narrowed(parameters: Sequence[Parameter], own: Mapping[str, Any], owner: str) -> list[Parameter]:
    """The parameters with the user's ranges and beliefs in place of ours. Raises SpaceError for what cannot be."""
    return [
        one
        if one.name not in own
        else _own_range(one, own[one.name], f"{owner}: {one.name}")
        if isinstance(one, Range)
        else _own_choice(one, own[one.name], f"{owner}: {one.name}")
        for one in parameters
    ]


# Numbers


def _own_range(one: Range, given: Any, label: str) -> Range:
    if isinstance(given, Mapping):
        width = "factor" if one.log else "sd"
        _check_keys(given, ("range", "likely", width), label)
        return _believed(_own_range(one, given.get("range", [one.low, one.high]), label), given, width, label)
    ends = list(given) if isinstance(given, list | tuple) else [given, given]
    if len(ends) != 2 or not all(_is_number(end, one.whole) for end in ends):
        kind = "whole numbers" if one.whole else "numbers"
        raise SpaceError(f"{label} is {given!r}; give [low, high] in {kind}, or one value to fix it")
    low, high = (int(end) if one.whole else float(end) for end in ends)
    if low > high:
        raise SpaceError(f"{label} is {given!r}, upside down: low is above high; give [{high}, {low}]")
    if one.log and low <= 0:
        raise SpaceError(f"{label} is {given!r}, but it is searched by its logarithm; give a low above 0")
    if low < one.least or high > one.most:
        ends_text = f"at least {one.least:g}" + (f" and at most {one.most:g}" if one.most < math.inf else "")
        raise SpaceError(f"{label} is {given!r}; give numbers of {ends_text}")
    return replace(one, low=low, high=high, default=min(max(one.default, low), high))


def _believed(one: Range, given: Mapping[str, Any], width: str, label: str) -> Range:
    likely, spread = given.get("likely"), given.get(width)
    if likely is None or spread is None:
        missing = "likely" if likely is None else width
        example = "{ likely = 120, factor = 2 }" if one.log else "{ likely = 10, sd = 3 }"
        raise SpaceError(f"{label}: its belief has no {missing}; give for instance {example}")
    if not _is_number(likely, whole=False) or not one.low <= likely <= one.high:
        raise SpaceError(f"{label}: likely is {likely!r}; give a number from {one.low} to {one.high}")
    least = 1.0 if one.log else 0.0
    if not _is_number(spread, whole=False) or not spread > least:
        raise SpaceError(f"{label}: {width} is {spread!r}; give a number above {least:g}")
    if one.low == one.high:
        return one
    low, high, at = (math.log(end) if one.log else end for end in (one.low, one.high, likely))
    sd = (math.log(spread) if one.log else spread) / (high - low)
    return replace(one, peak=_peak((at - low) / (high - low), sd))


def _peak(mode: float, sd: float) -> Peak | None:
    """The beta distribution on the unit line with this mode and standard deviation; None where it says nothing."""
    if sd >= _WIDEST:
        return None

    def off(firmness: float) -> float:
        alpha, beta = 1 + mode * firmness, 1 + (1 - mode) * firmness
        return math.sqrt(alpha * beta / (alpha + beta + 1)) / (alpha + beta) - sd

    firmness = brentq(off, 0.0, _FIRMEST) if off(_FIRMEST) < 0 else _FIRMEST
    return Peak(1 + mode * firmness, 1 + (1 - mode) * firmness)


# Choices


def _own_choice(one: Choice, given: Any, label: str) -> Choice:
    if isinstance(given, Mapping):
        _check_keys(given, ("choices", "weights"), label)
        own = _own_choice(one, given.get("choices", list(one.values)), label)
        return replace(own, weights=_weights(given.get("weights"), own, label))
    values = tuple(given) if isinstance(given, list | tuple) else (given,)
    known = [str(value) for value in one.values]
    if not values:
        raise SpaceError(f"{label} is empty; give some of: {', '.join(known)}")
    for value in values:
        if value not in one.values:
            raise SpaceError(f"{label} has no choice {value!r}{nearest(str(value), known)}")
    values = tuple(dict.fromkeys(values))
    return replace(one, values=values, default=one.default if one.default in values else values[0])


def _weights(given: Any, one: Choice, label: str) -> tuple[float, ...]:
    valid = isinstance(given, list | tuple) and len(given) == len(one.values)
    if not valid or not all(_is_number(weight, whole=False) and weight > 0 for weight in given):
        names = ", ".join(str(value) for value in one.values)
        raise SpaceError(f"{label}: weights is {given!r}; give a number above 0 for each of {names}")
    return tuple(float(weight) for weight in given)


def _check_keys(given: Mapping[str, Any], known: Sequence[str], label: str) -> None:
    for key in given:
        if key not in known:
            raise SpaceError(f"{label}: a belief has no {key!r}{nearest(str(key), known)}")


def _is_number(value: Any, whole: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and (not whole or value == int(value))

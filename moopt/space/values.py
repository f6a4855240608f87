"""What a plain value is, and what a range may be: the checks that everything about hyperparameters shares."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from moopt.errors import SpaceError


def check_range(name: str, lower: float, upper: float, log: bool = False) -> None:
    """Raises SpaceError for a range that is upside down, empty, not finite, or touches zero on a log scale."""
    if not (math.isfinite(lower) and math.isfinite(upper)):
        raise SpaceError(f"{name}: the range {lower} to {upper} is not finite; give two finite numbers")
    if lower > upper:
        raise SpaceError(f"{name}: the range {lower} to {upper} is upside down; give (low, high)")
    if lower == upper:
        raise SpaceError(f"{name}: the range {lower} to {upper} holds one value; give the value alone")
    if log and lower <= 0:
        raise SpaceError(f"{name}: the log range {lower} to {upper} touches zero; give a low end above 0")


def plain(value: Any) -> Any:
    """A numpy scalar as the Python value that it holds; anything else unchanged."""
    return value.item() if isinstance(value, np.generic) else value


def is_plain(value: Any) -> bool:
    """Whether a value can stand in a config: text, bool, a finite number or None, and exactly of that type."""
    return type(value) in (str, bool, int, type(None)) or (type(value) is float and math.isfinite(value))


def check_plain(name: str, value: Any) -> None:
    """Raises SpaceError for a choice that cannot stand in a config."""
    if not is_plain(value):
        raise SpaceError(f"{name}: the choice {value!r} is no plain value; give text, finite numbers, bools or None")


def number(name: str, given: Any, expected: str) -> int | float:
    """A finite number, plain; raises SpaceError that says what was expected."""
    value = plain(given)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SpaceError(f"{name} is {given!r}; expected {expected}")
    return value

"""ConfigSpace hyperparameters from plain ranges and lists, with errors in moopt's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ConfigSpace import (
    CategoricalHyperparameter,
    Constant,
    OrdinalHyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)
from ConfigSpace.hyperparameters import Hyperparameter

from moopt.errors import SpaceError
from moopt.space.values import check_range, is_plain, plain

_PLACES = 13
"""ConfigSpace rounds the bounds of floats to so many decimal places."""


def hyperparameter(name: Any, given: Any) -> Hyperparameter[Any, Any]:
    """From ``(low, high)``, a list of choices, one plain value, or a hyperparameter of ConfigSpace.

    A pair with a float is a range of floats, else of whole numbers. Raises SpaceError for anything else.
    """
    if not isinstance(name, str) or not name:
        raise SpaceError(f"a hyperparameter's name is {name!r}; give a text such as 'learning_rate'")
    if isinstance(given, Hyperparameter):
        return given
    if isinstance(given, tuple):
        return _range(name, tuple(map(plain, given)))
    if isinstance(given, list):
        return choice(name, given)
    if not is_plain(plain(given)):
        raise SpaceError(f"{name} is {given!r}; give (low, high), a list of choices, or one plain value")
    return Constant(name, plain(given))


def _range(name: str, given: tuple[Any, ...]) -> Hyperparameter[Any, Any]:
    numbers = all(isinstance(end, int | float) and not isinstance(end, bool) for end in given)
    if len(given) != 2 or not numbers:
        raise SpaceError(f"{name} is {given!r}; a tuple is a range (low, high) of numbers, a list holds choices")
    lower, upper = given
    if isinstance(lower, float) or isinstance(upper, float):
        return float_range(name, lower, upper)
    return integer_range(name, lower, upper)


def float_range(
    name: str, lower: float, upper: float, *, log: bool = False, default: float | None = None
) -> UniformFloatHyperparameter:
    """A range of floats; raises SpaceError for one that cannot be, or a default outside it."""
    check_range(name, lower, upper, log)
    check_range(name, round(lower, _PLACES), round(upper, _PLACES), log)
    _check_default(name, lower, upper, default)
    return UniformFloatHyperparameter(name, lower, upper, default_value=default, log=log)


def integer_range(
    name: str, lower: int, upper: int, *, log: bool = False, default: int | None = None
) -> UniformIntegerHyperparameter:
    """A range of whole numbers, ends included; raises SpaceError for one that cannot be, or a default outside it."""
    check_range(name, lower, upper, log)
    _check_default(name, lower, upper, default)
    return UniformIntegerHyperparameter(name, lower, upper, default_value=default, log=log)


def choice(name: str, choices: Sequence[Any], *, default: Any = ...) -> CategoricalHyperparameter:
    """An unordered choice; raises SpaceError for an empty list, or a value that is not plain or given twice."""
    values = _listed(name, choices)
    return CategoricalHyperparameter(name, values, default_value=_listed_default(name, values, default))


def ordered(name: str, sequence: Sequence[Any], *, default: Any = ...) -> OrdinalHyperparameter:
    """An ordered choice; raises SpaceError as :func:`choice` does."""
    values = _listed(name, sequence)
    return OrdinalHyperparameter(name, values, default_value=_listed_default(name, values, default))


def _listed(name: str, given: Sequence[Any]) -> list[Any]:
    values = [plain(value) for value in given]
    if not values:
        raise SpaceError(f"{name} has no choices; give at least one")
    for value in values:
        if not is_plain(value):
            raise SpaceError(
                f"{name}: the choice {value!r} is no plain value; give text, finite numbers, bools or None"
            )
        if values.count(value) > 1:
            raise SpaceError(f"{name}: the choice {value!r} is given twice, or equals another one; give each once")
    return values


def _listed_default(name: str, values: list[Any], default: Any) -> Any:
    if default is ...:
        return values[0]
    if default not in values:
        raise SpaceError(f"{name}: the default {default!r} is none of its choices {', '.join(map(repr, values))}")
    return default


def _check_default(name: str, lower: float, upper: float, default: float | None) -> None:
    if default is not None and not lower <= default <= upper:
        raise SpaceError(f"{name}: the default {default} lies outside the range {lower} to {upper}")

"""Objectives, and the one place where sign, logarithm and limits turn values into losses.

A value is what was measured, in its own direction and unit. A loss is the same number turned so
that less is better, after a logarithm (base 2) where the objective declares one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from moopt.errors import ObjectiveError, nearest

Direction = Literal["minimize", "maximize"]
Floats = NDArray[np.float64]

# In the base unit of its kind: seconds, bytes, a share of one.
UNITS: Mapping[str, tuple[str, float]] = {
    "us": ("time", 1e-6),
    "ms": ("time", 1e-3),
    "s": ("time", 1.0),
    "min": ("time", 60.0),
    "B": ("size", 1.0),
    "kB": ("size", 1e3),
    "MB": ("size", 1e6),
    "GB": ("size", 1e9),
    "": ("share", 1.0),
    "%": ("share", 0.01),
}
_SUFFIXES = {"_us": "us", "_ms": "ms", "_s": "s", "_min": "min", "_b": "B", "_kb": "kB", "_mb": "MB", "_gb": "GB"}
_SHORT_NAMES = {"latency": "latency_ms", "size": "size_kb", "fit_time": "fit_time_s"}
COLUMNS = ("number", "state", "failure", "n_steps", "fit", "source", "violation")
"""Columns of every frame of trials, besides the objectives and the hyperparameters; no objective is called so."""
PARAM = "param_"
"""What stands before a hyperparameter's name in its column."""
_LOG_STEPS = 2.0**40
_LATENCY = re.compile(r"latency(?:_b(?P<batch>[1-9]\d*)|\(batch=(?P<given>[1-9]\d*)\))?(?:_ms)?")
_PERCENTILE = re.compile(r"(?:p\d+_latency|latency(?:_b\d+)?_p\d+)[\w.]*|latency\(.*percentile.*\)")


@dataclass(frozen=True)
class Objective:
    """One measured quantity that the search improves.

    The unit is read from the name's ending (``latency_ms``, ``size_kb``, ``fit_time_s``); a name
    without one has no unit. Raises ObjectiveError for a name, direction or limit that cannot be.
    """

    name: str
    """Its column everywhere."""
    direction: Direction = "minimize"
    """Which way is better."""
    log: bool = False
    """Compared by its logarithm: ten times is the same step from 1 as from 100."""
    limit: float | None = None
    """The worst value that the user accepts, in ``unit``; a text such as ``"5 ms"`` is converted."""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ObjectiveError(f"an objective's name is {self.name!r}; give a text such as 'accuracy'")
        if self.name in COLUMNS or self.name.startswith(PARAM):
            raise ObjectiveError(
                f"an objective is called {self.name!r}, as a column of every table of trials; give it another name"
            )
        if self.direction not in ("minimize", "maximize"):
            raise ObjectiveError(
                f"objective {self.name}: direction is {self.direction!r}; expected 'minimize' or 'maximize'"
            )
        if self.limit is not None:
            object.__setattr__(self, "limit", parse_limit(self, self.limit))

    @cached_property
    def unit(self) -> str:
        """Its unit as printed: ``ms``, ``kB``, ``s`` or nothing."""
        return next((unit for end, unit in _SUFFIXES.items() if self.name.endswith(end)), "")

    @property
    def is_exact(self) -> bool:
        """Whether one step tells it: a size does not depend on which rows are held out, but for a little."""
        return UNITS[self.unit][0] == "size"

    @property
    def better(self) -> str:
        """``lower`` or ``higher``, for messages."""
        return "lower" if self.direction == "minimize" else "higher"

    def as_json(self) -> dict[str, str | bool | float | None]:
        """Plain data that ``Objective(**...)`` takes back."""
        return {"name": self.name, "direction": self.direction, "log": self.log, "limit": self.limit}


def parse_limit(objective: Objective, given: float | str) -> float:
    """A limit in the objective's unit, from a number in that unit or a text such as ``"5 ms"``.

    Raises ObjectiveError for a text that is no number with a unit, a unit of another kind, a number
    that is not finite, or one that is not positive where the objective is logarithmic.
    """
    limit = _convert(objective, given) if isinstance(given, str) else float(given)
    if not math.isfinite(limit):
        raise ObjectiveError(f"the limit of {objective.name} is {given!r}; give a finite number")
    if objective.log and limit <= 0:
        raise ObjectiveError(
            f"the limit of {objective.name} is {given!r}, but it is compared by its logarithm; give a limit above 0"
        )
    return limit


def _convert(objective: Objective, text: str) -> float:
    match = re.fullmatch(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-zµ%]*)\s*", text)
    if match is None:
        raise ObjectiveError(
            f"the limit of {objective.name} is {text!r}; give a number with a unit, such as '5 {objective.unit}'"
        )
    number, unit = float(match[1]), match[2].replace("µ", "u")
    if not unit:
        return number
    if unit not in UNITS:
        raise ObjectiveError(
            f"the limit of {objective.name} is {text!r}: unknown unit{nearest(unit, filter(None, UNITS))}"
        )
    kind, factor = UNITS[unit]
    own_kind, own_factor = UNITS[objective.unit]
    if kind != own_kind:
        expected = f"a limit in {objective.unit}" if objective.unit else "a plain number or a percentage"
        raise ObjectiveError(f"the limit of {objective.name} is {text!r}, a {kind}; give {expected}")
    return number * factor / own_factor


def latency(batch: int = 1, limit: float | str | None = None, *, percentile: float | None = None) -> Objective:
    """The latency of ``batch`` rows a call, in milliseconds: ``latency_ms`` of one row, ``latency_b256_ms`` of 256.

    Several may be objectives of one study. Raises ObjectiveError for a batch below 1, and for a percentile, which a
    search cannot measure.
    """
    if percentile is not None:
        refuse_percentile(f"latency_p{percentile:g}")
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        raise ObjectiveError(f"the batch of a latency is {batch!r}; give the rows of a call, a whole number from 1")
    plain = as_objective(f"latency_b{batch}")
    return plain if limit is None else replace(plain, limit=parse_limit(plain, limit))


def refuse_percentile(name: str) -> None:
    """Raise ObjectiveError for a name that asks for a percentile of the latency, and say where there is one."""
    if _PERCENTILE.fullmatch(name):
        raise ObjectiveError(
            f"{name} is a percentile, which a search cannot measure: beside training workers it is off by a factor "
            "of ten and more\nSearch with 'latency', the service time; confirm measures p90, p95 and p99 of the "
            "front on a quiet machine."
        )


def as_objective(given: str | Objective) -> Objective:
    """An objective from its name: those that moopt measures, else a scikit-learn scorer.

    ``latency`` (``latency_b256`` for 256 rows a call), ``size`` and ``fit_time`` are minimised and
    compared by their logarithm; ``accuracy``, ``recall`` and every other scorer are maximised.
    Raises ObjectiveError for another name, and for a percentile of the latency.
    """
    if isinstance(given, Objective):
        return given
    if not isinstance(given, str):
        raise ObjectiveError(f"an objective is {given!r}; give a name or a moopt.Objective")
    name = canonical_name(given)
    if latency_batch(name) is not None or name in ("size_kb", "fit_time_s"):
        return Objective(name, "minimize", log=True)
    from sklearn.metrics import get_scorer_names

    if name in get_scorer_names():
        return Objective(name, "maximize")
    refuse_percentile(given)
    known = [*_SHORT_NAMES, *get_scorer_names()]
    raise ObjectiveError(
        f"unknown objective {given!r}{nearest(given, known)}\nFor your own give moopt.Objective(name, direction)."
    )


def as_objectives(given: Iterable[str | Objective]) -> tuple[Objective, ...]:
    """Objectives from names and Objectives; raises ObjectiveError for none, or for one named twice."""
    if isinstance(given, str | Objective):
        raise ObjectiveError(f"objectives is {given!r}; give a list, such as ['accuracy', 'latency']")
    objectives = tuple(as_objective(one) for one in given)
    if not objectives:
        raise ObjectiveError("no objective was given; give at least one, such as 'accuracy'")
    names = [objective.name for objective in objectives]
    for name in names:
        if names.count(name) > 1:
            raise ObjectiveError(f"objective {name} is named twice; name each once")
    return objectives


def canonical_name(name: str) -> str:
    """The column of a name: ``latency`` is ``latency_ms``; ``latency_b256`` and ``latency(batch=256)`` are
    ``latency_b256_ms``.
    """
    batch = latency_batch(name)
    if batch is not None:
        return "latency_ms" if batch == 1 else f"latency_b{batch}_ms"
    return _SHORT_NAMES.get(name, name)


def latency_batch(name: str) -> int | None:
    """Rows a call of a latency objective, or None for any other name."""
    match = _LATENCY.fullmatch(name.replace(" ", ""))
    return int(match["batch"] or match["given"] or 1) if match else None


def with_limits(objectives: Sequence[Objective], limits: Mapping[str, float | str]) -> tuple[Objective, ...]:
    """The objectives with other limits; raises ObjectiveError for a name that is not among them."""
    names = [objective.name for objective in objectives]
    given = {canonical_name(name): limit for name, limit in limits.items()}
    for name in given:
        if name not in names:
            raise ObjectiveError(f"a limit is given for {name!r}, which is no objective here{nearest(name, names)}")
    return tuple(
        replace(objective, limit=parse_limit(objective, given[objective.name]))
        if objective.name in given
        else objective
        for objective in objectives
    )


def losses(objectives: Sequence[Objective], values: Mapping[str, float]) -> Floats:
    """Losses (m,), in the order of the objectives; NaN where a value is missing or has no loss."""
    return np.array([loss(objective, values.get(objective.name, math.nan)) for objective in objectives])


def loss(objective: Objective, value: float) -> float:
    """The loss of one value; NaN for NaN, and for a value that has no logarithm where one is declared."""
    if objective.log:
        value = float(_logarithm(np.array([value]))[0])
    return -value if objective.direction == "maximize" else value


def value_of(objective: Objective, loss: float) -> float:
    """The value of a loss, in the objective's own direction and unit."""
    value = -loss if objective.direction == "maximize" else loss
    return float(np.exp2(value)) if objective.log else value


def loss_matrix(objectives: Sequence[Objective], values: Floats) -> Floats:
    """Losses (n, m) of values (n, m) whose columns follow the objectives; NaN as in :func:`loss`."""
    out = np.array(values, dtype=np.float64).reshape(-1, len(objectives))
    for column, objective in enumerate(objectives):
        if objective.log:
            out[:, column] = _logarithm(out[:, column])
        if objective.direction == "maximize":
            out[:, column] = -out[:, column]
    return out


def values_of(objective: Objective, given: Floats) -> Floats:
    """Values of losses, of any shape: the way back from :func:`loss`."""
    turned = -given if objective.direction == "maximize" else given
    return np.asarray(np.exp2(turned) if objective.log else turned)


def _logarithm(values: Floats) -> Floats:
    """Base 2, in steps of 2^-40; NaN for a value that is not above 0.

    The exponent is taken apart, so that values in twice the unit are shifted by exactly 1 and a search stays the same
    to the last bit.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        mantissa, exponent = np.frexp(np.where(values > 0, values, np.nan))
        return np.asarray(exponent + np.round(np.log2(mantissa) * _LOG_STEPS) / _LOG_STEPS)


def violation(objectives: Sequence[Objective], values: Mapping[str, float]) -> float:
    """By how much values miss the limits: the sum of the misses in losses, 0 where all are met.

    NaN where an objective with a limit has no value.
    """
    return math.fsum(
        _miss(loss(objective, values.get(objective.name, math.nan)), loss(objective, objective.limit))
        for objective in objectives
        if objective.limit is not None
    )


def _miss(got: float, limit: float) -> float:
    return math.nan if math.isnan(got) else max(0.0, got - limit)


def violations(objectives: Sequence[Objective], values: Floats) -> Floats:
    """:func:`violation` of values (n, m), shape (n,)."""
    turned = loss_matrix(objectives, values)
    total = np.zeros(len(turned))
    for column, objective in enumerate(objectives):
        if objective.limit is not None:
            total += np.maximum(turned[:, column] - loss(objective, objective.limit), 0.0)
    return total


def is_share(values: Floats) -> bool:
    """Whether values (n,) look like shares of one: none can be beyond 0 or 1, and differences are told in points."""
    return bool(((values >= 0) & (values <= 1)).all())


def format_value(objective: Objective, value: float) -> str:
    """A value with four significant digits and its unit, for people."""
    if not math.isfinite(value):
        return "–"
    return f"{value:.4g} {objective.unit}".rstrip()

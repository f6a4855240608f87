"""scikit-learn's parameter distributions -> a space, and its configs back to the objects that they stand for."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
from ConfigSpace import ConfigurationSpace, Constant, EqualsCondition
from ConfigSpace.hyperparameters import Hyperparameter

from moopt.errors import SpaceError, nearest
from moopt.space import Space
from moopt.space.hyperparameters import choice, float_range, integer_range, ordered
from moopt.space.values import is_plain, plain
from moopt.trial import Config, Scalar

_DRAWS = 200
_TAIL = 0.001
_LOG_SPAN = 100.0
_LEAST = 1e-12
_LONGEST_LABEL = 60
_BRANCH = "branch"


@dataclass(frozen=True)
class Distributions:
    """A space with what its configs mean to scikit-learn."""

    space: Space
    names: Mapping[str, str]
    """Hyperparameter -> the parameter that it sets; the choice between several dicts sets none."""
    objects: Mapping[str, Mapping[Scalar, Any]]
    """Hyperparameter -> value in a config -> the user's object, where the two differ."""
    also: tuple[str, ...] = ()
    """Hyperparameters that are no parameters of the estimator, and columns all the same."""

    def params(self, config: Config) -> dict[str, Any]:
        """Parameter -> object, for ``set_params``."""
        return {
            self.names[name]: self.objects.get(name, {}).get(value, value)
            for name, value in config.items()
            if name in self.names
        }

    def plain(self, config: Config) -> dict[str, Scalar]:
        """Parameter -> plain value, for the columns ``param_<name>``; those of ``also`` too."""
        own = {self.names[name]: value for name, value in config.items() if name in self.names}
        return own | {name: config[name] for name in self.also}

    def config(self, params: Mapping[str, Any]) -> Config | None:
        """The config that sets exactly these parameters, of the first dict that holds them all; None where none does.

        ``params`` may name more parameters than the space has, as an estimator's ``get_params`` does.
        """
        known = {
            name: self._value(name, params[parameter]) for name, parameter in self.names.items() if parameter in params
        }
        for branch in self._branches():
            given = {**branch, **known}
            try:
                config = self.space.check(given)
            except SpaceError:
                continue
            if config.keys() <= given.keys():
                return config
        return None

    def start(self, params: Mapping[str, Any], usual: Mapping[str, Any]) -> Config:
        """The config that sets these parameters, of the first dict that holds them all.

        Others are set to what is ``usual``, such as an estimator's own parameters, or the space's default where that
        does not lie in the space. Raises SpaceError.
        """
        if not isinstance(params, Mapping):
            raise SpaceError(
                f"a config to start from is {params!r}; give a dict of parameters, as set_params takes them"
            )
        for parameter in params:
            if parameter not in self.names.values():
                hint = nearest(str(parameter), self.names.values())
                raise SpaceError(f"param_distributions has no parameter {parameter!r}{hint}")
        known = {name: self._value(name, params[one]) for name, one in self.names.items() if one in params}
        wrong: SpaceError | None = None
        for branch in self._branches():
            try:
                config = self.space.check({**self._possible(usual), **branch, **known})
            except SpaceError as error:
                wrong = wrong or error
                continue
            if params.keys() <= self.plain(config).keys():
                return config
        raise wrong or SpaceError(f"no dict of param_distributions holds all of: {', '.join(params)}")

    def _possible(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the parameters that lie in the space, by hyperparameter."""
        out = {}
        for domain in self.space.domains:
            parameter = self.names.get(domain.name)
            if parameter is not None and parameter in params:
                with suppress(SpaceError):
                    out[domain.name] = domain.check(self._value(domain.name, params[parameter]))
        return out

    def _branches(self) -> list[dict[str, Scalar]]:
        """What may be chosen that sets no parameter: one of several dicts, and what there is besides."""
        free = [domain for domain in self.space.domains if domain.name not in self.names]
        choices = product(*(domain.values(None) for domain in free))
        return [dict(zip((domain.name for domain in free), values, strict=True)) for values in choices]

    def _value(self, name: str, thing: Any) -> Any:
        """The value in a config that stands for an object; the object itself where none does."""
        table = self.objects.get(name, {})
        return next((value for value, known in table.items() if _same(known, thing)), thing)


def _same(one: Any, other: Any) -> bool:
    if one is other or type(one) is not type(other):
        return one is other
    if hasattr(one, "get_params"):  # estimators do not say that they are equal, but show what was set
        return repr(one) == repr(other)
    try:
        return bool(one == other)
    except ValueError:  # arrays do not say whether they are equal as a whole
        return False


def from_distributions(
    given: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    seed: int = 0,
    also: Mapping[str, Sequence[Scalar]] | None = None,
) -> Distributions:
    """A space from a dict, or a list of dicts, of scipy distributions and lists.

    Uniform, log-uniform and randint keep their ranges. Any other distribution with ``ppf`` becomes the
    range of its central 99.8 %, on a log scale where it spans more than a factor 100 above zero; one that
    only has ``rvs`` becomes the distinct values of 200 draws from ``seed``. Sorted numbers are ordered,
    other lists are not. Several dicts become branches of a conditional space. ``also`` are choices that set no
    parameter. Raises SpaceError.
    """
    branches = _branches(given)
    if not any(branches):
        raise SpaceError("param_distributions holds no parameter; give at least one, such as {'C': [0.1, 1, 10]}")
    owners = [name for branch in branches for name in branch]
    for name in also or {}:
        if name in owners:
            raise SpaceError(f"param_distributions has a parameter {name!r}, which the search itself has too")
    branch_name = _BRANCH if _BRANCH not in owners else f"{_BRANCH}@"
    space = ConfigurationSpace()
    conditions = []
    names: dict[str, str] = {}
    objects: dict[str, Mapping[Scalar, Any]] = {}
    if len(branches) > 1:
        space.add(choice(branch_name, range(1, len(branches) + 1)))
    for number, branch in enumerate(branches, start=1):
        for parameter, values in branch.items():
            name = parameter if owners.count(parameter) == 1 else f"{parameter}@{number}"
            hyperparameter, table = _hyperparameter(name, parameter, values, seed)
            space.add(hyperparameter)
            names[name] = parameter
            objects[name] = table
            if len(branches) > 1:
                conditions.append(EqualsCondition(hyperparameter, space[branch_name], number))
    space.add(conditions)
    space.add([_listed(name, values)[0] for name, values in (also or {}).items()])
    return Distributions(
        Space(space), names, {name: table for name, table in objects.items() if table}, tuple(also or ())
    )


def _branches(given: Any) -> list[Mapping[str, Any]]:
    branches = [given] if isinstance(given, Mapping) else given
    if not isinstance(branches, list | tuple):
        raise SpaceError(
            f"param_distributions is {given!r}; give a dict of distributions and lists, or a list of such dicts"
        )
    for branch in branches:
        if not isinstance(branch, Mapping):
            raise SpaceError(f"param_distributions holds {branch!r}; each entry of its list is a dict")
        for name in branch:
            if not isinstance(name, str):
                raise SpaceError(f"param_distributions names a parameter {name!r}; names are texts")
    return list(branches)


def _hyperparameter(
    name: str, parameter: str, given: Any, seed: int
) -> tuple[Hyperparameter[Any, Any], Mapping[Scalar, Any]]:
    if hasattr(given, "rvs"):
        found = _range(name, given) if hasattr(given, "ppf") else None
        return (found, {}) if found is not None else _listed(name, _drawn(parameter, given, seed))
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise SpaceError(f"{parameter} is {given!r}; give a list of values or a scipy distribution")
    values = sorted(given, key=repr) if isinstance(given, set | frozenset) else list(given)
    if not values:
        raise SpaceError(f"{parameter} is an empty list; give at least one value")
    return _listed(name, values)


def _range(name: str, given: Any) -> Hyperparameter[Any, Any] | None:
    """The range of a distribution, or None where it has no finite one."""
    from scipy.stats import rv_discrete

    family = getattr(given, "dist", given)
    kind = getattr(family, "name", "")
    exact = kind in ("uniform", "loguniform", "reciprocal", "randint")
    least, most = (float(end) for end in given.support())
    low, high = (least, most) if exact else (float(given.ppf(_TAIL)), float(given.ppf(1 - _TAIL)))
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    log = kind in ("loguniform", "reciprocal") or (not exact and least >= 0 and low > 0 and high / low > _LOG_SPAN)
    if isinstance(family, rv_discrete):
        first, last = round(low), round(high)
        return Constant(name, first) if first == last else integer_range(name, first, last, log=log)
    if log and not exact:
        low = max(low, min(_LEAST, high / _LOG_SPAN))
    return float_range(name, low, high, log=log)


def _drawn(parameter: str, given: Any, seed: int) -> list[Any]:
    rng = np.random.RandomState(seed)
    try:
        values = [given.rvs(random_state=rng) for _ in range(_DRAWS)]
    except ValueError as error:
        raise SpaceError(f"{parameter}: its distribution cannot be drawn from: {error}") from None
    return sorted(values) if all(_is_number(plain(value)) for value in values) else values


def _listed(name: str, given: Sequence[Any]) -> tuple[Hyperparameter[Any, Any], Mapping[Scalar, Any]]:
    objects = _distinct(given)
    values = _plain_values(objects)
    table = {
        value: thing
        for value, thing in zip(values, objects, strict=True)
        if type(value) is not type(thing) or value != thing
    }
    if len(values) == 1:
        return Constant(name, values[0]), table
    return (ordered if _is_sorted(values) else choice)(name, values), table


def _distinct(given: Sequence[Any]) -> list[Any]:
    out: dict[Any, Any] = {}
    for value in given:
        out.setdefault((type(value), value) if isinstance(value, Hashable) else id(value), value)
    return list(out.values())


def _plain_values(objects: Sequence[Any]) -> list[Scalar]:
    """A plain value for each object, no two equal: itself where it is one, else a readable label."""
    out: list[Scalar] = []
    taken = [plain(thing) for thing in objects if is_plain(plain(thing))]
    for thing in objects:
        value = plain(thing)
        if not is_plain(value) or value in out:
            value = _unique(_label(thing), [*out, *taken])
        out.append(value)
    return out


def _label(thing: Any) -> str:
    named = isinstance(getattr(thing, "__name__", None), str)
    # Without addresses of memory: another run must find the same labels.
    text = thing.__name__ if named else re.sub(r" at 0x[0-9a-fA-F]+", "", " ".join(repr(thing).split()))
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"


def _unique(label: str, taken: Sequence[Any]) -> str:
    out, number = label, 1
    while out in taken:
        number += 1
        out = f"{label} ({number})"
    return out


def _is_sorted(values: Sequence[Any]) -> bool:
    pairs = list(pairwise(values))
    return all(map(_is_number, values)) and (all(a < b for a, b in pairs) or all(a > b for a, b in pairs))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

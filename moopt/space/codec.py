"""A space as searchers see it: configs <-> points of the unit cube, keys, activity.

A codec of our own over a ``ConfigSpace.ConfigurationSpace``, which is read once: ConfigSpace's own
encoding of one config costs as much as a whole step of the search.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from ConfigSpace import ConfigurationSpace
from numpy.typing import NDArray

from moopt.errors import SpaceError, nearest
from moopt.space.clauses import INACTIVE, condition_names, condition_test, forbidden_names, forbidden_test
from moopt.space.counting import Lists, Plan
from moopt.space.domains import Domain, as_domain
from moopt.space.hyperparameters import hyperparameter
from moopt.trial import Config, Scalar

Floats: TypeAlias = NDArray[np.float64]
Key: TypeAlias = tuple[Any, ...]

LONGEST_GRID = 1_000_000
FIRMEST = 100.0
"""No belief counts for or against a config by more."""
_DRAWS = 10_000


class Space:
    """The codec of one configuration space. Raises SpaceError for an empty space or an unknown kind of part."""

    configspace: ConfigurationSpace
    """What was given; not to be changed afterwards."""
    names: tuple[str, ...]
    """Order of the unit vector: parents before children."""
    d: int
    """How many hyperparameters, constants included."""
    n_values: Floats
    """Shape (d,): distinct values of each, inf for a continuous one."""
    categorical: NDArray[np.bool_]
    """Shape (d,): unordered choices, never to be treated as numbers."""
    parents: tuple[tuple[int, ...], ...]
    """For each hyperparameter the positions of those that decide whether it is active."""
    domains: tuple[Domain, ...]
    """For each hyperparameter its values."""
    believed: tuple[int, ...]
    """The positions of those whose prior is another than the uniform one."""

    def __init__(self, space: ConfigurationSpace) -> None:
        if len(space) == 0:
            raise SpaceError("the space is empty; give at least one hyperparameter")
        self.configspace = space
        conditions = {condition.child.name: condition for condition in space.conditions}
        parents = {name: condition_names(condition) for name, condition in conditions.items()}
        self.names = _parents_first(list(space), parents)
        self.d = len(self.names)
        self.domains = tuple(as_domain(space[name]) for name in self.names)
        self.n_values = np.array([domain.n_values for domain in self.domains], dtype=np.float64)
        self.categorical = np.array([domain.categorical for domain in self.domains], dtype=np.bool_)
        self.believed = tuple(place for place, domain in enumerate(self.domains) if domain.believed)
        places = {name: place for place, name in enumerate(self.names)}
        self.parents = tuple(tuple(sorted(places[one] for one in parents.get(name, ()))) for name in self.names)
        slots = {name: (places[name], domain) for name, domain in zip(self.names, self.domains, strict=True)}
        self._tests = tuple(
            condition_test(conditions[name], slots) if name in conditions else None for name in self.names
        )
        self._forbidden = tuple(forbidden_test(clause, slots) for clause in space.forbidden_clauses)
        self._forbidden_places = [{places[name] for name in forbidden_names(one)} for one in space.forbidden_clauses]
        # Bound methods side by side: the loops over them are what ask and tell spend their time in.
        pairs = list(zip(self.domains, self._tests, strict=True))
        self._encoders = tuple((domain.name, domain.to_unit, test) for domain, test in pairs)
        self._decoders = tuple((domain.name, domain.to_value, domain.default, test) for domain, test in pairs)
        self._drawers = tuple((domain.name, domain.draw, domain.default, test) for domain, test in pairs)
        self._even_drawers = tuple((domain.name, domain.uniform, domain.default, test) for domain, test in pairs)

    def __reduce__(self) -> tuple[type[Space], tuple[ConfigurationSpace]]:
        return Space, (self.configspace,)

    def __repr__(self) -> str:
        return f"Space({', '.join(self.names)})"

    @cached_property
    def size(self) -> float:
        """Distinct valid configs, conditions and forbidden clauses respected; inf where a float can be active.

        Exact unless more than 200,000 values of parents and of forbidden clauses would have to be tried;
        then an upper bound.
        """
        return self._plan.count(self._lists, visits=200_000)

    def default(self) -> Config:
        """The space's default configuration, active values only."""
        return self.decode(np.full(self.d, np.nan))

    def sample(self, rng: np.random.Generator) -> Config:
        """A valid config drawn from the priors; raises SpaceError where 10,000 draws are all forbidden."""
        for _ in range(_DRAWS):
            config = self.quantile(rng.random(self.d))
            if self.allowed(config):
                return config
        raise SpaceError(f"{_DRAWS:,} draws from the space were all forbidden; loosen its forbidden clauses")

    def quantile(self, shares: Floats) -> Config:
        """The config at these shares (d,) of the priors, in [0, 1): uniform shares give draws from the priors.

        Forbidden clauses are not looked at.
        """
        return self._build(self._drawers, shares)

    def even(self, shares: Floats) -> Config:
        """The config at these shares (d,) of the ranges, whatever the priors say; without any the same as quantile."""
        return self._build(self._even_drawers, shares)

    def fresh(self, place: int, share: float, trust: float) -> Scalar:
        """A fresh value of one hyperparameter at a uniform share: from its prior with a chance of ``trust``."""
        domain = self.domains[place]
        if not domain.believed:
            return domain.draw(share)
        return domain.draw(share / trust) if share < trust else domain.uniform((share - trust) / (1.0 - trust))

    def density(self, points: Floats) -> Floats:
        """How likely the priors say that points (n, d) are, (n,), 1 where they say nothing; at most :data:`FIRMEST`.

        Hyperparameters that are inactive (NaN) say nothing.
        """
        out = np.ones(len(points))
        for place in self.believed:
            units = points[:, place]
            active = ~np.isnan(units)
            out[active] *= self.domains[place].density(units[active])
        return np.clip(out, 1.0 / FIRMEST, FIRMEST)

    def encode(self, config: Config) -> Floats:
        """Place (d,) of a canonical config in the unit cube; NaN where inactive, categories as (index + .5)/n."""
        values: list[Any] = []
        units: list[float] = []
        for name, to_unit, test in self._encoders:
            if test is None or test(values):
                value = config[name]
                values.append(value)
                units.append(to_unit(value))
            else:
                values.append(INACTIVE)
                units.append(math.nan)
        return np.array(units)

    def decode(self, unit: Floats) -> Config:
        """The config at a point (d,) of the unit cube: clipped, snapped, only the active values.

        NaN in an active place gives its default. Forbidden clauses are not looked at: see :meth:`allowed`.
        """
        return self._build(self._decoders, unit)

    def _build(self, makers: Any, unit: Floats) -> Config:
        values: list[Any] = []
        config: dict[str, Scalar] = {}
        for share, (name, make, default, test) in zip(unit.tolist(), makers, strict=True):
            if test is None or test(values):
                # NaN is the one number that differs from itself.
                value = default if share != share else make(share)
                values.append(value)
                config[name] = value
            else:
                values.append(INACTIVE)
        return config

    def snap(self, unit: Floats) -> Floats:
        """The point (d,) of the config that a point stands for; idempotent, NaN where inactive."""
        return self.encode(self.decode(unit))

    def key(self, config: Config) -> Key:
        """Canonical and hashable: equal if and only if all active values are equal."""
        values: list[Any] = []
        for name, _, test in self._encoders:
            values.append(config[name] if test is None or test(values) else INACTIVE)
        return tuple(values)

    def from_key(self, key: Key) -> Config:
        """The config of a key."""
        return {name: value for name, value in zip(self.names, key, strict=True) if value is not INACTIVE}

    def active(self, config: Config) -> NDArray[np.bool_]:
        """Shape (d,): which hyperparameters the config's values make active."""
        return np.array([value is not INACTIVE for value in self.key(config)], dtype=np.bool_)

    def allowed(self, config: Config) -> bool:
        """Whether no forbidden clause applies."""
        if not self._forbidden:
            return True
        values = self.key(config)
        return not any(test(values) for test in self._forbidden)

    def check(self, config: Mapping[str, Any]) -> Config:
        """A user's config as a canonical one: inactive values dropped, missing active ones filled by the default.

        Raises SpaceError for an unknown name, a value of the wrong type or out of range, a forbidden config.
        """
        if not isinstance(config, Mapping):
            raise SpaceError(f"a config is {config!r}; give a dict of hyperparameters, such as {dict(self.default())}")
        for name in config:
            if name not in self.names:
                raise SpaceError(f"unknown hyperparameter {name!r}{nearest(str(name), self.names)}")
        values: list[Any] = []
        for domain, test in zip(self.domains, self._tests, strict=True):
            if test is None or test(values):
                values.append(domain.check(config[domain.name]) if domain.name in config else domain.default)
            else:
                values.append(INACTIVE)
        for clause, test in zip(self.configspace.forbidden_clauses, self._forbidden, strict=True):
            if test(values):
                raise SpaceError(f"the config {self.from_key(tuple(values))} is not allowed: {clause}")
        return self.from_key(tuple(values))

    def grid(self, resolution: int) -> Iterator[Config]:
        """Every valid config in lexicographic order; longer numeric ranges are cut to ``resolution`` values.

        Raises SpaceError for a resolution below 1, and for a grid of more than a million points.
        """
        if resolution < 1:
            raise SpaceError(f"the grid's resolution is {resolution}; give 1 or more values for each range")
        lists = [domain.values(resolution) for domain in self.domains]
        count = self._plan.count(lists, visits=2 * LONGEST_GRID)
        if count > LONGEST_GRID:
            raise SpaceError(
                f"the grid has {count:,} points, more than {LONGEST_GRID:,}; "
                f"lower its resolution of {resolution}, narrow ranges or fix values"
            )
        return map(self.from_key, self._plan.walk(lists))

    def keys(self) -> Iterator[Key]:
        """The keys of every valid config of a finite space, in lexicographic order."""
        return self._plan.walk(self._lists)

    @cached_property
    def _plan(self) -> Plan:
        return Plan(self.parents, self._tests, self._forbidden, self._forbidden_places)

    @property
    def _lists(self) -> Lists:
        return [None if math.isinf(domain.n_values) else domain.values(None) for domain in self.domains]

    def as_json(self) -> dict[str, Any]:
        """Plain data from which :meth:`from_json` makes an equal space."""
        try:
            data = self.configspace.to_serialized_dict() | {"meta": self.configspace.meta}
            del data["python_module_version"]
            out: dict[str, Any] = json.loads(json.dumps(data, default=_jsonable, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise SpaceError(
                f"the space cannot be stored as JSON: {error}; keep plain values in it and in meta"
            ) from None
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Space:
        """The space of :meth:`as_json`."""
        space = ConfigurationSpace.from_serialized_dict(deepcopy(dict(data)))
        space.meta = data.get("meta")
        return cls(space)

    def differences(self, other: Space) -> list[str]:
        """What is not the same in a stored space, in words: ``C: range 0.01 to 10, stored 0.1 to 10``."""
        mine = {domain.name: domain for domain in self.domains}
        theirs = {domain.name: domain for domain in other.domains}
        out = [f"{name}: not in the stored space" for name in self.names if name not in theirs]
        out += [f"{name}: only in the stored space" for name in other.names if name not in mine]
        for name in filter(theirs.__contains__, self.names):
            facts, stored = mine[name].facts(), theirs[name].facts()
            if facts["type"] != stored["type"]:
                out.append(f"{name}: {facts['type']}, stored {stored['type']}")
            else:
                out += [
                    f"{name}: {what} {facts[what]}, stored {stored[what]}"
                    for what in facts
                    if facts[what] != stored[what]
                ]
        ours, kept = self._clauses(), other._clauses()
        out += [f"{words}: not in the stored space" for clause, words in ours.items() if clause not in kept]
        out += [f"{words}: only in the stored space" for clause, words in kept.items() if clause not in ours]
        return out

    def _clauses(self) -> dict[str, str]:
        """Each condition and forbidden clause as JSON, which is the same after storing, and in words."""
        data, space = self.as_json(), self.configspace
        conditions = {
            json.dumps(one): f"condition {words}"
            for one, words in zip(data["conditions"], space.conditions, strict=True)
        }
        forbidden = zip(data["forbiddens"], space.forbidden_clauses, strict=True)
        return conditions | {json.dumps(one): str(words) for one, words in forbidden}


def as_space(given: Space | ConfigurationSpace | Mapping[str, Any]) -> Space:
    """A Space from a ConfigurationSpace or a dict ``{name: (low, high) | [choices] | scalar | hyperparameter}``.

    A pair with a float is a range of floats, else of whole numbers. Raises SpaceError for anything else.
    """
    if isinstance(given, Space):
        return given
    if isinstance(given, ConfigurationSpace):
        return Space(given)
    if not isinstance(given, Mapping):
        raise SpaceError(f"a space is {given!r}; give a ConfigSpace.ConfigurationSpace or a dict of ranges and choices")
    space = ConfigurationSpace()
    space.add([hyperparameter(name, value) for name, value in given.items()])
    return Space(space)


def _parents_first(names: Sequence[str], parents: Mapping[str, set[str]]) -> tuple[str, ...]:
    order: dict[str, None] = {}

    def place(name: str) -> None:
        for parent in sorted(parents.get(name, ())):
            place(parent)
        order.setdefault(name)

    for name in names:
        place(name)
    return tuple(order)


def _jsonable(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    raise TypeError(f"{value!r} is no plain value")

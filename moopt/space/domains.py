"""One hyperparameter: its values, their place on the unit line, its prior.

A domain reads a ConfigSpace hyperparameter once. Floats live on a decimal lattice (12 significant
digits on a log scale, steps of about 1e-12 of the range on a linear one) together with their bounds, so
that a value survives the way to the unit line and back bit for bit.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import accumulate
from typing import Any, Protocol

import numpy as np
from ConfigSpace import (
    BetaFloatHyperparameter,
    BetaIntegerHyperparameter,
    CategoricalHyperparameter,
    Constant,
    NormalFloatHyperparameter,
    NormalIntegerHyperparameter,
    OrdinalHyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)
from ConfigSpace.hyperparameters import Hyperparameter

from moopt.errors import SpaceError
from moopt.objectives import Floats
from moopt.space.priors import Prior, prior_of
from moopt.space.values import check_plain, check_range, is_plain, number, plain
from moopt.trial import Scalar

_LONGEST = 2**40
_FLOATS = (UniformFloatHyperparameter, NormalFloatHyperparameter, BetaFloatHyperparameter)
_INTEGERS = (UniformIntegerHyperparameter, NormalIntegerHyperparameter, BetaIntegerHyperparameter)
_CHOICES = (CategoricalHyperparameter, OrdinalHyperparameter, Constant)


class Domain(Protocol):
    """What a space knows of one hyperparameter."""

    @property
    def name(self) -> str:
        """As the user named it."""
        ...

    @property
    def default(self) -> Scalar:
        """Its value where none is given."""
        ...

    @property
    def n_values(self) -> float:
        """Distinct values; inf for a float."""
        ...

    @property
    def categorical(self) -> bool:
        """Its values have no order."""
        ...

    def to_unit(self, value: Any) -> float:
        """Place of a canonical value on the unit line."""
        ...

    def to_value(self, unit: float) -> Scalar:
        """The canonical value nearest to a place on the line; places outside are clipped."""
        ...

    def draw(self, share: float) -> Scalar:
        """The value below which this share of the prior lies."""
        ...

    @property
    def believed(self) -> bool:
        """Whether its prior is another than the uniform one."""
        ...

    def uniform(self, share: float) -> Scalar:
        """The value below which this share lies where all are equally likely that the prior allows at all."""
        ...

    def density(self, units: Floats) -> Floats:
        """How likely the prior says that places (n,) on the unit line are, 1 on the average of the line."""
        ...

    def check(self, given: Any) -> Scalar:
        """A user's value as a canonical one; raises SpaceError."""
        ...

    def values(self, resolution: int | None) -> Sequence[Scalar]:
        """Its values in order; with a resolution, numeric ranges are cut to at most so many."""
        ...

    def rank(self, value: Any) -> Any:
        """What conditions such as "less than" compare."""
        ...

    def facts(self) -> Mapping[str, str]:
        """What it is in words, for people and for comparison."""
        ...


@dataclass(frozen=True)
class FloatDomain:
    """A range of floats, linear or logarithmic."""

    name: str
    lower: float
    upper: float
    log: bool
    default: float
    prior: Prior | None = None
    prior_words: str = "uniform"
    low: float = field(init=False)
    span: float = field(init=False)
    digits: int = field(init=False)
    lower_edge: float = field(init=False)
    upper_edge: float = field(init=False)

    def __post_init__(self) -> None:
        check_range(self.name, self.lower, self.upper, self.log)
        if self.log:
            low, high, digits = math.log(self.lower), math.log(self.upper), 0
            edges = self.lower * (1 + 6e-12), self.upper * (1 - 6e-12)
        else:
            low, high = self.lower, self.upper
            finest = max(1e-12 * (high - low), 1e-14 * max(abs(low), abs(high)))
            digits = -math.ceil(math.log10(finest))
            edges = low + 0.6 * 10.0**-digits, high - 0.6 * 10.0**-digits
        if not edges[0] < edges[1]:
            raise SpaceError(
                f"{self.name}: the range {self.lower} to {self.upper} is too narrow for floats; shift or rescale it"
            )
        self._set(low=low, span=high - low, digits=digits, lower_edge=edges[0], upper_edge=edges[1])
        self._set(default=self.canonical(self.default))

    def _set(self, **fields: float) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @property
    def n_values(self) -> float:
        """Inf: a float is continuous."""
        return math.inf

    @property
    def categorical(self) -> bool:
        """No: floats have an order."""
        return False

    def canonical(self, value: float) -> float:
        """The lattice value nearest to a value; the bounds themselves belong to the lattice."""
        value = float(f"{value:.12g}") if self.log else round(value, self.digits)
        if value <= self.lower_edge:
            return self.lower
        if value >= self.upper_edge:
            return self.upper
        return value

    def to_unit(self, value: float) -> float:
        """Place of a canonical value on the unit line."""
        if value <= self.lower:
            return 0.0
        if value >= self.upper:
            return 1.0
        return ((math.log(value) if self.log else value) - self.low) / self.span

    def to_value(self, unit: float) -> float:
        """The canonical value nearest to a place on the line."""
        if unit <= 0.0:
            return self.lower
        if unit >= 1.0:
            return self.upper
        place = self.low + unit * self.span
        return self.canonical(math.exp(place) if self.log else place)

    def draw(self, share: float) -> float:
        """The value below which this share of the prior lies."""
        return self.to_value(self.prior(share) if self.prior else share)

    @property
    def believed(self) -> bool:
        """Whether its prior is another than the uniform one."""
        return self.prior is not None

    def uniform(self, share: float) -> float:
        """The value at a share of the range."""
        return self.to_value(share)

    def density(self, units: Floats) -> Floats:
        """How likely the prior says that places (n,) are."""
        return np.ones(len(units)) if self.prior is None else self.prior.density(units)

    def check(self, given: Any) -> float:
        """A user's number as a canonical float; raises SpaceError."""
        value = number(self.name, given, f"a number from {self.lower} to {self.upper}")
        slack = 1e-12 * max(abs(self.lower), abs(self.upper))
        if not self.lower - slack <= value <= self.upper + slack:
            raise SpaceError(f"{self.name} is {given!r}; expected a number from {self.lower} to {self.upper}")
        return self.canonical(min(max(float(value), self.lower), self.upper))

    def values(self, resolution: int | None) -> Sequence[float]:
        """Evenly spaced on the unit line, bounds included; the middle where there is one."""
        if resolution is None:
            raise SpaceError(f"{self.name}: a range of floats cannot be listed; give a resolution")
        if resolution == 1:
            return (self.to_value(0.5),)
        return tuple(dict.fromkeys(self.to_value(step / (resolution - 1)) for step in range(resolution)))

    def rank(self, value: Any) -> float:
        """The number itself."""
        return float(value)

    def facts(self) -> Mapping[str, str]:
        """Range, scale, prior and default in words."""
        return {
            "type": "float",
            "range": f"{self.lower:.15g} to {self.upper:.15g}",
            "scale": "log" if self.log else "linear",
            "prior": self.prior_words,
            "default": f"{self.default:.15g}",
        }


@dataclass(frozen=True)
class IntegerDomain:
    """A range of whole numbers, linear or logarithmic: each has its own stretch of the unit line."""

    name: str
    lower: int
    upper: int
    log: bool
    default: int
    prior: Prior | None = None
    prior_words: str = "uniform"
    n_values: int = field(init=False)
    low: float = field(init=False)
    span: float = field(init=False)

    def __post_init__(self) -> None:
        check_range(self.name, self.lower, self.upper, self.log)
        if max(abs(self.lower), abs(self.upper)) > _LONGEST:
            raise SpaceError(
                f"{self.name}: the range {self.lower} to {self.upper} is too long for integers; give floats"
            )
        low = math.log(self.lower - 0.5) if self.log else 0.0
        span = math.log(self.upper + 0.5) - low if self.log else 0.0
        for name, value in (("n_values", self.upper - self.lower + 1), ("low", low), ("span", span)):
            object.__setattr__(self, name, value)

    @property
    def categorical(self) -> bool:
        """No: integers have an order."""
        return False

    def to_unit(self, value: int) -> float:
        """Place of a whole number: the middle of its stretch, on a log scale that of its logarithm."""
        if self.log:
            return (math.log(value) - self.low) / self.span
        return (value - self.lower + 0.5) / self.n_values

    def to_value(self, unit: float) -> int:
        """The whole number in whose stretch a place lies."""
        if unit <= 0.0:
            return self.lower
        if unit >= 1.0:
            return self.upper
        if self.log:
            return min(max(round(math.exp(self.low + unit * self.span)), self.lower), self.upper)
        value = self.lower + int(unit * self.n_values)
        return value if value < self.upper else self.upper

    @property
    def believed(self) -> bool:
        """Whether its prior is another than the uniform one."""
        return self.prior is not None

    def uniform(self, share: float) -> int:
        """The whole number at a share of the range."""
        return self.to_value(share)

    def density(self, units: Floats) -> Floats:
        """How likely the prior says that places (n,) are."""
        if self.prior is None:
            return np.ones(len(units))
        # The unit line is half a number longer at both ends than the prior's.
        if self.log:
            low = math.log(self.lower)
            places = (self.low + units * self.span - low) / (math.log(self.upper) - low)
        else:
            places = (units * self.n_values - 0.5) / (self.n_values - 1)
        return self.prior.density(np.clip(places, 0.0, 1.0))

    def draw(self, share: float) -> int:
        """The whole number below which this share of the prior lies."""
        if self.prior is None:
            return self.to_value(share)
        place = self.prior(share)
        if self.log:
            value = math.exp(math.log(self.lower) + place * (math.log(self.upper) - math.log(self.lower)))
        else:
            value = self.lower + place * (self.upper - self.lower)
        return min(max(round(value), self.lower), self.upper)

    def check(self, given: Any) -> int:
        """A user's number as an int; raises SpaceError."""
        expected = f"a whole number from {self.lower} to {self.upper}"
        value = number(self.name, given, expected)
        if value != math.floor(value) or not self.lower <= value <= self.upper:
            raise SpaceError(f"{self.name} is {given!r}; expected {expected}")
        return int(value)

    def values(self, resolution: int | None) -> Sequence[int]:
        """All of them, or a resolution of them evenly spaced on their scale, bounds included."""
        if resolution is None or self.n_values <= resolution:
            return range(self.lower, self.upper + 1)
        if resolution == 1:
            return (self.to_value(0.5),)
        return tuple(dict.fromkeys(self.to_value(step / (resolution - 1)) for step in range(resolution)))

    def rank(self, value: Any) -> int:
        """The number itself."""
        return int(value)

    def facts(self) -> Mapping[str, str]:
        """Range, scale, prior and default in words."""
        return {
            "type": "integer",
            "range": f"{self.lower} to {self.upper}",
            "scale": "log" if self.log else "linear",
            "prior": self.prior_words,
            "default": repr(self.default),
        }


@dataclass(frozen=True)
class ChoiceDomain:
    """A list of plain values: unordered choices, an ordered sequence, or one constant."""

    name: str
    choices: tuple[Scalar, ...]
    ordered: bool
    default: Scalar
    weights: tuple[float, ...] | None = None
    """Shares of the prior; None for equal ones."""
    index: Mapping[Scalar, int] = field(init=False)
    bounds: tuple[float, ...] = field(init=False)
    """Cumulated shares."""

    def __post_init__(self) -> None:
        for choice in self.choices:
            check_plain(self.name, choice)
        object.__setattr__(self, "index", {choice: position for position, choice in enumerate(self.choices)})
        shares = self.weights or (1.0,) * len(self.choices)
        object.__setattr__(self, "bounds", tuple(bound / sum(shares) for bound in accumulate(shares)))

    @property
    def _words(self) -> str:
        return ", ".join(map(repr, self.choices))

    @property
    def n_values(self) -> int:
        """How many choices there are."""
        return len(self.choices)

    @property
    def categorical(self) -> bool:
        """Whether they have no order."""
        return not self.ordered

    def to_unit(self, value: Scalar) -> float:
        """The middle of the choice's stretch."""
        return (self.index[value] + 0.5) / len(self.choices)

    def to_value(self, unit: float) -> Scalar:
        """The choice in whose stretch a place lies."""
        if unit <= 0.0:
            return self.choices[0]
        n = len(self.choices)
        position = int(unit * n) if unit < 1.0 else n
        return self.choices[position if position < n else -1]

    def draw(self, share: float) -> Scalar:
        """The choice below which this share of the weights lies; one of weight 0 never comes."""
        if self.weights is None:
            return self.to_value(share)
        position = bisect_right(self.bounds, share)
        while position >= len(self.choices) or self.weights[position] == 0:
            position -= 1
        return self.choices[position]

    @property
    def believed(self) -> bool:
        """Whether its choices have weights."""
        return self.weights is not None

    def uniform(self, share: float) -> Scalar:
        """The choice at a share of those that have a weight."""
        if self.weights is None:
            return self.to_value(share)
        possible = [choice for choice, weight in zip(self.choices, self.weights, strict=True) if weight > 0]
        return possible[min(int(share * len(possible)), len(possible) - 1)]

    def density(self, units: Floats) -> Floats:
        """How likely the weights say that places (n,) are."""
        n = len(self.choices)
        if self.weights is None:
            return np.ones(len(units))
        shares = np.diff(self.bounds, prepend=0.0)
        return np.asarray(n * shares[np.clip((units * n).astype(np.intp), 0, n - 1)])

    def check(self, given: Any) -> Scalar:
        """A user's value as the equal choice; raises SpaceError."""
        value = plain(given)
        if is_plain(value) and value in self.index:
            return self.choices[self.index[value]]
        texts = {str(choice): choice for choice in self.choices}
        close = get_close_matches(str(given), texts, n=1)
        hint = f"; did you mean {texts[close[0]]!r}?" if close else f"; expected one of: {self._words}"
        raise SpaceError(f"{self.name} is {given!r}{hint}")

    def values(self, resolution: int | None) -> Sequence[Scalar]:  # noqa: ARG002 - choices are never cut
        """All of them."""
        return self.choices

    def rank(self, value: Any) -> int:
        """Its position."""
        return self.index[value]

    def facts(self) -> Mapping[str, str]:
        """Choices, order, weights and default in words."""
        return {
            "type": "ordinal" if self.ordered else "categorical" if len(self.choices) > 1 else "constant",
            "choices": self._words,
            "weights": "equal" if self.weights is None else ", ".join(f"{weight:g}" for weight in self.weights),
            "default": repr(self.default),
        }


def as_domain(given: Hyperparameter[Any, Any]) -> Domain:
    """The domain of a ConfigSpace hyperparameter; raises SpaceError for a kind or a value that moopt does not know."""
    name = given.name
    if isinstance(given, _FLOATS):
        lower, upper, log = float(given.lower), float(given.upper), bool(given.log)
        return FloatDomain(name, lower, upper, log, float(given.default_value), *prior_of(given))
    if isinstance(given, _INTEGERS):
        log = bool(given.log)
        return IntegerDomain(name, int(given.lower), int(given.upper), log, int(given.default_value), *prior_of(given))
    if isinstance(given, _CHOICES):
        return _choices(given)
    raise SpaceError(f"{name}: unknown kind of hyperparameter {type(given).__name__}; give one of ConfigSpace's own")


def _choices(given: CategoricalHyperparameter | OrdinalHyperparameter | Constant) -> ChoiceDomain:
    default = plain(given.default_value)
    if isinstance(given, CategoricalHyperparameter):
        weights = None if given.weights is None else tuple(float(weight) for weight in given.weights)
        return ChoiceDomain(given.name, tuple(map(plain, given.choices)), False, default, weights)
    if isinstance(given, OrdinalHyperparameter):
        return ChoiceDomain(given.name, tuple(map(plain, given.sequence)), True, default)
    return ChoiceDomain(given.name, (plain(given.value),), False, default)

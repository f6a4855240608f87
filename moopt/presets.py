"""Model families with sensible ranges and a default config each, and the space that they make.

A config names its ``family`` and the family's own hyperparameters as ``family:name``; ``scale``, ``encoding`` and
``imputation`` prepare the columns and are there only where they do something. Ranges are wide enough to hold the
good configs of ordinary tables, and narrow enough that a fold of about 30,000 rows takes seconds, not minutes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from moopt.errors import SpaceError, nearest
from moopt.features import Columns
from moopt.trial import Config, Scalar

if TYPE_CHECKING:
    import ConfigSpace

MANY_ROWS = 10_000
"""From here on the families whose cost grows with the square of the rows are left to those who name them."""
PREPARATION = "preparation"
"""The key of ranges for ``scale``, ``encoding`` and ``imputation``."""

Ranges: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Family -> hyperparameter -> ``[low, high]``, a list of choices, or one value to fix it."""


@dataclass(frozen=True)
class Range:
    """Numbers from low to high; whole ones where ``low`` is an int."""

    name: str
    low: float
    high: float
    default: float
    why: str
    log: bool = False
    """Searched by its logarithm."""
    least: float = -math.inf
    """No model takes less."""
    most: float = math.inf
    """No model takes more."""

    @property
    def whole(self) -> bool:
        """Whether its values are ints."""
        return isinstance(self.low, int)


@dataclass(frozen=True)
class Choice:
    """Values without an order; the text ``none`` stands for None."""

    name: str
    values: tuple[Scalar, ...]
    default: Scalar
    why: str


Parameter: TypeAlias = Range | Choice


@dataclass(frozen=True)
class Family:
    """A kind of model."""

    name: str
    title: str
    model: str
    """Import path of its class."""
    parameters: tuple[Parameter, ...]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Arguments that are not searched."""
    seeded: bool = False
    """Takes a random_state."""
    scaled: bool = False
    """Wants numbers on one scale. Trees do not: scaling changes nothing for them, except rounding."""
    coded: bool = False
    """Can use text as plain numbers, level by level."""


_WEIGHT = Choice(
    "class_weight", ("none", "balanced"), "none", "balanced gives each class the same weight: more recall of rare ones"
)
_LEAF = Range("min_samples_leaf", 1, 50, 1, "more rows a leaf: smaller, smoother, quicker", log=True, least=1)
_FOREST = (
    Range("n_estimators", 10, 200, 100, "quality levels off; latency, size and time grow with it", log=True, least=1),
    Range("max_depth", 2, 30, 30, "shallow trees are small and quick, deep ones exact", least=1),
    _LEAF,
    Range("max_features", 0.1, 0.8, 0.3, "share of features a split may use: less is quicker", least=1e-9, most=1.0),
    _WEIGHT,
)

_ALL = (
    Family(
        "logistic",
        "logistic regression",
        "sklearn.linear_model.LogisticRegression",
        (Range("C", 1e-4, 1e3, 1.0, "inverse strength of the L2 penalty", log=True), _WEIGHT),
        {"max_iter": 300},
        scaled=True,
    ),
    Family(
        "tree",
        "decision tree",
        "sklearn.tree.DecisionTreeClassifier",
        (
            Range("max_depth", 1, 30, 10, "the tree's size and its overfitting", least=1),
            replace(_LEAF, high=100, default=5),
            Choice("criterion", ("gini", "entropy"), "gini", "how a split is judged"),
            _WEIGHT,
        ),
        seeded=True,
        coded=True,
    ),
    Family("forest", "random forest", "sklearn.ensemble.RandomForestClassifier", _FOREST, seeded=True, coded=True),
    Family("extra_trees", "extra trees", "sklearn.ensemble.ExtraTreesClassifier", _FOREST, seeded=True, coded=True),
    Family(
        "hist_boosting",
        "histogram gradient boosting",
        "sklearn.ensemble.HistGradientBoostingClassifier",
        (
            Range("learning_rate", 0.01, 0.5, 0.1, "smaller steps want more trees", log=True),
            Range("max_iter", 20, 300, 100, "number of trees a class: quality, latency and size", log=True, least=1),
            Range("max_leaf_nodes", 4, 63, 31, "size of a tree", log=True, least=2),
            Range("min_samples_leaf", 5, 100, 20, "more rows a leaf: smoother", log=True, least=1),
            Range("l2_regularization", 1e-6, 10.0, 1e-6, "shrinks the leaves", log=True),
            _WEIGHT,
        ),
        {"early_stopping": False},  # the number of trees is what the config says
        seeded=True,
        coded=True,
    ),
    Family(
        "neighbours",
        "k nearest neighbours",
        "sklearn.neighbors.KNeighborsClassifier",
        (
            Range("n_neighbors", 1, 100, 5, "more neighbours: smoother", log=True, least=1),
            Choice("weights", ("uniform", "distance"), "uniform", "whether near neighbours count for more"),
        ),
        scaled=True,
    ),
    Family(
        "svc",
        "support vector classifier",
        "sklearn.svm.SVC",
        (
            Range("C", 1e-2, 1e3, 1.0, "inverse strength of the penalty", log=True),
            Range("gamma", 1e-4, 1.0, 0.05, "reach of one row; larger is more local", log=True),
            _WEIGHT,
        ),
        # Bounds a fit whose time grows with the square of the rows; small tables end long before.
        {"max_iter": 20_000},
        scaled=True,
    ),
    Family(
        "mlp",
        "multi-layer perceptron",
        "sklearn.neural_network.MLPClassifier",
        (
            Range("units", 8, 128, 64, "neurons a layer", log=True, least=1),
            Range("layers", 1, 2, 1, "hidden layers of that many units", least=1, most=10),
            Range("alpha", 1e-6, 1.0, 1e-4, "strength of the L2 penalty", log=True),
            Range("learning_rate_init", 1e-4, 3e-2, 1e-3, "step of Adam", log=True),
        ),
        # Ends once the loss stands still for five epochs: about 20 epochs on a large table, all of them on a small one.
        {"max_iter": 200, "tol": 1e-3, "n_iter_no_change": 5},
        seeded=True,
        scaled=True,
    ),
    Family(
        "bayes",
        "Gaussian naive Bayes",
        "sklearn.naive_bayes.GaussianNB",
        (Range("var_smoothing", 1e-12, 1e-1, 1e-9, "share of the largest variance added to all", log=True),),
    ),
)
FAMILIES: Mapping[str, Family] = {family.name: family for family in _ALL}
_QUADRATIC = ("neighbours", "svc")

_SCALE = Choice("scale", ("standard", "minmax"), "standard", "by mean and deviation, or into 0 to 1")
_ENCODING = Choice("encoding", ("one-hot", "ordinal"), "one-hot", "a column a level, or one column of numbers")
_IMPUTATION = Choice("imputation", ("median", "mean"), "median", "what stands for a missing number")


def families_for(n_rows: int) -> tuple[str, ...]:
    """The families to search where the user names none: all, but on many rows those that stay affordable."""
    return tuple(name for name in FAMILIES if n_rows < MANY_ROWS or name not in _QUADRATIC)


def cost_warnings(families: Sequence[str], n_rows: int) -> list[str]:
    """A line for each family whose fits or predictions will be slow on so many rows."""
    return [
        f"family {name} is slow on {n_rows:,} rows: its cost grows with their square; leave it out or give a time limit"
        for name in families
        if name in _QUADRATIC and n_rows >= MANY_ROWS
    ]


def preset_space(
    families: Sequence[str], columns: Columns, ranges: Ranges | None = None, seed: int = 0
) -> ConfigSpace.ConfigurationSpace:
    """The space of some families for these columns.

    ``ranges`` replaces the ranges of hyperparameters: ``{"forest": {"n_estimators": [10, 300]}}``. Raises SpaceError
    for unknown families or hyperparameters and for ranges that cannot be.
    """
    import ConfigSpace

    chosen = _families(families)
    own = _checked(ranges, chosen)
    names = [family.name for family in chosen]
    space = ConfigSpace.ConfigurationSpace(seed=seed)
    top = _hyperparameter(Choice("family", tuple(names), names[0], ""), "family")
    space.add(top)
    for family in chosen:
        for parameter in _narrowed(family.parameters, own.get(family.name, {}), family.name):
            child = _hyperparameter(parameter, f"{family.name}:{parameter.name}")
            space.add(child)
            if len(names) > 1:
                space.add(ConfigSpace.EqualsCondition(child, top, family.name))
    for parameter, users in _preparation(chosen, columns, own.get(PREPARATION, {})):
        child = _hyperparameter(parameter, parameter.name)
        space.add(child)
        if len(users) < len(names):
            space.add(ConfigSpace.InCondition(child, top, list(users)))
    return space


def default_configs(families: Sequence[str], columns: Columns, ranges: Ranges | None = None) -> list[Config]:
    """One config a family, in their order: its defaults, moved into narrowed ranges. Raises as preset_space."""
    chosen = _families(families)
    own = _checked(ranges, chosen)
    preparation = _preparation(chosen, columns, own.get(PREPARATION, {}))
    return [
        {
            "family": family.name,
            **{
                f"{family.name}:{parameter.name}": parameter.default
                for parameter in _narrowed(family.parameters, own.get(family.name, {}), family.name)
            },
            **{parameter.name: parameter.default for parameter, users in preparation if family.name in users},
        }
        for family in chosen
    ]


def _families(names: Sequence[str]) -> list[Family]:
    given = [names] if isinstance(names, str) else list(names)
    if not given:
        raise SpaceError(f"no family is given; give some of: {', '.join(FAMILIES)}")
    for name in given:
        if name not in FAMILIES:
            raise SpaceError(f"unknown family {name!r}{nearest(str(name), FAMILIES)}")
        if given.count(name) > 1:
            raise SpaceError(f"family {name} is named twice; name each once")
    return [FAMILIES[name] for name in given]


def _checked(ranges: Ranges | None, chosen: Sequence[Family]) -> Ranges:
    """The user's ranges, their names known."""
    names = [family.name for family in chosen]
    for key, own in (ranges or {}).items():
        if key in FAMILIES and key not in names:
            raise SpaceError(f"ranges are given for family {key}, which is not searched; add it to the families")
        if key not in (*names, PREPARATION):
            raise SpaceError(f"ranges are given for the unknown family {key!r}{nearest(key, [*FAMILIES, PREPARATION])}")
        if not isinstance(own, Mapping):
            raise SpaceError(f"the ranges of {key} are {own!r}; give hyperparameters with their ranges")
        known = [one.name for one in (FAMILIES[key].parameters if key in FAMILIES else PREPARATIONS)]
        for name in own:
            if name not in known:
                raise SpaceError(f"{key} has no hyperparameter {name!r}{nearest(str(name), known)}")
    return ranges or {}


PREPARATIONS = (_SCALE, _ENCODING, _IMPUTATION)
"""What prepares the columns, for every family that it concerns."""


def _preparation(
    chosen: Sequence[Family], columns: Columns, own: Mapping[str, Any]
) -> list[tuple[Parameter, tuple[str, ...]]]:
    """What prepares the columns, each with the families that use it; nothing that would do nothing."""
    scale, encoding, imputation = _narrowed(PREPARATIONS, own, PREPARATION)
    wanted = [
        (scale, columns.numeric, [family.name for family in chosen if family.scaled]),
        (encoding, columns.text, [family.name for family in chosen if family.coded]),
        (imputation, columns.numeric_gaps, [family.name for family in chosen]),
    ]
    return [(parameter, tuple(users)) for parameter, useful, users in wanted if useful and users]


def _narrowed(parameters: Sequence[Parameter], own: Mapping[str, Any], owner: str) -> list[Parameter]:
    """The parameters with the user's ranges in place of ours."""
    return [
        one
        if one.name not in own
        else _own_range(one, own[one.name], f"{owner}: {one.name}")
        if isinstance(one, Range)
        else _own_choice(one, own[one.name], f"{owner}: {one.name}")
        for one in parameters
    ]


def _own_range(one: Range, given: Any, label: str) -> Range:
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


def _is_number(value: Any, whole: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and (not whole or value == int(value))


def _own_choice(one: Choice, given: Any, label: str) -> Choice:
    values = tuple(given) if isinstance(given, list | tuple) else (given,)
    known = [str(value) for value in one.values]
    if not values:
        raise SpaceError(f"{label} is empty; give some of: {', '.join(known)}")
    for value in values:
        if value not in one.values:
            raise SpaceError(f"{label} has no choice {value!r}{nearest(str(value), known)}")
    values = tuple(dict.fromkeys(values))
    return replace(one, values=values, default=one.default if one.default in values else values[0])


def _hyperparameter(one: Parameter, name: str) -> Any:
    import ConfigSpace

    values = one.values if isinstance(one, Choice) else (one.low,) if one.low == one.high else ()
    if len(values) == 1:
        return ConfigSpace.Constant(name, values[0])
    if isinstance(one, Choice):
        return ConfigSpace.CategoricalHyperparameter(name, list(one.values), default_value=one.default)
    kind = ConfigSpace.UniformIntegerHyperparameter if one.whole else ConfigSpace.UniformFloatHyperparameter
    return kind(name, lower=one.low, upper=one.high, default_value=one.default, log=one.log)

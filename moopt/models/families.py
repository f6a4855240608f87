"""What the model families are: their class, their hyperparameters with sensible ranges, and why.

Ranges are wide enough to hold the good configs of ordinary tables, and narrow enough that a fold of about 30,000
rows takes seconds, not minutes. :mod:`moopt.models.presets` makes spaces of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from moopt.trial import Scalar


@dataclass(frozen=True)
class Peak:
    """A beta distribution over a range, on its scale."""

    alpha: float
    beta: float


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
    peak: Peak | None = None
    """Where the user believes the good values are; None: anywhere."""

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
    weights: tuple[float, ...] = ()
    """How likely the user believes each value to be the best; none: all alike."""


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
            Range("n_neighbors", 1, 50, 5, "more neighbours: smoother", log=True, least=1),
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
QUADRATIC = ("neighbours", "svc")
"""Their cost grows with the square of the rows."""

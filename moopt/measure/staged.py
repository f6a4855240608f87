"""Prefixes of an ensemble: smaller models of its kind, equal to those that a fit of their own would give.

A forest's first k trees, or the first k of a boosting, are the ensemble of size k with the same random state. So one
fit gives several points of the trade-off between quality and cost.
"""

from __future__ import annotations

import copy
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from moopt.measure.variants import Expansion, Variant
from moopt.space import Space
from moopt.trial import Config

DIVISORS = (2, 4, 8)
"""A prefix for each: the ensemble's size divided by it, or the next smaller size that is searched."""

_BOTH = ("Classifier", "Regressor")
_OF_KIND: Mapping[str, tuple[str, ...]] = {
    "RandomForest": ("estimators_",),
    "ExtraTrees": ("estimators_",),
    "Bagging": ("estimators_", "estimators_features_", "_seeds"),
    "AdaBoost": ("estimators_", "estimator_weights_", "estimator_errors_"),
    "GradientBoosting": ("estimators_", "train_score_", "oob_improvement_", "oob_scores_"),
    "HistGradientBoosting": ("_predictors",),
}
_PARTS: Mapping[str, tuple[str, ...]] = {kind + end: parts for kind, parts in _OF_KIND.items() for end in _BOTH}
"""Class of scikit-learn -> what it keeps of each member, in the order of the members."""
_SIZES = ("n_estimators", "max_iter")


@dataclass(frozen=True)
class Size:
    """A hyperparameter that is the size of an ensemble."""

    name: str
    """In configs."""
    parameter: str
    """That it sets, as ``set_params`` takes it: ``model__n_estimators``."""
    values: Sequence[int]
    """That are searched, ascending."""


@dataclass(frozen=True)
class Staged:
    """An Expansion of a fitted ensemble, or of a Pipeline that ends in one, by its prefixes.

    Nothing is added where a prefix would not equal a fit of its own: with early stopping or an out-of-bag score.
    """

    sizes: tuple[Size, ...]

    def __call__(self, variant: Variant, config: Config) -> list[Variant]:
        """The variant, then its prefixes, the largest first; the fit's time is shared out by their members."""
        model = variant.make()
        parameter = size_parameter(model)
        size = next((one for one in self.sizes if one.parameter == parameter and one.name in config), None)
        if size is None:
            return [variant]
        n = int(config[size.name] or 0)
        return [variant, *(_shorter(variant, model, size.name, k, k / n) for k in _sizes(n, size.values))]


def _shorter(variant: Variant, model: Any, name: str, k: int, share: float) -> Variant:
    return Variant({**variant.changes, name: k}, partial(prefix, model, k), share * variant.fit_share)


def _sizes(n: int, values: Sequence[int]) -> list[int]:
    places = [bisect_right(values, n // divisor) for divisor in DIVISORS]
    return list(dict.fromkeys(values[place - 1] for place in places if place > 0))


def staged(space: Space, parameters: Mapping[str, str]) -> tuple[Expansion, ...]:
    """The expansion by prefixes for a space whose hyperparameters set these parameters; none where none is a size."""
    sizes = []
    for domain in space.domains:
        parameter = parameters.get(domain.name, "")
        if parameter.rpartition("__")[2] in _SIZES and math.isfinite(domain.n_values):
            values = domain.values(None)
            whole = values if isinstance(values, range) else sorted(one for one in values if type(one) is int)
            sizes.append(Size(domain.name, parameter, whole))
    return (Staged(tuple(sizes)),) if sizes else ()


def size_parameter(model: Any) -> str | None:
    """The parameter that is the size of a fitted ensemble; None where its prefixes are not models of their own."""
    if hasattr(model, "steps"):
        name, last = model.steps[-1]
        own = size_parameter(last)
        return None if own is None else f"{name}__{own}"
    return _own_size(model) if _parts(model) and _is_exact(model) else None


def _own_size(model: Any) -> str:
    return "max_iter" if hasattr(model, "max_iter") else "n_estimators"


def _parts(model: Any) -> tuple[str, ...]:
    """What it keeps of each member. What a class that is not scikit-learn's own keeps, nobody knows."""
    cls = type(model)
    return _PARTS.get(cls.__name__, ()) if cls.__module__.startswith("sklearn.ensemble.") else ()


def _is_exact(model: Any) -> bool:
    """Whether nothing that the fit left behind depends on the members after a prefix."""
    if hasattr(model, "do_early_stopping_"):
        return not model.do_early_stopping_
    return getattr(model, "n_iter_no_change", None) is None and not getattr(model, "oob_score", False)


def prefix(model: Any, k: int) -> Any:
    """The fitted model with only the first k members of its ensemble, which it shares with the given one."""
    shorter = copy.copy(model)
    if hasattr(model, "steps"):
        *before, (name, last) = model.steps
        shorter.steps = [*before, (name, prefix(last, k))]
        return shorter
    shorter.set_params(**{_own_size(model): k})
    for part in _parts(model):
        if hasattr(model, part):
            setattr(shorter, part, getattr(model, part)[:k])
    if hasattr(model, "n_estimators_"):
        shorter.n_estimators_ = len(shorter.estimators_)
    return shorter

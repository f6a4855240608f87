"""Random conditional spaces for hypothesis."""

from __future__ import annotations

from typing import Any

import ConfigSpace as CS  # noqa: N817 - as its own documentation has it
from hypothesis import strategies as st

RELATIONS = [
    CS.ForbiddenLessThanRelation,
    CS.ForbiddenLessThanEqualsRelation,
    CS.ForbiddenEqualsRelation,
    CS.ForbiddenGreaterThanRelation,
    CS.ForbiddenGreaterThanEqualsRelation,
]
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from(["a", "bb", "", "é"]),
    st.floats(-2, 2).map(lambda x: x + 0.25),
)


@st.composite
def floats(draw: Any, name: str) -> Any:
    log = draw(st.booleans())
    if log:
        low = draw(st.floats(1e-9, 1.0).map(lambda x: float(f"{x:.3g}")))
        high = float(f"{min(low * draw(st.sampled_from([1.5, 100, 1e8])), 500.0):.3g}")
        default = float(f"{low + (high - low) / 3:.6g}")
    else:
        low = draw(st.floats(-100, 100).map(lambda x: round(x, 3)))
        high = round(low + draw(st.sampled_from([0.001, 1.0, 123.456, 500.0])), 3)
        default = round(low + (high - low) / 3, 6)
    # Below 900 and with few digits ConfigSpace's rounding and ours agree: conditions compare with the default.
    given: dict[str, Any] = {"lower": low, "upper": high, "default_value": default, "log": log}
    kind = draw(st.sampled_from(["uniform", "normal", "beta"]))
    if kind == "normal":
        return CS.NormalFloatHyperparameter(name, mu=default, sigma=(high - low) / 4, **given)
    if kind == "beta":
        return CS.BetaFloatHyperparameter(name, alpha=2, beta=3, **given)
    return CS.UniformFloatHyperparameter(name, **given)


@st.composite
def integers(draw: Any, name: str) -> Any:
    log = draw(st.booleans())
    low = draw(st.integers(1, 50) if log else st.integers(-50, 50))
    high = low + draw(st.sampled_from([1, 3, 40]))
    kind = draw(st.sampled_from(["uniform", "normal", "beta"]))
    if kind == "normal":
        return CS.NormalIntegerHyperparameter(name, mu=low + 1, sigma=2, lower=low, upper=high, log=log)
    if kind == "beta":
        return CS.BetaIntegerHyperparameter(name, alpha=2, beta=3, lower=low, upper=high, log=log)
    return CS.UniformIntegerHyperparameter(name, low, high, log=log)


@st.composite
def choices(draw: Any, name: str) -> Any:
    values = draw(st.lists(PLAIN, min_size=1, max_size=4, unique_by=lambda x: x if x is not None else "none"))
    kind = draw(st.sampled_from(["categorical", "weighted", "ordinal", "constant"]))
    if kind == "constant":
        return CS.Constant(name, values[0])
    if kind == "ordinal":
        return CS.OrdinalHyperparameter(name, values)
    weights = [1.0 + place for place in range(len(values))] if kind == "weighted" else None
    return CS.CategoricalHyperparameter(name, values, weights=weights)


def some_value(draw: Any, hyperparameter: Any) -> Any:
    if isinstance(hyperparameter, CS.Constant):
        return hyperparameter.value
    if isinstance(hyperparameter, CS.CategoricalHyperparameter):
        return draw(st.sampled_from(hyperparameter.choices))
    if isinstance(hyperparameter, CS.OrdinalHyperparameter):
        return draw(st.sampled_from(hyperparameter.sequence))
    if isinstance(hyperparameter.default_value, float):
        return hyperparameter.default_value
    return draw(st.integers(int(hyperparameter.lower), int(hyperparameter.upper)))


def condition(draw: Any, child: Any, parent: Any) -> Any:
    value = some_value(draw, parent)
    kinds = [CS.EqualsCondition, CS.NotEqualsCondition, CS.InCondition]
    if parent.ORDERABLE:
        kinds += [CS.LessThanCondition, CS.GreaterThanCondition] * 2
    kind = draw(st.sampled_from(kinds))
    return kind(child, parent, [value] if kind is CS.InCondition else value)


def clause(draw: Any, hyperparameter: Any) -> Any:
    value = some_value(draw, hyperparameter)
    kinds = [CS.ForbiddenEqualsClause, CS.ForbiddenInClause]
    if hyperparameter.ORDERABLE:
        kinds += [
            CS.ForbiddenLessThanClause,
            CS.ForbiddenLessThanEqualsClause,
            CS.ForbiddenGreaterThanClause,
            CS.ForbiddenGreaterThanEqualsClause,
        ]
    kind = draw(st.sampled_from(kinds))
    return kind(hyperparameter, [value] if kind is CS.ForbiddenInClause else value)


def extended(space: CS.ConfigurationSpace, *parts: Any) -> CS.ConfigurationSpace:
    """The space with more parts, or as it was where ConfigSpace refuses them, as it does for a forbidden default."""
    before = space.to_serialized_dict()
    try:
        space.add(*parts)
    except ValueError:
        return CS.ConfigurationSpace.from_serialized_dict(before)
    return space


def with_condition(draw: Any, space: CS.ConfigurationSpace, name: str) -> CS.ConfigurationSpace:
    others = [one for one in space.values() if one.name != name]
    parents = draw(st.lists(st.sampled_from(others), max_size=2, unique_by=lambda one: one.name)) if others else []
    parts = [condition(draw, space[name], parent) for parent in parents]
    if len(parts) == 2:
        parts = [draw(st.sampled_from([CS.AndConjunction, CS.OrConjunction]))(*parts)]
    return extended(space, parts)


def with_forbidden(draw: Any, space: CS.ConfigurationSpace) -> CS.ConfigurationSpace:
    members = draw(
        st.lists(st.sampled_from(list(space.values())), min_size=1, max_size=2, unique_by=lambda one: one.name)
    )
    parts = [clause(draw, one) for one in members]
    if len(parts) == 1:
        return extended(space, parts)
    if all(isinstance(one, CS.UniformIntegerHyperparameter) for one in members) and draw(st.booleans()):
        return extended(space, draw(st.sampled_from(RELATIONS))(*members))
    return extended(space, draw(st.sampled_from([CS.ForbiddenAndConjunction, CS.ForbiddenOrConjunction]))(*parts))


@st.composite
def spaces(draw: Any, finite: bool = False) -> CS.ConfigurationSpace:
    space = CS.ConfigurationSpace()
    for name in draw(st.permutations("abcdef"))[: draw(st.integers(1, 6))]:
        space.add(draw(st.one_of(integers(name), choices(name), *([] if finite else [floats(name)]))))
        space = with_condition(draw, space, name)
    for _ in range(draw(st.integers(0, 2))):
        space = with_forbidden(draw, space)
    return space

"""Conditions and forbidden clauses of a space as plain functions of its values.

A test takes the values in the space's order, INACTIVE where there is none. What it says is what
ConfigSpace says of its own vectors: an inactive parent equals nothing, so it also fulfils "not equal".
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import ConfigSpace
from ConfigSpace.conditions import Condition, Conjunction
from ConfigSpace.forbidden import ForbiddenConjunction, ForbiddenRelation

from moopt.errors import SpaceError
from moopt.space.domains import Domain

INACTIVE: Final = ...
"""The mark of a hyperparameter without a value: equal to no value, hashable, the same after pickling."""

Values: TypeAlias = Sequence[Any]
Test: TypeAlias = Callable[[Values], bool]
Slots: TypeAlias = Mapping[str, tuple[int, Domain]]
"""Name -> position in the values, and domain."""

_COMPARE: Mapping[type, Callable[[Any, Any], bool]] = {
    ConfigSpace.LessThanCondition: operator.lt,
    ConfigSpace.GreaterThanCondition: operator.gt,
    ConfigSpace.ForbiddenLessThanClause: operator.lt,
    ConfigSpace.ForbiddenLessThanEqualsClause: operator.le,
    ConfigSpace.ForbiddenGreaterThanClause: operator.gt,
    ConfigSpace.ForbiddenGreaterThanEqualsClause: operator.ge,
    ConfigSpace.ForbiddenLessThanRelation: operator.lt,
    ConfigSpace.ForbiddenLessThanEqualsRelation: operator.le,
    ConfigSpace.ForbiddenEqualsRelation: operator.eq,
    ConfigSpace.ForbiddenGreaterThanRelation: operator.gt,
    ConfigSpace.ForbiddenGreaterThanEqualsRelation: operator.ge,
}


def condition_test(condition: Condition | Conjunction, slots: Slots) -> Test:
    """Whether a condition holds."""
    if isinstance(condition, Conjunction):
        parts = [condition_test(part, slots) for part in condition.components]
        return _all_of(parts) if isinstance(condition, ConfigSpace.AndConjunction) else _any_of(parts)
    position, domain = slots[condition.parent.name]
    if isinstance(condition, ConfigSpace.EqualsCondition):
        return _equals(position, domain.check(condition.value))
    if isinstance(condition, ConfigSpace.NotEqualsCondition):
        return _differs(position, domain.check(condition.value))
    if isinstance(condition, ConfigSpace.InCondition):
        return _among(position, [domain.check(value) for value in condition.values])
    return _compares(position, domain, _comparison(condition), condition.value)


def forbidden_test(clause: Any, slots: Slots) -> Test:
    """Whether a forbidden clause applies, so that the values are not allowed."""
    if isinstance(clause, ForbiddenConjunction):
        parts = [forbidden_test(part, slots) for part in clause.components]
        return _all_of(parts) if isinstance(clause, ConfigSpace.ForbiddenAndConjunction) else _any_of(parts)
    if isinstance(clause, ForbiddenRelation):
        return _relates(slots[clause.left.name][0], _comparison(clause), slots[clause.right.name][0])
    position, domain = slots[clause.hyperparameter.name]
    if isinstance(clause, ConfigSpace.ForbiddenEqualsClause):
        return _equals(position, domain.check(clause.value))
    if isinstance(clause, ConfigSpace.ForbiddenInClause):
        return _among(position, [domain.check(value) for value in clause.values])
    return _compares(position, domain, _comparison(clause), clause.value)


def condition_names(condition: Condition | Conjunction) -> set[str]:
    """The parents' names."""
    if isinstance(condition, Conjunction):
        return set().union(*(condition_names(part) for part in condition.components))
    return {condition.parent.name}


def forbidden_names(clause: Any) -> set[str]:
    """The names of the hyperparameters that a forbidden clause reads."""
    if isinstance(clause, ForbiddenConjunction):
        return set().union(*(forbidden_names(part) for part in clause.components))
    if isinstance(clause, ForbiddenRelation):
        return {clause.left.name, clause.right.name}
    return {clause.hyperparameter.name}


def _comparison(clause: Any) -> Callable[[Any, Any], bool]:
    try:
        return _COMPARE[type(clause)]
    except KeyError:
        raise SpaceError(f"unknown kind of clause {clause!r}; give one of ConfigSpace's own") from None


def _all_of(parts: Sequence[Test]) -> Test:
    return lambda values: all(part(values) for part in parts)


def _any_of(parts: Sequence[Test]) -> Test:
    return lambda values: any(part(values) for part in parts)


def _equals(position: int, wanted: Any) -> Test:
    return lambda values: values[position] == wanted


def _differs(position: int, wanted: Any) -> Test:
    return lambda values: values[position] != wanted


def _among(position: int, wanted: Sequence[Any]) -> Test:
    kept = frozenset(wanted)
    return lambda values: values[position] in kept


def _compares(position: int, domain: Domain, compare: Callable[[Any, Any], bool], given: Any) -> Test:
    rank, bound = domain.rank, domain.rank(domain.check(given))

    def test(values: Values) -> bool:
        value = values[position]
        return value is not INACTIVE and compare(rank(value), bound)

    return test


def _relates(left: int, compare: Callable[[Any, Any], bool], right: int) -> Test:
    def test(values: Values) -> bool:
        first, second = values[left], values[right]
        return first is not INACTIVE and second is not INACTIVE and bool(compare(first, second))

    return test

"""The space: codec, keys, counting, messages."""

from __future__ import annotations

import json
import math
import pickle
from itertools import islice
from typing import Any

import ConfigSpace as CS  # noqa: N817 - as its own documentation has it
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moopt.errors import SpaceError
from moopt.space import Space, as_space
from moopt.space.priors import trust
from tests.spaces import spaces

EXAMPLES = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
SEEDS = st.integers(0, 2**32 - 1)
PLAIN = (str, bool, int, float, type(None))


def units(space: Space, seed: int, n: int = 5) -> np.ndarray:
    """Points of the cube and a little beyond it, bounds and gaps among them."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-0.05, 1.05, (n, space.d))
    points[rng.random(points.shape) < 0.1] = 0.0
    points[rng.random(points.shape) < 0.1] = 1.0
    points[rng.random(points.shape) < 0.1] = np.nan
    return points


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.tobytes() == b.tobytes()


def as_configuration(space: Space, config: Any) -> CS.Configuration:
    """ConfigSpace's own view, which checks activity and values."""
    return CS.Configuration(space.configspace, values=dict(config))


@EXAMPLES
@given(spaces(), SEEDS)
def test_decode_after_encode_gives_the_config_back(configspace: Any, seed: int) -> None:
    space = Space(configspace)
    for unit in units(space, seed):
        config = space.decode(unit)
        assert space.decode(space.encode(config)) == config
        assert all(type(value) in PLAIN for value in config.values())


@EXAMPLES
@given(spaces(), SEEDS)
def test_snap_is_idempotent_bit_for_bit(configspace: Any, seed: int) -> None:
    space = Space(configspace)
    for unit in units(space, seed):
        snapped = space.snap(unit)
        assert same(space.snap(snapped), snapped)
        assert np.array_equal(np.isnan(snapped), ~space.active(space.decode(unit)))


@EXAMPLES
@given(spaces(), SEEDS)
def test_decoding_does_not_change_its_input(configspace: Any, seed: int) -> None:
    space = Space(configspace)
    unit = units(space, seed, 1)[0]
    before = unit.copy()
    space.snap(unit)
    assert same(unit, before)


@EXAMPLES
@given(spaces(), SEEDS)
def test_checking_a_canonical_config_changes_nothing(configspace: Any, seed: int) -> None:
    space = Space(configspace)
    for config in filter(space.allowed, map(space.decode, units(space, seed))):
        checked = space.check(config)
        assert checked == config
        assert list(map(type, checked.values())) == list(map(type, config.values()))


@EXAMPLES
@given(spaces(), SEEDS)
def test_conditions_hold_exactly_as_configspace_says(configspace: Any, seed: int) -> None:
    space = Space(configspace)
    for unit in units(space, seed):
        config = space.decode(unit)
        vector = np.array([configspace[n].to_vector(config[n]) if n in config else np.nan for n in configspace])
        assert set(config) == configspace.get_active_hyperparameters(vector)
        assert space.allowed(config) == (not any(c.is_forbidden_vector(vector) for c in configspace.forbidden_clauses))


@EXAMPLES
@given(spaces(), SEEDS)
def test_samples_are_valid_for_configspace(configspace: Any, seed: int) -> None:
    space = Space(configspace)
    rng = np.random.default_rng(seed)
    for config in filter(space.allowed, (space.quantile(rng.random(space.d)) for _ in range(10))):
        as_configuration(space, config).check_valid_configuration()


@EXAMPLES
@given(spaces())
def test_the_default_is_the_one_of_configspace(configspace: Any) -> None:
    space = Space(configspace)
    theirs = dict(configspace.get_default_configuration())
    ours = space.default()
    assert set(ours) == set(theirs)
    assert all(
        ours[n] == pytest.approx(v, rel=1e-9) if isinstance(v, float) else ours[n] == v for n, v in theirs.items()
    )


@EXAMPLES
@given(spaces(), SEEDS)
def test_keys_are_equal_if_and_only_if_the_active_values_are(configspace: Any, seed: int) -> None:
    space = Space(configspace)
    configs = [space.decode(unit) for unit in units(space, seed, 8)]
    for a in configs:
        assert space.from_key(space.key(a)) == a
        for b in configs:
            assert (space.key(a) == space.key(b)) == (a == b)
            assert (space.key(a) != space.key(b)) or hash(space.key(a)) == hash(space.key(b))


def test_a_key_does_not_read_inactive_values() -> None:
    configspace = CS.ConfigurationSpace({"a": (0, 5), "m": ["on", "off"]})
    configspace.add(CS.EqualsCondition(configspace["a"], configspace["m"], "on"))
    space = Space(configspace)
    assert space.key({"m": "off", "a": 3}) == space.key({"m": "off"})
    assert space.key({"m": "on", "a": 3}) != space.key({"m": "on", "a": 4})


@EXAMPLES
@given(spaces(finite=True))
def test_a_grid_without_cuts_is_complete_and_distinct(configspace: Any) -> None:
    space = Space(configspace)
    if space.size > 2_000:
        return
    configs = list(space.grid(1_000))
    keys = {space.key(config) for config in configs}
    assert len(keys) == len(configs) == space.size
    assert keys == set(space.keys())
    rng = np.random.default_rng(0)
    drawn = [space.quantile(rng.random(space.d)) for _ in range(20)]
    assert all((space.key(config) in keys) == space.allowed(config) for config in drawn)
    for config in islice(configs, 20):
        assert space.check(config) == config
        assert space.allowed(config)


@EXAMPLES
@given(spaces(), SEEDS)
def test_json_keeps_everything(configspace: Any, seed: int) -> None:
    space = Space(configspace)
    again = Space.from_json(json.loads(json.dumps(space.as_json())))
    assert dict(again.configspace) == dict(configspace)
    assert again.configspace.conditions == configspace.conditions
    assert again.configspace.forbidden_clauses == configspace.forbidden_clauses
    assert again.names == space.names
    assert again.differences(space) == []
    for unit in units(space, seed):
        assert again.decode(unit) == space.decode(unit)


def test_json_keeps_the_users_notes() -> None:
    configspace = CS.ConfigurationSpace(name="mine", meta={"by": "me"})
    configspace.add(CS.Float("x", (0.0, 1.0), meta={"why": "because"}))
    again = Space.from_json(Space(configspace).as_json()).configspace
    assert (again.name, again.meta, again["x"].meta) == ("mine", {"by": "me"}, {"why": "because"})


def test_a_space_with_notes_that_are_no_json_is_refused() -> None:
    configspace = CS.ConfigurationSpace(meta={"by": object()})
    configspace.add(CS.Float("x", (0.0, 1.0)))
    with pytest.raises(SpaceError, match="cannot be stored as JSON"):
        Space(configspace).as_json()


def test_a_space_survives_pickling() -> None:
    space = as_space({"x": (0.0, 1.0), "kind": ["a", "b"]})
    again = pickle.loads(pickle.dumps(space))
    assert again.names == space.names
    assert again.differences(space) == []


def test_parents_stand_before_their_children() -> None:
    configspace = CS.ConfigurationSpace({"a": (0.0, 1.0), "m": ["on", "off"], "z": ["x", "y"]})
    configspace.add(CS.EqualsCondition(configspace["a"], configspace["m"], "on"))
    configspace.add(CS.EqualsCondition(configspace["m"], configspace["z"], "x"))
    space = Space(configspace)
    assert space.names == ("z", "m", "a")
    assert space.parents == ((), (0,), (1,))
    assert space.d == 3
    assert space.n_values.tolist() == [2, 2, math.inf]
    assert space.categorical.tolist() == [True, True, False]


def test_an_inactive_parent_makes_its_children_inactive() -> None:
    configspace = CS.ConfigurationSpace({"a": (0.0, 1.0), "m": ["on", "off"], "z": ["x", "y"]})
    configspace.add(CS.EqualsCondition(configspace["a"], configspace["m"], "on"))
    configspace.add(CS.EqualsCondition(configspace["m"], configspace["z"], "x"))
    space = Space(configspace)
    assert space.check({"z": "y", "m": "on", "a": 0.5}) == {"z": "y"}
    assert space.active({"z": "y"}).tolist() == [True, False, False]


def test_an_inactive_parent_is_not_equal_to_anything_as_in_configspace() -> None:
    configspace = CS.ConfigurationSpace({"a": ["x", "y"], "b": ["p", "q"], "c": (0, 5)})
    configspace.add(CS.EqualsCondition(configspace["b"], configspace["a"], "x"))
    configspace.add(CS.NotEqualsCondition(configspace["c"], configspace["b"], "p"))
    config = Space(configspace).check({"a": "y", "c": 3})
    assert config == {"a": "y", "c": 3}
    as_configuration(Space(configspace), config).check_valid_configuration()


def test_categories_stand_in_the_middle_of_their_stretch() -> None:
    space = as_space({"kind": ["a", "b", "c", "d"]})
    assert [space.encode({"kind": kind})[0] for kind in "abcd"] == [0.125, 0.375, 0.625, 0.875]


@pytest.mark.parametrize(
    ("unit", "expected"), [(-np.inf, ("a", 1, 0.5)), (np.inf, ("c", 4, 2.0)), (7.0, ("c", 4, 2.0))]
)
def test_points_outside_the_cube_are_clipped(unit: float, expected: tuple[Any, ...]) -> None:
    space = as_space({"kind": ["a", "b", "c"], "n": (1, 4), "x": (0.5, 2.0)})
    config = space.decode(np.full(3, unit))
    assert (config["kind"], config["n"], config["x"]) == expected


def test_each_whole_number_has_an_equal_stretch() -> None:
    space = as_space({"n": (1, 4)})
    drawn = [space.decode(np.array([u]))["n"] for u in np.linspace(0.001, 0.999, 400)]
    assert [drawn.count(n) for n in (1, 2, 3, 4)] == [100, 100, 100, 100]


@pytest.mark.parametrize("given_value", [1, 1.0, np.float64(1), np.int64(1), np.float32(1)])
def test_one_is_one_whatever_its_type(given_value: Any) -> None:
    space = as_space({"x": (0.5, 2.0), "n": (1, 5)})
    config = space.check({"x": given_value, "n": given_value})
    assert config == {"x": 1.0, "n": 1}
    assert [type(config["x"]), type(config["n"])] == [float, int]
    assert space.key(config) == space.key({"n": 1.0, "x": 1})


def test_values_of_every_plain_type_come_back_as_they_went_in() -> None:
    choices = ["a", True, 3, 2.5, None]
    space = as_space({"x": choices})
    back = [config["x"] for config in space.grid(1)]
    assert back == choices
    assert list(map(type, back)) == list(map(type, choices))


def test_numpy_choices_become_plain() -> None:
    configspace = CS.ConfigurationSpace()
    configspace.add(CS.CategoricalHyperparameter("x", [np.str_("a"), np.int64(3)]))
    assert [type(config["x"]) for config in Space(configspace).grid(1)] == [str, int]


def test_wide_log_ranges_come_back_bit_for_bit() -> None:
    configspace = CS.ConfigurationSpace()
    configspace.add(CS.Float("x", (1e-12, 1e12), log=True))
    space = Space(configspace)
    for unit in np.random.default_rng(0).random((2_000, 1)):
        snapped = space.snap(unit)
        assert same(space.snap(snapped), snapped)
        assert abs(snapped[0] - unit[0]) < 1e-11


@EXAMPLES
@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9), SEEDS)
def test_linear_ranges_come_back_bit_for_bit(low: float, width: float, seed: int) -> None:
    space = as_space({"x": (low, low + width)})
    for unit in units(space, seed, 20):
        snapped = space.snap(unit)
        assert same(space.snap(snapped), snapped)
        assert space.decode(snapped) == space.decode(unit)


@pytest.mark.parametrize("bounds", [(-1 / 3, 0.7), (1e-3, 987.654), (-1e6, 1e-3), (1e6 / 7, 1e6 / 6)])
def test_awkward_linear_ranges_come_back_bit_for_bit(bounds: tuple[float, float]) -> None:
    space = as_space({"x": bounds})
    for unit in np.random.default_rng(0).random((2_000, 1)):
        config = space.decode(unit)
        assert space.decode(space.encode(config)) == config


@pytest.mark.parametrize("bounds", [(0.1 + 0.2, 0.9), (-1e6, 1e-3), (1e6, 1e6 + 1e-3), (1 / 3, 2 / 3)])
def test_values_next_to_a_bound_are_kept_or_become_the_bound(bounds: tuple[float, float]) -> None:
    space = as_space({"x": bounds})
    low, high = space.domains[0].values(2)
    for value in (low, high, np.nextafter(low, high), np.nextafter(high, low), low + (high - low) * 1e-9):
        config = space.check({"x": value})
        assert space.decode(space.encode(config)) == config
        assert abs(config["x"] - value) <= 2e-12 * max(high - low, abs(low) / 100, abs(high) / 100)


# Priors


def test_samples_follow_the_priors() -> None:
    configspace = CS.ConfigurationSpace()
    configspace.add(
        CS.NormalFloatHyperparameter("normal", mu=2, sigma=0.5, lower=0, upper=10),
        CS.BetaFloatHyperparameter("beta", alpha=2, beta=6, lower=0, upper=1),
        CS.NormalIntegerHyperparameter("whole", mu=5, sigma=2, lower=0, upper=20),
        CS.UniformFloatHyperparameter("log", 1e-4, 1.0, log=True),
        CS.CategoricalHyperparameter("kind", ["a", "b", "never"], weights=[3, 1, 0]),
    )
    space = Space(configspace)
    rng = np.random.default_rng(0)
    configs = [space.sample(rng) for _ in range(2_000)]
    column = {name: [config[name] for config in configs] for name in space.names}
    assert np.mean(column["normal"]) == pytest.approx(2, abs=0.05)
    assert np.std(column["normal"]) == pytest.approx(0.5, abs=0.03)
    assert np.mean(column["beta"]) == pytest.approx(0.25, abs=0.02)
    assert np.mean(column["whole"]) == pytest.approx(5, abs=0.2)
    assert np.median(column["log"]) == pytest.approx(1e-2, rel=0.2)
    assert column["kind"].count("a") / 2_000 == pytest.approx(0.75, abs=0.03)
    assert "never" not in column["kind"]


def test_samples_of_one_seed_are_the_same() -> None:
    space = as_space({"x": (0.0, 1.0), "n": (1, 100), "kind": ["a", "b"]})
    first, second = (space.sample(np.random.default_rng(3)) for _ in range(2))
    assert first == second


def test_a_prior_far_outside_its_range_still_draws_inside() -> None:
    configspace = CS.ConfigurationSpace()
    configspace.add(CS.NormalFloatHyperparameter("x", mu=-20, sigma=1, lower=0, upper=10))
    space = Space(configspace)
    drawn = [space.quantile(np.array([share]))["x"] for share in (0.0, 0.1, 0.5, 0.999)]
    assert drawn == sorted(drawn)
    assert all(0 <= value <= 1 for value in drawn)


def test_a_space_that_forbids_nearly_all_says_so_when_sampled() -> None:
    configspace = CS.ConfigurationSpace()
    configspace.add(CS.Float("x", (0.0, 1.0), default=1.0))
    configspace.add(CS.ForbiddenLessThanClause(configspace["x"], 1.0))
    with pytest.raises(SpaceError, match="all forbidden; loosen"):
        Space(configspace).sample(np.random.default_rng(0))


# Sizes and grids


def test_the_size_of_a_small_space_is_exact() -> None:
    assert as_space({"a": (0, 3), "b": ["x", "y"], "c": [1, 2], "d": (1, 4)}).size == 64


def test_a_continuous_space_has_no_size() -> None:
    assert as_space({"a": (0, 3), "x": (0.0, 1.0)}).size == math.inf


def test_conditions_and_forbidden_clauses_count() -> None:
    configspace = CS.ConfigurationSpace({"kind": ["a", "b", "c"], "n": (1, 10), "m": (1, 5)})
    configspace.add(CS.EqualsCondition(configspace["n"], configspace["kind"], "a"))
    assert Space(configspace).size == 5 * (10 + 1 + 1)
    configspace.add(
        CS.ForbiddenAndConjunction(
            CS.ForbiddenEqualsClause(configspace["kind"], "b"), CS.ForbiddenEqualsClause(configspace["m"], 2)
        )
    )
    space = Space(configspace)
    assert space.size == 5 * 12 - 1
    assert len({space.key(config) for config in space.grid(100)}) == 59


def test_large_independent_parts_are_counted_without_listing() -> None:
    space = as_space({f"n{i}": (1, 10**6) for i in range(10)})
    assert space.size == 10**60


def test_a_count_that_would_take_too_long_is_an_upper_bound() -> None:
    configspace = CS.ConfigurationSpace({"a": (1, 10**6), "b": (1, 10**6)})
    configspace.add(
        CS.ForbiddenAndConjunction(
            CS.ForbiddenEqualsClause(configspace["a"], 2), CS.ForbiddenEqualsClause(configspace["b"], 2)
        )
    )
    assert Space(configspace).size == 10**12


def test_a_grid_cuts_long_ranges_and_spaces_them_on_their_scale() -> None:
    configspace = CS.ConfigurationSpace()
    configspace.add(CS.Float("x", (1e-4, 1.0), log=True))
    assert [config["x"] for config in Space(configspace).grid(5)] == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1])
    assert [config["n"] for config in as_space({"n": (0, 100)}).grid(5)] == [0, 25, 50, 75, 100]
    assert [config["x"] for config in as_space({"x": (0.0, 2.0)}).grid(1)] == [1.0]


def test_a_grid_of_more_than_a_million_points_is_refused() -> None:
    space = as_space({f"x{i}": (0.0, 1.0) for i in range(7)})
    with pytest.raises(SpaceError, match=r"the grid has 10,000,000 points, more than 1,000,000; lower its resolution"):
        space.grid(10)


def test_a_grid_of_no_values_is_refused() -> None:
    with pytest.raises(SpaceError, match="resolution is 0; give 1 or more"):
        as_space({"x": (0.0, 1.0)}).grid(0)


@pytest.mark.parametrize(
    ("clause", "value", "allowed"),
    [
        (CS.ForbiddenEqualsClause, 2, {0, 1, 3, 4}),
        (CS.ForbiddenInClause, [2, 3], {0, 1, 4}),
        (CS.ForbiddenLessThanClause, 2, {2, 3, 4}),
        (CS.ForbiddenLessThanEqualsClause, 2, {3, 4}),
        (CS.ForbiddenGreaterThanClause, 2, {0, 1, 2}),
        (CS.ForbiddenGreaterThanEqualsClause, 2, {0, 1}),
    ],
)
@pytest.mark.parametrize("kind", ["integer", "ordinal"])
def test_each_kind_of_forbidden_clause(clause: Any, value: Any, allowed: set[int], kind: str) -> None:
    configspace = CS.ConfigurationSpace()
    default = min(allowed) if 0 in allowed else max(allowed)
    # An order that is not that of the numbers themselves.
    sequence = [4, 3, 2, 1, 0]
    names = {number: number if kind == "integer" else sequence[number] for number in range(5)}
    if kind == "integer":
        configspace.add(CS.Integer("n", (0, 4), default=default))
    else:
        configspace.add(CS.OrdinalHyperparameter("n", sequence, default_value=names[default]))
    given_value = [names[one] for one in value] if isinstance(value, list) else names[value]
    configspace.add(clause(configspace["n"], given_value))
    space = Space(configspace)
    assert {config["n"] for config in space.grid(10)} == {names[number] for number in allowed}
    assert space.size == len(allowed)


@pytest.mark.parametrize(
    ("relation", "holds"),
    [
        (CS.ForbiddenLessThanRelation, lambda a, b: a < b),
        (CS.ForbiddenLessThanEqualsRelation, lambda a, b: a <= b),
        (CS.ForbiddenEqualsRelation, lambda a, b: a == b),
        (CS.ForbiddenGreaterThanRelation, lambda a, b: a > b),
        (CS.ForbiddenGreaterThanEqualsRelation, lambda a, b: a >= b),
    ],
)
def test_each_kind_of_forbidden_relation(relation: Any, holds: Any) -> None:
    a, b = next((a, b) for a in range(3) for b in range(3) if not holds(a, b))
    configspace = CS.ConfigurationSpace()
    configspace.add(CS.Integer("a", (0, 2), default=a), CS.Integer("b", (0, 2), default=b))
    configspace.add(relation(configspace["a"], configspace["b"]))
    pairs = {(config["a"], config["b"]) for config in Space(configspace).grid(5)}
    assert pairs == {(a, b) for a in range(3) for b in range(3) if not holds(a, b)}


# Users' configs


@pytest.fixture
def svc() -> Space:
    configspace = CS.ConfigurationSpace({"kernel": ["rbf", "linear"], "shrinking": [True, False], "degree": (1, 5)})
    configspace.add(CS.Float("C", (0.01, 10.0), log=True), CS.Float("gamma", (1e-4, 1.0), log=True, default=0.1))
    configspace.add(CS.EqualsCondition(configspace["gamma"], configspace["kernel"], "rbf"))
    configspace.add(
        CS.ForbiddenAndConjunction(
            CS.ForbiddenEqualsClause(configspace["kernel"], "linear"),
            CS.ForbiddenEqualsClause(configspace["degree"], 5),
        )
    )
    return Space(configspace)


def test_missing_active_values_are_filled_by_their_defaults(svc: Space) -> None:
    assert svc.check({"C": 1}) == {**svc.default(), "C": 1.0}
    assert svc.check({"kernel": "rbf"})["gamma"] == 0.1


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"kernal": "rbf"}, r"unknown hyperparameter 'kernal'; did you mean 'kernel'\?"),
        ({"C": 20}, r"C is 20; expected a number from 0.01 to 10.0"),
        ({"C": "much"}, r"C is 'much'; expected a number"),
        ({"C": True}, r"C is True; expected a number"),
        ({"C": math.nan}, r"C is nan; expected a number"),
        ({"degree": 2.5}, r"degree is 2.5; expected a whole number from 1 to 5"),
        ({"degree": 9}, r"degree is 9; expected a whole number from 1 to 5"),
        ({"kernel": "linaer"}, r"kernel is 'linaer'; did you mean 'linear'\?"),
        ({"kernel": 7}, r"kernel is 7; expected one of: 'rbf', 'linear'"),
        ({"shrinking": "true"}, r"shrinking is 'true'; did you mean True\?"),
        ({"kernel": ["rbf"]}, r"kernel is \['rbf'\]"),
        ({"kernel": "linear", "degree": 5}, r"is not allowed: .*degree == 5"),
        ([1], r"a config is \[1\]; give a dict"),
    ],
)
def test_a_config_that_cannot_be_is_refused(svc: Space, config: Any, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        svc.check(config)


# Making spaces


def test_a_space_is_taken_in_three_shapes(svc: Space) -> None:
    assert as_space(svc) is svc
    assert as_space(svc.configspace).names == svc.names
    space = as_space({"x": (0, 1.0), "n": (1, 3), "kind": ["a"], "fixed": 7, "own": CS.Float("own", (1.0, 2.0))})
    assert {domain.name: domain.facts()["type"] for domain in space.domains} == {
        "x": "float",
        "n": "integer",
        "kind": "constant",
        "fixed": "constant",
        "own": "float",
    }


@pytest.mark.parametrize(
    ("given_space", "message"),
    [
        ({"C": (10, 1)}, r"C: the range 10 to 1 is upside down; give \(low, high\)"),
        ({"C": (1.0, 1.0)}, r"C: the range 1.0 to 1.0 holds one value; give the value alone"),
        ({"C": (0.0, math.inf)}, r"C: the range 0.0 to inf is not finite"),
        ({"C": (1, 2, 3)}, r"C is \(1, 2, 3\); a tuple is a range \(low, high\) of numbers, a list holds choices"),
        ({"C": ("a", "b")}, r"a tuple is a range"),
        ({"C": []}, r"C has no choices; give at least one"),
        ({"C": [1, 1.0]}, r"C: the choice 1 is given twice, or equals another one"),
        ({"C": [(1, 2)]}, r"C: the choice \(1, 2\) is no plain value"),
        ({"C": [math.nan]}, r"C: the choice nan is no plain value"),
        ({"C": {"low": 1}}, r"C is \{'low': 1\}; give \(low, high\), a list of choices, or one plain value"),
        ({"C": (0, 2**50)}, r"C: the range 0 to \d+ is too long for integers; give floats"),
        ({"C": (1.0, 1.0 + 1e-15)}, r"C: the range .* (is too narrow|holds one value)"),
        ({3: (0, 1)}, r"a hyperparameter's name is 3"),
        ({}, r"the space is empty"),
        ([1, 2], r"a space is \[1, 2\]; give a ConfigSpace.ConfigurationSpace or a dict"),
    ],
)
def test_a_space_that_cannot_be_is_refused(given_space: Any, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        as_space(given_space)


def test_choices_that_are_not_plain_are_refused_in_a_configspace_too() -> None:
    configspace = CS.ConfigurationSpace()
    configspace.add(CS.CategoricalHyperparameter("layers", [(10,), (10, 10)]))
    with pytest.raises(SpaceError, match=r"layers: the choice \(10,\) is no plain value"):
        Space(configspace)


# Differences


def test_differences_are_told_in_words() -> None:
    mine = CS.ConfigurationSpace({"kind": ["a", "b"], "only_mine": (1, 2)})
    mine.add(CS.Float("C", (0.01, 10.0), default=1.0))
    mine.add(CS.EqualsCondition(mine["C"], mine["kind"], "a"))
    theirs = CS.ConfigurationSpace({"kind": ["a", "b", "c"], "only_theirs": (1, 2)})
    theirs.add(CS.Float("C", (0.1, 10.0), default=1.0, log=True))
    assert Space(mine).differences(Space(theirs)) == [
        "only_mine: not in the stored space",
        "only_theirs: only in the stored space",
        "kind: choices 'a', 'b', stored 'a', 'b', 'c'",
        "C: range 0.01 to 10, stored 0.1 to 10",
        "C: scale linear, stored log",
        "condition C | kind == 'a': not in the stored space",
    ]


def test_another_type_is_one_difference() -> None:
    assert as_space({"x": (0.0, 1.0)}).differences(as_space({"x": (0, 1)})) == ["x: float, stored integer"]


def test_a_stored_space_does_not_differ_by_the_shape_of_its_clauses() -> None:
    configspace = CS.ConfigurationSpace({"kind": ["a", "b", "c"], "n": (1, 5)})
    configspace.add(CS.InCondition(configspace["n"], configspace["kind"], (np.str_("a"), "b")))
    configspace.add(CS.ForbiddenInClause(configspace["kind"], {"c", "b"}))
    space = Space(configspace)
    assert space.differences(Space.from_json(space.as_json())) == []


def test_equal_spaces_do_not_differ(svc: Space) -> None:
    assert svc.differences(svc) == []


def believed() -> Space:
    configspace = CS.ConfigurationSpace()
    kind = CS.CategoricalHyperparameter("kind", ["a", "b", "never"], weights=[3, 1, 0])
    width = CS.NormalFloatHyperparameter("width", mu=2, sigma=0.5, lower=0, upper=10)
    configspace.add(
        kind,
        width,
        CS.BetaFloatHyperparameter("rate", alpha=2, beta=6, lower=1e-4, upper=1, log=True),
        CS.NormalIntegerHyperparameter("depth", mu=5, sigma=2, lower=0, upper=20),
        CS.BetaIntegerHyperparameter("units", alpha=3, beta=2, lower=4, upper=256, log=True),
        CS.UniformFloatHyperparameter("plain", 0.0, 1.0),
    )
    configspace.add(CS.EqualsCondition(width, kind, "a"))
    return Space(configspace)


def test_the_density_is_that_of_the_draws() -> None:
    space, rng = believed(), np.random.default_rng(0)
    bins = np.linspace(0, 1, 6)
    points = np.array([space.encode(space.sample(rng)) for _ in range(3_000)])
    for name in ("rate", "depth", "units"):
        place = space.names.index(name)
        share = np.histogram(points[:, place], bins)[0] / len(points)
        expected = [space.domains[place].density(np.linspace(low, low + 0.2, 101)).mean() / 5 for low in bins[:-1]]
        np.testing.assert_allclose(share, expected, atol=0.05, err_msg=name)
    assert space.domains[space.names.index("kind")].density(np.array([0.1, 0.5, 0.9])).tolist() == [2.25, 0.75, 0]


def test_the_density_of_a_config_is_that_of_its_active_values_and_has_bounds() -> None:
    space = believed()
    config = {"kind": "b", "rate": 0.01, "depth": 5, "units": 64, "plain": 0.3}
    point = space.encode(space.check(config))
    active = [place for place in space.believed if not math.isnan(point[place])]
    each = [space.domains[place].density(point[[place]])[0] for place in active]
    assert len(active) == 4
    assert space.density(point[None])[0] == pytest.approx(np.prod(each))
    far = space.encode(space.check({**config, "depth": 20, "rate": 1.0}))
    assert space.density(far[None])[0] == 0.01
    assert as_space({"x": (0.0, 1.0)}).density(np.array([[0.2], [0.9]])).tolist() == [1, 1]


def test_fresh_values_come_from_the_prior_as_far_as_it_is_trusted() -> None:
    space = believed()
    width, kind = space.names.index("width"), space.names.index("kind")
    shares = np.linspace(0.0005, 0.9995, 1_000)

    def drawn(place: int, trust: float) -> list[Any]:
        return [space.fresh(place, share, trust) for share in shares]

    assert np.mean(drawn(width, 1.0)) == pytest.approx(2, abs=0.05)
    assert np.mean(drawn(width, 0.5)) == pytest.approx(3.5, abs=0.05)
    assert np.mean(drawn(width, 1e-6)) == pytest.approx(5, abs=0.05)
    assert [drawn(kind, 1e-6).count(one) for one in ("a", "b", "never")] == [500, 500, 0]


def test_a_belief_counts_half_after_four_results_and_a_tenth_after_36() -> None:
    assert [trust(n) for n in (0, 4, 12, 36)] == [1.0, 0.5, 0.25, 0.1]

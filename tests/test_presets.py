"""Families, their ranges and the space that they make."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moopt.data.features import Columns
from moopt.errors import SpaceError
from moopt.models.families import FAMILIES, Choice, Range
from moopt.models.presets import PREPARATION, as_ranges, cost_warnings, default_configs, families_for, preset_space

NUMBERS = Columns(("a", "b"))
MIXED = Columns(("a",), ("t",), numeric_gaps=True, text_gaps=True)


def test_each_hyperparameter_has_a_reason_and_a_default_within_its_range():
    for family in FAMILIES.values():
        for one in family.parameters:
            assert one.why
            if isinstance(one, Range):
                assert one.least <= one.low <= one.default <= one.high <= one.most
            else:
                assert one.default in one.values


def test_a_family_activates_its_own_hyperparameters_only():
    space = preset_space(list(FAMILIES), MIXED)
    for config in space.sample_configuration(200):
        family = config["family"]
        named = {name.split(":")[0] for name in dict(config) if ":" in name}
        assert named == {family}
        assert ("scale" in config) == FAMILIES[family].scaled
        assert ("encoding" in config) == FAMILIES[family].coded
        assert "imputation" in config


def test_preparation_that_would_do_nothing_is_no_part_of_the_space():
    assert {"scale"} == {name for name in preset_space(["logistic", "tree"], NUMBERS) if ":" not in name} - {"family"}
    assert "scale" not in preset_space(["tree"], NUMBERS)
    assert "scale" not in preset_space(["logistic"], Columns((), ("t",)))
    assert "encoding" not in preset_space(["logistic"], MIXED)


def test_one_family_needs_no_conditions():
    space = preset_space(["tree"], MIXED)
    assert not space.conditions
    assert space["family"].value == "tree"


@pytest.mark.parametrize("columns", [NUMBERS, MIXED, Columns((), ("t",))])
@pytest.mark.parametrize("families", [list(FAMILIES), ["svc"]])
def test_the_default_config_of_each_family_is_in_the_space(columns, families):
    from ConfigSpace import Configuration

    space = preset_space(families, columns)
    defaults = default_configs(families, columns)
    assert [config["family"] for config in defaults] == families
    for config in defaults:
        Configuration(space, values=dict(config)).check_valid_configuration()


def test_ranges_replace_ours_and_move_the_default():
    ranges = {"forest": {"n_estimators": [200, 500], "class_weight": ["balanced"], "max_depth": 5}}
    space = preset_space(["forest", "tree"], NUMBERS, ranges)
    assert (space["forest:n_estimators"].lower, space["forest:n_estimators"].upper) == (200, 500)
    assert space["forest:n_estimators"].log
    assert space["forest:max_depth"].value == 5
    forest = default_configs(["forest", "tree"], NUMBERS, ranges)[0]
    assert forest["forest:n_estimators"] == 200
    assert forest["forest:class_weight"] == "balanced"
    assert forest["forest:max_depth"] == 5


@pytest.mark.parametrize("columns", [NUMBERS, MIXED, Columns((), ("t",))])
def test_our_own_ranges_given_as_the_users_change_nothing(columns):
    families = list(FAMILIES)
    ranges = as_ranges(families, columns)
    assert ranges["forest"]["n_estimators"] == [10, 200]
    assert preset_space(families, columns, ranges) == preset_space(families, columns)
    assert default_configs(families, columns, ranges) == default_configs(families, columns)


def test_preparation_can_be_narrowed_too():
    space = preset_space(["tree"], MIXED, {PREPARATION: {"encoding": ["ordinal"]}})
    assert space["encoding"].value == "ordinal"


@pytest.mark.parametrize(
    ("ranges", "match"),
    [
        ({"forrest": {}}, r"unknown family 'forrest'; did you mean 'forest'\?"),
        ({"svc": {}}, "ranges are given for family svc, which is not searched"),
        ({"forest": [1, 2]}, r"the ranges of forest are \[1, 2\]; give hyperparameters with their ranges"),
        (
            {"forest": {"n_estimator": [1, 2]}},
            r"forest has no hyperparameter 'n_estimator'; did you mean 'n_estimators'\?",
        ),
        (
            {"forest": {"n_estimators": [300, 10]}},
            r"forest: n_estimators is \[300, 10\], upside down.*give \[10, 300\]",
        ),
        ({"forest": {"n_estimators": [0, 10]}}, "searched by its logarithm; give a low above 0"),
        ({"forest": {"n_estimators": [1.5, 10]}}, r"give \[low, high\] in whole numbers"),
        ({"forest": {"n_estimators": [1, 2, 3]}}, r"give \[low, high\] in whole numbers, or one value"),
        ({"forest": {"n_estimators": "many"}}, r"is 'many'; give \[low, high\]"),
        ({"forest": {"n_estimators": [True, 5]}}, r"give \[low, high\]"),
        ({"forest": {"max_depth": [0, 5]}}, "give numbers of at least 1"),
        ({"forest": {"max_features": [0.1, 1.5]}}, "give numbers of at least 1e-09 and at most 1"),
        ({"forest": {"class_weight": ["balance"]}}, r"has no choice 'balance'; did you mean 'balanced'\?"),
        ({"forest": {"class_weight": []}}, "forest: class_weight is empty; give some of: none, balanced"),
        ({PREPARATION: {"scaling": []}}, r"preparation has no hyperparameter 'scaling'; did you mean 'scale'\?"),
    ],
)
def test_ranges_that_cannot_be_are_refused(ranges, match):
    with pytest.raises(SpaceError, match=match):
        preset_space(["forest"], NUMBERS, ranges)
    with pytest.raises(SpaceError, match=match):
        default_configs(["forest"], NUMBERS, ranges)


@pytest.mark.parametrize(
    ("families", "match"),
    [
        ([], "no family is given; give some of: logistic, tree"),
        (["lgistic"], r"unknown family 'lgistic'; did you mean 'logistic'\?"),
        (["tree", "tree"], "family tree is named twice"),
    ],
)
def test_families_that_cannot_be_are_refused(families, match):
    with pytest.raises(SpaceError, match=match):
        preset_space(families, NUMBERS)


def test_costly_families_are_left_out_of_large_tables_unless_named():
    assert families_for(500) == tuple(FAMILIES)
    assert {"svc", "neighbours"} == set(FAMILIES) - set(families_for(30_000))
    assert cost_warnings(["svc", "tree"], 500) == []
    assert cost_warnings(["svc", "tree"], 30_000) == [
        "family svc is slow on 30,000 rows: its cost grows with their square; leave it out or give a time limit"
    ]


@given(st.data())
def test_a_narrowed_range_holds_its_default(data):
    family = data.draw(st.sampled_from(list(FAMILIES.values())))
    one = data.draw(st.sampled_from(family.parameters))
    if isinstance(one, Choice):
        own = data.draw(st.lists(st.sampled_from(one.values), min_size=1))
        inside = own
    else:
        numbers = st.integers if one.whole else st.floats
        low, high = sorted(data.draw(numbers(one.low, one.high)) for _ in range(2))
        own, inside = [low, high], None
    default = default_configs([family.name], NUMBERS, {family.name: {one.name: own}})[0][f"{family.name}:{one.name}"]
    assert default in inside if inside else own[0] <= default <= own[1]

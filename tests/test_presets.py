"""Families, their ranges and the space that they make."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moopt.data.features import Columns
from moopt.errors import SpaceError
from moopt.models.families import FAMILIES, Choice, Range
from moopt.models.presets import PREPARATION, as_ranges, cost_warnings, default_configs, families_for, preset_space
from moopt.space import Space

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


def test_a_belief_is_a_peak_on_the_scale_of_its_range_and_weights_of_choices():
    ranges = {
        "forest": {
            "n_estimators": {"likely": 120, "factor": 1.5, "range": [10, 400]},
            "max_depth": {"likely": 8, "sd": 3},
            "class_weight": {"weights": [1, 3]},
        }
    }
    space = Space(preset_space(["forest"], NUMBERS, ranges))
    rng = np.random.default_rng(0)
    drawn = pd.DataFrame([space.sample(rng) for _ in range(1000)])
    logs = np.log(drawn["forest:n_estimators"])
    assert abs(logs.median() - np.log(120)) < 0.1
    assert abs(logs.std() - np.log(1.5)) < 0.05
    assert abs(drawn["forest:max_depth"].mode()[0] - 8) <= 2
    assert abs(drawn["forest:max_depth"].std() - 3) < 0.4
    assert abs((drawn["forest:class_weight"] == "balanced").mean() - 0.75) < 0.05
    assert default_configs(["forest"], NUMBERS, ranges)[0]["forest:n_estimators"] == 100


def test_a_belief_wider_than_its_range_says_nothing():
    ranges = {"forest": {"max_depth": {"likely": 8, "sd": 50}}}
    assert preset_space(["forest"], NUMBERS, ranges) == preset_space(["forest"], NUMBERS)


@pytest.mark.parametrize(
    ("belief", "match"),
    [
        ({"max_depth": {"likely": 8}}, r"max_depth: its belief has no sd; give for instance \{ likely = 10, sd = 3 \}"),
        ({"max_depth": {"sd": 8}}, "max_depth: its belief has no likely"),
        ({"max_depth": {"likely": 8, "sd": 0}}, "max_depth: sd is 0; give a number above 0"),
        ({"max_depth": {"likely": 80, "sd": 3}}, "max_depth: likely is 80; give a number from 2 to 30"),
        ({"max_depth": {"likely": 8, "std": 3}}, "max_depth: a belief has no 'std'; did you mean 'sd'"),
        ({"n_estimators": {"likely": 100, "sd": 3}}, "n_estimators: a belief has no 'sd'; expected one of: .*factor"),
        ({"n_estimators": {"likely": 100, "factor": 1}}, "n_estimators: factor is 1; give a number above 1"),
        ({"n_estimators": {"likely": 9, "factor": 2, "range": [20, 10]}}, "upside down"),
        (
            {"class_weight": {"weights": [1]}},
            "class_weight: weights is .1.; give a number above 0 for each of none, bal",
        ),
        ({"class_weight": {"weights": [1, -1]}}, "give a number above 0 for each"),
        ({"class_weight": {"choices": ["all"], "weights": [1]}}, "class_weight has no choice 'all'"),
    ],
)
def test_a_belief_that_cannot_be_is_refused(belief, match):
    with pytest.raises(SpaceError, match=match):
        preset_space(["forest"], NUMBERS, {"forest": belief})

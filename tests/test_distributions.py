"""scikit-learn's distributions become a space, and configs become parameters again."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from scipy import stats

from moopt.errors import SpaceError
from moopt.space.distributions import Distributions, from_distributions


def facts(given: Any) -> dict[str, str]:
    (domain,) = from_distributions({"x": given}).space.domains
    return dict(domain.facts())


def kind(given: Any) -> tuple[str, str, str]:
    found = facts(given)
    return found["type"], found.get("range", found.get("choices", "")), found.get("scale", "")


class Drawn:
    """A distribution that can only draw."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def rvs(self, random_state: np.random.RandomState) -> Any:
        return self.values[random_state.randint(len(self.values))]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (stats.uniform(1, 3), ("float", "1 to 4", "linear")),
        (stats.uniform(loc=-1, scale=2), ("float", "-1 to 1", "linear")),
        (stats.loguniform(1e-3, 1e2), ("float", "0.001 to 100", "log")),
        (stats.reciprocal(1, 10), ("float", "1 to 10", "log")),
        (stats.randint(1, 10), ("integer", "1 to 9", "linear")),
        (stats.randint(low=1, high=1000, loc=2), ("integer", "3 to 1001", "linear")),
        (stats.randint(3, 4), ("constant", "3", "")),
        (stats.bernoulli(0.3), ("integer", "0 to 1", "linear")),
    ],
)
def test_known_distributions_keep_their_range(given: Any, expected: tuple[str, str, str]) -> None:
    assert kind(given) == expected


def test_another_distribution_becomes_its_central_range() -> None:
    (domain,) = from_distributions({"x": stats.norm(5, 1)}).space.domains
    low, high = domain.values(2)
    assert (low, high) == pytest.approx(stats.norm(5, 1).ppf([0.001, 0.999]))
    assert kind(stats.norm(5, 1))[2] == "linear"


def test_a_positive_distribution_over_a_wide_range_is_logarithmic() -> None:
    assert kind(stats.expon(scale=100))[::2] == ("float", "log")
    assert kind(stats.gamma(50))[::2] == ("float", "linear")
    assert kind(stats.geom(0.01))[::2] == ("integer", "log")
    assert kind(stats.poisson(3)) == ("integer", "0 to 10", "linear")


def test_a_distribution_that_nearly_touches_zero_starts_a_little_above_it() -> None:
    assert kind(stats.chi2(0.1))[1:] == ("1e-12 to 5.4729171974573", "log")


def test_a_distribution_without_a_finite_range_is_drawn() -> None:
    class Endless(Drawn):
        def ppf(self, _share: float) -> float:
            return math.inf

        def support(self) -> tuple[float, float]:
            return 0.0, math.inf

    assert kind(Endless(1, 2)) == ("ordinal", "1, 2", "")


def test_what_only_draws_becomes_its_sorted_distinct_values() -> None:
    assert kind(Drawn(3, 1, 2)) == ("ordinal", "1, 2, 3", "")
    assert facts(Drawn("b", "a"))["type"] == "categorical"


def test_draws_do_not_change_between_calls() -> None:
    given = {"x": Drawn(*range(1_000))}
    assert from_distributions(given).space.differences(from_distributions(given).space) == []
    assert from_distributions(given, seed=1).space.differences(from_distributions(given).space)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([1, 10, 100], ("ordinal", "1, 10, 100", "")),
        ([1.0, 0.5, 0.1], ("ordinal", "1.0, 0.5, 0.1", "")),
        ([10, 1, 100], ("categorical", "10, 1, 100", "")),
        ([None, 5, 10], ("categorical", "None, 5, 10", "")),
        (["l1", "l2"], ("categorical", "'l1', 'l2'", "")),
        ([True, False], ("categorical", "True, False", "")),
        (range(1, 4), ("ordinal", "1, 2, 3", "")),
        (np.array([0.1, 0.2]), ("ordinal", "0.1, 0.2", "")),
        (("a", "b"), ("categorical", "'a', 'b'", "")),
        ({"b", "a"}, ("categorical", "'a', 'b'", "")),
        (["only"], ("constant", "'only'", "")),
        ([1, 1, 2], ("ordinal", "1, 2", "")),
    ],
)
def test_lists_become_choices(given: Any, expected: tuple[str, str, str]) -> None:
    assert kind(given) == expected


def back(values: Any) -> list[Any]:
    """What a list's configs turn into, in the space's order."""
    made = from_distributions({"x": values})
    return [made.params(config)["x"] for config in made.space.grid(1)]


def labels(values: Any) -> list[Any]:
    made = from_distributions({"x": values})
    return [made.plain(config)["x"] for config in made.space.grid(1)]


def test_objects_come_back_as_they_are() -> None:
    class Model:
        def __repr__(self) -> str:
            return "Model(depth=3,\n      width=2)"

    values = [Model(), math.log, (100, 50), "text", np.float64(0.5), None, math.inf, {"a": 1}]
    assert all(got is given for got, given in zip(back(values), values, strict=True))
    assert labels(values) == ["Model(depth=3, width=2)", "log", "(100, 50)", "text", 0.5, None, "inf", "{'a': 1}"]


def test_numpy_numbers_keep_their_type() -> None:
    assert [type(value) for value in back(np.array([1, 2, 3]))] == [np.int64] * 3


def test_labels_are_short_and_unique() -> None:
    class Model:
        def __repr__(self) -> str:
            return "Model(" + "x" * 200 + ")"

    first, second = labels([Model(), Model()])
    assert len(first) == 60
    assert second == f"{first} (2)"


def test_labels_do_not_change_between_runs() -> None:
    class Model:
        pass

    assert labels([Model(), lambda: 0, "text"])[1:] == ["<lambda>", "text"]
    assert "0x" not in labels([Model(), "text"])[0]


def test_a_label_does_not_meet_a_text_of_the_list() -> None:
    assert labels([(1, 2), "(1, 2)"]) == ["(1, 2) (2)", "(1, 2)"]


def test_values_that_are_equal_but_not_the_same_stay_apart() -> None:
    assert back([1, True, 1.0]) == [1, True, 1.0]
    assert [type(value) for value in back([1, True, 1.0])] == [int, bool, float]


def test_one_dict_keeps_its_names() -> None:
    made = from_distributions({"svc__C": stats.loguniform(0.1, 10), "branch": ["a", "b"]})
    assert set(made.space.names) == {"svc__C", "branch"}
    config = made.space.default()
    assert made.params(config) == made.plain(config) == config


def test_one_dict_in_a_list_is_flat_too() -> None:
    assert from_distributions([{"C": [1, 2]}]).space.names == ("C",)


@pytest.fixture
def branches() -> Distributions:
    return from_distributions(
        [
            {"clf": [math.sin], "C": stats.loguniform(0.1, 10), "kernel": ["rbf", "linear"]},
            {"clf": [math.cos], "C": [1, 2], "depth": stats.randint(1, 5)},
        ]
    )


def test_several_dicts_become_branches(branches: Distributions) -> None:
    assert branches.space.names[0] == "branch"
    assert set(branches.space.names) == {"branch", "clf@1", "clf@2", "C@1", "C@2", "kernel", "depth"}
    rng = np.random.default_rng(0)
    for _ in range(50):
        config = branches.space.sample(rng)
        params = branches.params(config)
        expected = {"clf", "C", "kernel"} if config["branch"] == 1 else {"clf", "C", "depth"}
        assert set(params) == set(branches.plain(config)) == expected
        assert params["clf"] is (math.sin if config["branch"] == 1 else math.cos)


def test_plain_values_of_branches_carry_the_users_names(branches: Distributions) -> None:
    config = branches.space.check({"branch": 2, "C@2": 2, "depth": 3})
    assert branches.plain(config) == {"clf": "cos", "C": 2, "depth": 3}


def test_a_dict_without_parameters_is_a_branch_of_one_config() -> None:
    made = from_distributions([{}, {"n": [1, 2]}])
    assert made.space.size == 3
    assert made.params(made.space.check({"branch": 1})) == {}


def test_a_parameter_called_branch_does_not_meet_the_choice_of_branches() -> None:
    made = from_distributions([{"branch": [1, 2]}, {"n": [1, 2]}])
    assert set(made.space.names) == {"branch@", "branch", "n"}
    assert made.params(made.space.check({"branch@": 1, "branch": 2})) == {"branch": 2}


def test_distributions_survive_pickling(branches: Distributions) -> None:
    again = pickle.loads(pickle.dumps(branches))
    config = branches.space.default()
    assert again.params(config) == branches.params(config)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("C", r"param_distributions is 'C'; give a dict of distributions and lists, or a list of such dicts"),
        ([{"C": [1]}, 3], r"param_distributions holds 3; each entry of its list is a dict"),
        ({1: [2]}, r"names a parameter 1; names are texts"),
        ({}, r"holds no parameter; give at least one"),
        ([], r"holds no parameter"),
        ({"C": []}, r"C is an empty list; give at least one value"),
        ({"C": 3}, r"C is 3; give a list of values or a scipy distribution"),
        ({"kernel": "rbf"}, r"kernel is 'rbf'; give a list of values"),
        ({"C": {"a": 1}}, r"C is \{'a': 1\}; give a list of values"),
        ({"C": stats.loguniform(1e-20, 1)}, r"C: the log range .* touches zero"),
        ({"C": stats.uniform(1, -2)}, r"C: its distribution cannot be drawn from"),
        ([{"C": [1]}, {"C": []}], r"C is an empty list"),
    ],
)
def test_distributions_that_cannot_be_are_refused(given: Any, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        from_distributions(given)


@pytest.mark.parametrize(
    ("given", "params", "expected"),
    [
        ({"C": stats.loguniform(0.1, 10)}, {"C": 1.0, "other": 3}, {"C": 1.0}),
        ({"C": stats.loguniform(0.1, 10)}, {"C": 100.0}, None),
        ({"C": [0.1, 1, 10]}, {"C": 1.0}, {"C": 1}),
        ({"depth": [3, None]}, {"depth": None}, {"depth": None}),
        ({"C": [1, 2]}, {"D": 1}, None),
        ({"fit": [len, max]}, {"fit": max}, {"fit": "max"}),
        ({"shape": [(1, 2), (3,)]}, {"shape": (3,)}, {"shape": "(3,)"}),
        ({"array": [np.ones(2), np.zeros(2)]}, {"array": np.ones(2)}, None),
        (
            [{"k": ["a"], "C": [1]}, {"k": ["b"], "D": [2, 3]}],
            {"k": "b", "C": 1, "D": 3},
            {"branch": 2, "k": "b", "D": 3},
        ),
    ],
)
def test_parameters_become_the_config_that_sets_them(given: Any, params: dict[str, Any], expected: Any) -> None:
    made = from_distributions(given)
    config = made.config(params)
    if expected is None:
        assert config is None
    else:
        assert config is not None
        assert made.params(config).items() <= params.items()
        if isinstance(given, dict):
            assert config == expected
        else:
            assert config["branch"] == expected["branch"]

"""The view and its twin in the URL."""

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moopt.choose.moves import ANYTHING, IMPROVE
from moopt.objectives import Objective
from moopt_explorer import state
from moopt_explorer.state import View

ACCURACY = Objective("accuracy", "maximize")
LATENCY = Objective("latency_ms", log=True, limit=10.0)
SIZE = Objective("size_kb", log=True)
THREE = (ACCURACY, LATENCY, SIZE)

names = st.text(max_size=40)
views = st.builds(
    View,
    study=names,
    x=names,
    y=names,
    limits=st.dictionaries(
        st.text(min_size=1, max_size=40), st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=4
    ),
    preference=st.text(min_size=1, max_size=40),
    pick=st.none() | st.integers(0, 2**53 - 1),
    picture=st.sampled_from(state.PICTURES),
    whole=st.booleans(),
    rival=names,
    explained=names,
    along=names,
    wishes=st.dictionaries(
        st.text(min_size=1, max_size=40),
        st.sampled_from([IMPROVE, ANYTHING]) | st.floats(allow_nan=False, allow_infinity=False),
        max_size=4,
    ),
    compared=st.lists(st.integers(0, 2**53 - 1), unique=True, max_size=state.MOST_COMPARED).map(tuple),
)


@given(views)
def test_a_view_comes_back_from_its_query(view: View) -> None:
    assert state.from_query(state.to_query(view)) == view


@given(views)
def test_a_view_comes_back_from_a_link(view: View) -> None:
    link = urlencode(state.to_query(view))
    assert state.from_query(dict(parse_qsl(link, keep_blank_values=True))) == view


@given(st.dictionaries(st.text(max_size=30), st.text(max_size=30)))
def test_any_query_gives_a_view_that_a_study_can_show(query: dict[str, str]) -> None:
    view = state.fitted(state.from_query(query), THREE)
    assert view == state.fitted(view, THREE)
    x, y = state.axes(view, THREE)
    assert x != y


@given(views)
def test_a_fitted_view_names_only_what_the_study_has(view: View) -> None:
    fitted = state.fitted(view, THREE)
    known = {objective.name for objective in THREE}
    assert {fitted.x, fitted.y} <= known | {""}
    assert set(fitted.limits) <= known
    assert set(fitted.wishes) <= known
    assert fitted.preference in known | {"balanced", "knee"}


def test_a_fresh_view_leaves_the_url_empty() -> None:
    assert state.to_query(View()) == {}


def test_a_query_can_be_read_by_people() -> None:
    view = View(x="latency_ms", limits={"latency_ms": 5.0, "recall": None}, preference="recall", pick=102, whole=True)
    assert state.to_query(view) == {
        "x": "latency_ms",
        "prefer": "recall",
        "pick": "102",
        "show": "all",
        "limit.latency_ms": "5.0",
        "limit.recall": "none",
    }


@pytest.mark.parametrize("text", ["-1", "1.5", "x", "1e3", "٣", "9" * 17, " 1", ""])
def test_a_pick_that_is_no_number_is_left_out(text: str) -> None:
    assert state.from_query({"pick": text}).pick is None


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "five", ""])
def test_a_limit_that_is_no_finite_number_is_left_out(text: str) -> None:
    assert state.from_query({"limit.latency_ms": text}).limits == {}


def test_a_limit_without_a_logarithm_is_left_out_of_a_logarithmic_objective() -> None:
    assert state.fitted(View(limits={"latency_ms": -1.0}), THREE).limits == {}


def test_a_limit_set_back_to_the_studys_own_leaves_the_url() -> None:
    view = state.with_limit(View(), LATENCY, 5.0)
    assert state.to_query(view) == {"limit.latency_ms": "5.0"}
    assert state.to_query(state.with_limit(view, LATENCY, 10.0)) == {}


def test_a_cost_goes_across_and_a_score_upwards() -> None:
    assert state.axes(View(), THREE) == (LATENCY, ACCURACY)


def test_the_other_axis_gives_way_to_the_one_that_was_asked_for() -> None:
    assert state.axes(View(x="accuracy"), THREE) == (ACCURACY, LATENCY)
    assert state.axes(View(y="latency_ms"), THREE) == (SIZE, LATENCY)
    assert state.axes(View(x="size_kb", y="size_kb"), THREE) == (SIZE, ACCURACY)


def test_a_single_objective_stands_over_the_trials_numbers() -> None:
    assert state.axes(View(x="accuracy"), (ACCURACY,)) == (state.TRIAL_NUMBER, ACCURACY)

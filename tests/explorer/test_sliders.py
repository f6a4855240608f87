"""What the slider of a limit offers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moopt.objectives import Objective, loss
from moopt_explorer import sliders

ACCURACY = Objective("accuracy", "maximize")
LATENCY = Objective("latency_ms", log=True)
COST = Objective("cost")

fronts = st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=30).map(np.array)


@given(fronts, st.sampled_from([ACCURACY, LATENCY, COST]))
def test_every_member_of_the_front_meets_some_option_and_some_option_is_tight(
    values: np.ndarray, objective: Objective
) -> None:
    offered = sliders.options(objective, values)
    limits = [limit for limit in offered if limit != sliders.ANY]
    worst, best = max(limits, key=lambda one: loss(objective, one)), min(limits, key=lambda one: loss(objective, one))
    tolerance = 1e-3 * float(np.abs(values).max())
    assert all(loss(objective, value) <= loss(objective, worst) + 1e-9 for value in values)
    assert abs(best - (values.max() if objective.direction == "maximize" else values.min())) <= max(
        tolerance, float(np.ptp(values)) / 10
    )


@given(fronts, st.sampled_from([ACCURACY, LATENCY, COST]))
def test_options_go_up_and_end_where_least_is_asked(values: np.ndarray, objective: Objective) -> None:
    offered = sliders.options(objective, values)
    limits = [limit for limit in offered if limit != sliders.ANY]
    assert limits == sorted(set(limits))
    assert offered[-1 if objective.direction == "minimize" else 0] == sliders.ANY
    assert len(offered) <= 2 * sliders.N_STEPS + 4


def test_options_are_round_and_hold_the_limits_in_force() -> None:
    offered = sliders.options(ACCURACY, np.array([0.9, 0.96]), 0.8123)
    assert offered[1] == 0.8123
    assert offered[2:6] == [0.9, 0.902, 0.904, 0.906]


def test_a_front_with_one_value_offers_it() -> None:
    assert sliders.options(COST, np.array([3.0])) == [3.0, sliders.ANY]


@pytest.mark.parametrize(("limit", "text"), [(5.0, "5 ms"), (0.123456, "0.1235 ms"), (sliders.ANY, "no limit")])
def test_an_option_is_written_with_its_unit(limit: float, text: str) -> None:
    assert sliders.option_text(LATENCY, limit) == text


@pytest.mark.parametrize(("objective", "kept"), [(LATENCY, [True, False]), (ACCURACY, [False, True])])
def test_bars_beyond_the_limit_are_pale(objective: Objective, kept: list[bool]) -> None:
    bars = sliders.histogram(objective, np.array([0.1, 0.1, 0.9]), 0.5)
    assert [bar.kept for bar in (bars[0], bars[-1])] == kept
    assert [bar.share for bar in (bars[0], bars[-1])] == [1.0, 0.5]


def test_a_front_with_one_value_has_one_bar() -> None:
    assert sum(bar.share > 0 for bar in sliders.histogram(COST, np.array([3.0]), None)) == 1


def test_members_within_a_limit_are_counted() -> None:
    values = np.array([1.0, 5.0, 6.0])
    assert sliders.n_within(LATENCY, values, 5.0) == 2
    assert sliders.n_within(ACCURACY, values, 5.0) == 2
    assert sliders.n_within(LATENCY, values, None) == 3

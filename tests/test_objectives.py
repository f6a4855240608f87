import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moopt.errors import ObjectiveError
from moopt.objectives import (
    Objective,
    as_objective,
    as_objectives,
    format_value,
    latency,
    loss,
    loss_matrix,
    losses,
    value_of,
    violation,
    violations,
    with_limits,
)

ERROR = Objective("error", "minimize")
ACCURACY = Objective("accuracy", "maximize", limit=0.9)
LATENCY = Objective("latency_ms", "minimize", log=True, limit=5)


def test_the_unit_is_read_from_the_name() -> None:
    assert [as_objective(name).unit for name in ("accuracy", "latency", "size", "fit_time")] == ["", "ms", "kB", "s"]


def test_short_names_are_their_columns() -> None:
    names = [objective.name for objective in as_objectives(["latency", "latency_b256", "size", "fit_time", "recall"])]
    assert names == ["latency_ms", "latency_b256_ms", "size_kb", "fit_time_s", "recall"]


def test_scorers_are_maximised_and_costs_minimised_by_their_logarithm() -> None:
    assert as_objective("f1") == Objective("f1", "maximize")
    assert as_objective("size") == Objective("size_kb", "minimize", log=True)


@pytest.mark.parametrize("name", ["number", "state", "failure", "n_steps", "fit", "source", "violation", "param_x"])
def test_a_name_that_is_a_column_of_every_table_is_refused(name: str) -> None:
    with pytest.raises(ObjectiveError, match=f"called {name!r}, as a column of every table .*; give it another name"):
        Objective(name)


@pytest.mark.parametrize(
    ("text", "limit"), [("5 ms", 5), ("0.005 s", 5), ("800us", 0.8), ("5", 5), (5, 5), ("1 min", 60000)]
)
def test_a_limit_is_converted_to_the_objectives_unit(text: str, limit: float) -> None:
    assert Objective("latency_ms", log=True, limit=text).limit == pytest.approx(limit)  # type: ignore[arg-type]


def test_a_share_may_be_limited_in_percent() -> None:
    assert Objective("recall", "maximize", limit="90 %").limit == pytest.approx(0.9)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "limit", "message"),
    [
        ("latency_ms", "5 kB", "a size; give a limit in ms"),
        ("recall", "5 ms", "a time; give a plain number or a percentage"),
        ("latency_ms", "5 mss", "unknown unit; did you mean 'ms'"),
        ("latency_ms", "fast", "give a number with a unit, such as '5 ms'"),
        ("recall", math.nan, "give a finite number"),
    ],
)
def test_a_limit_that_does_not_fit_is_refused(name: str, limit: float, message: str) -> None:
    with pytest.raises(ObjectiveError, match=message):
        Objective(name, limit=limit)


def test_a_limit_of_zero_on_a_logarithm_is_refused() -> None:
    with pytest.raises(ObjectiveError, match="compared by its logarithm; give a limit above 0"):
        Objective("latency_ms", log=True, limit=0)


def test_an_unknown_direction_is_refused() -> None:
    with pytest.raises(ObjectiveError, match="direction is 'min'; expected 'minimize' or 'maximize'"):
        Objective("error", "min")  # type: ignore[arg-type]


def test_an_unknown_objective_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ObjectiveError, match="unknown objective 'acuracy'; did you mean 'accuracy'"):
        as_objective("acuracy")


def test_no_objective_and_one_named_twice_are_refused() -> None:
    with pytest.raises(ObjectiveError, match="no objective was given"):
        as_objectives([])
    with pytest.raises(ObjectiveError, match="latency_ms is named twice"):
        as_objectives(["latency", "latency_ms"])
    with pytest.raises(ObjectiveError, match="give a list"):
        as_objectives("accuracy")


@given(st.floats(1e-9, 1e9), st.integers(-40, 40))
def test_a_logarithm_is_shifted_by_powers_of_two_to_the_last_bit(value: float, power: int) -> None:
    shifted = losses([LATENCY], {"latency_ms": value * 2.0**power}) - losses([LATENCY], {"latency_ms": value})
    assert shifted.tolist() == [power]
    assert losses([LATENCY], {"latency_ms": value})[0] == pytest.approx(math.log2(value), abs=1e-12)


def test_losses_are_turned_and_logged_in_the_order_of_the_objectives() -> None:
    assert losses([ACCURACY, LATENCY], {"latency_ms": 64, "accuracy": 0.8}).tolist() == [-0.8, 6]


def test_a_value_without_a_loss_is_nan() -> None:
    assert math.isnan(loss(LATENCY, 0.0))
    assert np.isnan(losses([ACCURACY, LATENCY], {"accuracy": 0.8})).tolist() == [False, True]


def test_violation_is_the_sum_of_the_misses_in_losses() -> None:
    assert violation([ACCURACY, LATENCY], {"accuracy": 0.8, "latency_ms": 40}) == pytest.approx(0.1 + 3)
    assert violation([ACCURACY, LATENCY], {"accuracy": 0.95, "latency_ms": 5}) == 0
    assert math.isnan(violation([ACCURACY, LATENCY], {"accuracy": 0.95}))


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(0, 1), st.floats(-1, 1e6)), max_size=5))
def test_matrices_say_what_single_values_say(rows: list[tuple[float, float, float]]) -> None:
    objectives = [ERROR, ACCURACY, LATENCY]
    names = [objective.name for objective in objectives]
    matrix = np.array(rows).reshape(-1, 3)
    single = [losses(objectives, dict(zip(names, row, strict=True))) for row in rows]
    np.testing.assert_allclose(loss_matrix(objectives, matrix), np.reshape(single, (-1, 3)))
    missed = [violation(objectives, dict(zip(names, row, strict=True))) for row in rows]
    np.testing.assert_allclose(violations(objectives, matrix), missed)


def test_limits_may_be_given_later_by_short_name() -> None:
    assert with_limits([ACCURACY, LATENCY], {"latency": "2 ms"})[1].limit == 2
    with pytest.raises(ObjectiveError, match="'recal', which is no objective here"):
        with_limits([ACCURACY], {"recal": 1})


def test_values_are_printed_with_four_digits_and_their_unit() -> None:
    assert format_value(LATENCY, 3.14159) == "3.142 ms"
    assert format_value(ACCURACY, 0.5) == "0.5"
    assert format_value(ACCURACY, math.nan) == "–"


def test_a_latency_is_declared_by_its_batch():
    assert latency() == as_objective("latency")
    assert latency(batch=256, limit="1 s") == Objective("latency_b256_ms", log=True, limit=1000)
    assert [one.name for one in as_objectives([latency(), latency(8), "latency(batch=16)", "latency_b32"])] == [
        "latency_ms",
        "latency_b8_ms",
        "latency_b16_ms",
        "latency_b32_ms",
    ]


@pytest.mark.parametrize("batch", [0, -1, 2.5, True, "256"])
def test_a_batch_is_a_number_of_rows(batch):
    with pytest.raises(ObjectiveError, match=r"the batch of a latency is .*; give the rows of a call"):
        latency(batch)


@pytest.mark.parametrize(
    "name", ["latency_p95", "latency_p99_ms", "p90_latency", "latency_b256_p95_ms", "latency(percentile=95)"]
)
def test_a_percentile_is_no_objective_of_a_search(name):
    with pytest.raises(ObjectiveError, match=r"is a percentile, which a search cannot measure: .*\n.*confirm measures"):
        as_objective(name)


def test_a_percentile_is_refused_where_it_is_declared():
    with pytest.raises(ObjectiveError, match=r"latency_p99\.9 is a percentile"):
        latency(percentile=99.9)


@pytest.mark.parametrize(
    "objective", [Objective("error"), Objective("accuracy", "maximize"), Objective("size_kb", log=True)]
)
def test_a_loss_is_turned_back_into_its_value(objective: Objective) -> None:
    assert value_of(objective, loss(objective, 0.37)) == pytest.approx(0.37)

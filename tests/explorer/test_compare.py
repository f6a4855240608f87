"""Trials side by side."""

import numpy as np
import pytest

from moopt.objectives import Objective
from moopt.trial import State, StepResult, Trial
from moopt_explorer import charts
from moopt_explorer.compare import compare

OBJECTIVES = (Objective("accuracy", "maximize"), Objective("latency_ms", log=True))


def trial(number: int, accuracies: list[float], latency: float) -> Trial:
    steps = {k: StepResult({"accuracy": one, "latency_ms": latency}) for k, one in enumerate(accuracies)}
    values = {"accuracy": float(np.mean(accuracies)), "latency_ms": latency}
    return Trial(number, {"depth": number}, state=State.COMPLETE, n_steps=len(steps), steps=steps, values=values)


NOISY = trial(3, [0.90, 0.94, 0.88, 0.92], 2.0)
ALIKE = trial(5, [0.91, 0.93, 0.89, 0.92], 8.0)
BETTER = trial(8, [0.97, 0.99, 0.96, 0.98], 8.0)


def test_intervals_hold_the_values_and_are_in_the_objectives_unit() -> None:
    found = compare(OBJECTIVES, [NOISY, BETTER])
    assert (found.low <= found.values).all()
    assert (found.high >= found.values).all()
    assert found.low[0, 0] < 0.90 < 0.92 < found.high[0, 0]
    assert found.low[0, 1] == pytest.approx(2.0)


def test_a_difference_within_noise_is_told_from_one_beyond_it() -> None:
    found = compare(OBJECTIVES, [NOISY, ALIKE, BETTER])
    assert found.within_noise(0) == [(3, 5)]
    assert found.within_noise(1) == [(5, 8)]


def test_trials_of_one_step_have_no_noise() -> None:
    found = compare(OBJECTIVES, [trial(0, [0.9], 1.0), trial(1, [0.8], 2.0)])
    assert not found.has_noise
    assert found.within_noise(0) == []
    frame = found.frame()
    assert (frame["low"] == frame["value"]).all()
    assert frame["text"].tolist() == ["0.9", "1 ms", "0.8", "2 ms"]


def test_the_chart_has_a_line_an_objective_and_a_point_a_trial() -> None:
    spec = charts.dumbbells(compare(OBJECTIVES, [NOISY, ALIKE, BETTER]))
    assert len(spec["vconcat"]) == 2
    frame = spec["datasets"]["compared"]
    assert frame.groupby("objective")["trial"].apply(list).tolist() == [["#3", "#5", "#8"]] * 2
    assert "90 % interval" in frame["text"][0]

"""Trials side by side."""

import numpy as np
import pytest

from moopt.objectives import Objective
from moopt.trial import State, StepResult, Trial
from moopt_explorer import charts, wording
from moopt_explorer.compare import compare
from moopt_explorer.evidence import Told

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


def test_what_was_confirmed_stands_below_what_the_search_says() -> None:
    told = ({"accuracy": Told(0.86, 0.92, 0.89)}, {})
    found = compare(OBJECTIVES, [NOISY, BETTER], told)
    frame = found.frame()
    of_accuracy = frame[frame["objective"] == 0]
    assert of_accuracy["row"].tolist() == ["#3 by the search", "#3 confirmed", "#8 by the search"]
    assert of_accuracy.loc[of_accuracy["kind"] == "confirmed", ["value", "low", "high"]].to_numpy().tolist() == [
        [0.89, 0.86, 0.92]
    ]
    assert found.has_confirmed
    assert not compare(OBJECTIVES, [NOISY, BETTER]).has_confirmed


def test_no_mark_of_the_chart_lies_on_its_edge() -> None:
    found = compare(OBJECTIVES, [NOISY, BETTER], ({"accuracy": Told(0.5, 0.999, 0.89)}, {}))
    frame, window = found.frame(), found.window()
    for place in range(len(OBJECTIVES)):
        drawn = frame.loc[frame["objective"] == place, ["value", "low", "high"]]
        ends = window.loc[window["objective"] == place, "ends"]
        assert ends.min() < drawn.min(axis=None)
        assert ends.max() > drawn.max(axis=None)


def test_the_pairs_within_noise_are_named() -> None:
    accuracy = OBJECTIVES[0]
    assert wording.noise_line(accuracy, [], 3) == ""
    assert wording.noise_line(accuracy, [(3, 5)], 3) == "accuracy: the difference #3 to #5 is within noise."
    assert wording.noise_line(accuracy, [(3, 5), (5, 8)], 3) == "accuracy: within noise are #3 to #5 and #5 to #8."
    assert wording.noise_line(accuracy, [(3, 5), (3, 8), (5, 8)], 3) == "accuracy: all differences are within noise."

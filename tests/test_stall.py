"""Whether the front still grows, told from what its steps measured."""

from collections.abc import Sequence

import numpy as np
import pytest

from moopt.engine.stall import LEAST_GAIN, gain_and_noise
from moopt.objectives import Objective
from moopt.trial import Failure, Source, State, StepResult, Trial

OBJECTIVES = (Objective("accuracy", "maximize"), Objective("size_kb", log=True))


def a_trial(number: int, accuracies: Sequence[float], size: float = 10.0, **changes: object) -> Trial:
    steps = {step: StepResult({"accuracy": one, "size_kb": size}) for step, one in enumerate(accuracies)}
    values = {"accuracy": float(np.mean(accuracies)), "size_kb": size}
    fields = {"state": State.COMPLETE, "values": values, "steps": steps, "n_steps": len(steps), "finished_at": number}
    return Trial(number, {"x": number}, **{**fields, **changes})  # type: ignore[arg-type]


def two_corners() -> list[Trial]:
    return [a_trial(0, [0.8, 0.8], 1.0), a_trial(1, [0.9, 0.9], 100.0), *(a_trial(n, [0.7, 0.7], 50.0) for n in (2, 3))]


def test_nothing_is_said_before_two_windows_of_trials() -> None:
    assert gain_and_noise(OBJECTIVES, two_corners(), 2) is not None
    assert gain_and_noise(OBJECTIVES, two_corners()[:3], 2) is None


def test_siblings_are_no_trials_of_the_window_but_count_with_the_one_that_paid() -> None:
    def sibling(number: int, fit: int, accuracy: float) -> Trial:
        return a_trial(number, [accuracy, accuracy], 1.0, fit=fit, source=Source.SIBLING, finished_at=fit)

    early, late = sibling(4, 0, 0.95), sibling(5, 3, 0.95)
    assert gain_and_noise(OBJECTIVES, [*two_corners()[:3], early], 2) is None
    assert gain_and_noise(OBJECTIVES, [*two_corners(), early], 2) == (0.0, LEAST_GAIN)
    grown = gain_and_noise(OBJECTIVES, [*two_corners(), late], 2)
    assert grown is not None
    assert grown[0] > 0.1


def test_failed_trials_are_part_of_the_window_and_no_gain() -> None:
    failed = [a_trial(n, [0.9], state=State.FAILED, failure=Failure.ERROR, values={}) for n in range(4, 8)]
    assert gain_and_noise(OBJECTIVES, two_corners() + failed, 4) == (0.0, LEAST_GAIN)
    assert gain_and_noise(OBJECTIVES, failed, 2) is None


def test_a_gain_in_every_step_is_no_noise_and_one_in_a_single_step_is() -> None:
    def found(accuracies: Sequence[float]) -> tuple[float, float]:
        trials = [*two_corners()[:2], a_trial(2, [0.4, 0.5, 0.6], 8.0), a_trial(3, [0.5, 0.6, 0.7], 9.0)]
        trials += [a_trial(4, accuracies, 8.0), a_trial(5, [0.1, 0.1, 0.1], 9.0)]
        trials = [
            trial
            if trial.n_steps == 3
            else a_trial(trial.number, [trial.values["accuracy"]] * 3, trial.values["size_kb"])
            for trial in trials
        ]
        told = gain_and_noise(OBJECTIVES, trials, 2)
        assert told is not None
        return told

    steady, lucky = found([0.88, 0.88, 0.88]), found([0.64, 0.64, 1.36])
    assert steady[0] == pytest.approx(lucky[0])
    assert steady[0] > steady[1] == LEAST_GAIN
    assert lucky[0] < lucky[1]


def test_the_scale_of_an_objective_changes_nothing() -> None:
    def found(factor: float) -> tuple[float, float] | None:
        trials = [*two_corners(), a_trial(4, [0.85, 0.87], 8.0), a_trial(5, [0.82, 0.88], 9.0)]
        scaled = [a_trial(t.number, [one.values["accuracy"] * factor for one in t.steps.values()], t.values["size_kb"])
                  for t in trials]  # fmt: skip
        return gain_and_noise(OBJECTIVES, scaled, 2)

    assert found(1.0) == found(4.0)


def test_one_objective_has_a_scale_too() -> None:
    trials = [a_trial(n, [accuracy]) for n, accuracy in enumerate([0.5, 0.6, 0.7, 0.7, 0.7, 0.71])]
    told = gain_and_noise(OBJECTIVES[:1], trials, 3)
    assert told is not None
    assert 0.01 < told[0] < 0.1
    assert gain_and_noise(OBJECTIVES[:1], trials, 1) is not None


def test_trials_that_miss_a_limit_are_no_front() -> None:
    limited = (Objective("accuracy", "maximize", limit=0.95), OBJECTIVES[1])
    assert gain_and_noise(limited, two_corners(), 2) is None

"""Scores on training rows beside those on validation rows."""

from __future__ import annotations

from moopt import gap
from moopt.objectives import Objective
from moopt.trial import State, StepResult, Trial

ACCURACY = Objective("accuracy", "maximize")
ERROR = Objective("error")


def trial(number: int, *folds: tuple[float, float], name: str = "accuracy") -> Trial:
    """A trial by its scores on training and on validation rows, fold by fold."""
    steps = {place: StepResult({name: valid}, {name: train}) for place, (train, valid) in enumerate(folds)}
    return Trial(number, {}, state=State.COMPLETE, steps=steps, n_steps=len(folds))


MEMORISES = trial(1, (1.0, 0.80), (1.0, 0.82), (1.0, 0.81))
LEARNS = trial(2, (0.91, 0.89), (0.92, 0.90), (0.90, 0.90))
CANNOT = trial(3, (0.70, 0.71), (0.72, 0.69), (0.71, 0.70))


def test_over_and_underfitting_are_named_and_the_largest_gap_comes_first() -> None:
    found = gap.gaps(ACCURACY, [LEARNS, CANNOT, MEMORISES])
    assert [(one.number, one.reading) for one in found] == [(1, "overfits"), (2, ""), (3, "underfits")]
    assert round(found[0].size, 3) == -0.19


def test_an_error_is_read_the_other_way_round() -> None:
    memorises = trial(1, (0.0, 0.3), (0.01, 0.32), name="error")
    learns = trial(2, (0.1, 0.12), (0.11, 0.12), name="error")
    cannot = trial(3, (0.4, 0.4), (0.4, 0.41), name="error")
    found = gap.gaps(ERROR, [cannot, learns, memorises])
    assert [(one.number, one.reading) for one in found] == [(1, "overfits"), (2, ""), (3, "underfits")]


def test_a_gap_that_the_folds_do_not_agree_on_is_no_overfitting() -> None:
    wild = trial(1, (1.0, 0.999), (0.98, 0.70), (0.99, 0.999))
    assert [one.reading for one in gap.gaps(ACCURACY, [wild])] == [""]


def test_what_was_not_measured_on_training_rows_is_left_out() -> None:
    bare = Trial(4, {}, state=State.COMPLETE, steps={0: StepResult({"accuracy": 0.9, "size_kb": 3.0})})
    size = Objective("size_kb")
    assert gap.measured([ACCURACY, size], [bare, LEARNS]) == [ACCURACY]
    assert [one.number for one in gap.gaps(ACCURACY, [bare, LEARNS])] == [2]
    assert gap.measured([ACCURACY], [bare]) == []
    assert gap.gaps(ACCURACY, []) == []

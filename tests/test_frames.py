import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import moopt
from moopt.frames import front_frame, trials_frame
from moopt.objectives import COLUMNS, Objective
from moopt.store import open_store
from moopt.trial import Config, Failure, Source, State, StepResult, Trial
from tests.contracts.stores import a_record

OBJECTIVES = (Objective("accuracy", "maximize", limit=0.7), Objective("latency_ms", limit=5))


def a_trial(number: int, accuracy: float = 0.8, latency: float = 3.0, **changes: Any) -> Trial:
    values = {"accuracy": accuracy, "latency_ms": latency}
    fields: dict[str, Any] = {"config": {"x": 0.5}, "state": State.COMPLETE, "values": values, "fit": number}
    return Trial(**{"number": number, **fields, **changes})


def with_configs(*configs: Config) -> pd.DataFrame:
    return trials_frame(OBJECTIVES, [a_trial(number, config=config) for number, config in enumerate(configs)])


def test_the_columns_are_named_and_in_their_order() -> None:
    frame = with_configs({"family": "forest", "n": 3})
    assert list(frame) == [*COLUMNS, "accuracy", "latency_ms", "param_family", "param_n"]


def test_a_trial_is_a_row_with_what_became_of_it() -> None:
    steps = {0: StepResult({"accuracy": 0.8, "latency_ms": 3.0})}
    sibling = a_trial(1, fit=0, source=Source.SIBLING)
    failed = a_trial(2, state=State.FAILED, failure=Failure.OUT_OF_MEMORY, values={}, source=Source.DEFAULT)
    frame = trials_frame(OBJECTIVES, [a_trial(0, steps=steps), sibling, failed])
    assert frame["state"].tolist() == ["complete", "complete", "failed"]
    assert frame["failure"].isna().tolist() == [True, True, False]
    assert frame["failure"][2] == "out of memory"
    assert frame["n_steps"].tolist() == [1, 0, 0]
    assert frame["fit"].tolist() == [0, 0, 2]
    assert frame["source"].tolist() == ["search", "sibling", "default"]
    assert frame.loc[2, ["accuracy", "latency_ms"]].isna().all()


def test_a_trial_that_has_not_paid_yet_has_no_fit() -> None:
    frame = trials_frame(OBJECTIVES, [a_trial(0, fit=None, state=State.RUNNING, values={}), a_trial(1)])
    assert frame["fit"].isna().tolist() == [True, False]
    assert frame["fit"].dtype == "Int64"


def test_steps_may_be_told_where_trials_were_read_without_them() -> None:
    frame = trials_frame(OBJECTIVES, [a_trial(0), a_trial(1)], {1: 4})
    assert frame["n_steps"].tolist() == [0, 4]


def test_violation_is_by_how_much_the_limits_are_missed() -> None:
    frame = trials_frame(OBJECTIVES, [a_trial(0), a_trial(1, accuracy=0.5, latency=7.0)])
    assert frame["violation"].tolist() == pytest.approx([0.0, 0.2 + 2.0])


@pytest.mark.parametrize(
    ("values", "kind"), [([1, 2], np.int64), ([1.0, 2.0], np.float64), ([True, False], np.bool_), ([1, True], object)]
)
def test_values_of_one_kind_are_a_plain_column(values: list[Any], kind: type) -> None:
    column = with_configs(*({"p": value} for value in values))["param_p"]
    assert column.dtype == kind
    assert column.tolist() == values


def test_an_inactive_hyperparameter_is_missing_and_whole_numbers_stay_whole() -> None:
    column = with_configs({"depth": 3}, {"c": 0.1}, {"depth": 7})["param_depth"]
    assert column.isna().tolist() == [False, True, False]
    assert [type(value) for value in column.dropna()] == [int, int]


def test_mixed_values_stay_what_they_are() -> None:
    values = ["sqrt", 0.5, 3, None, True, 2**70]
    column = with_configs(*({"p": value} for value in values))["param_p"]
    assert column.tolist() == values
    assert [type(value) for value in column] == [type(value) for value in values]


def test_no_trial_is_a_frame_without_rows() -> None:
    for frame in (trials_frame(OBJECTIVES, []), front_frame(OBJECTIVES, [])):
        assert frame.empty
        assert {"number", "accuracy", "latency_ms"} <= set(frame)


def test_the_front_is_what_no_complete_trial_dominates() -> None:
    trials = [
        a_trial(0, 0.9, 4.0),
        a_trial(1, 0.8, 4.0),  # dominated by 0
        a_trial(2, 0.6, 1.0),  # misses a limit, and is on the front all the same
        a_trial(3, 0.99, 0.1, state=State.STOPPED),
        a_trial(4, state=State.FAILED, failure=Failure.ERROR, values={}),
        a_trial(5, 0.9, 4.0),  # as good as 0
        a_trial(6, 0.95, 0.5, state=State.RUNNING),
    ]
    frame = front_frame(OBJECTIVES, trials)
    assert {0, 2} <= set(frame["number"]) <= {0, 2, 5}
    assert list(frame) == list(trials_frame(OBJECTIVES, trials))


def test_no_complete_trial_is_an_empty_front() -> None:
    assert front_frame(OBJECTIVES, [a_trial(0, state=State.FAILED, values={}, failure=Failure.CRASH)]).empty


def test_a_value_that_is_not_finite_is_shown() -> None:
    frame = trials_frame(OBJECTIVES, [a_trial(0, latency=math.inf, state=State.FAILED, failure=Failure.NOT_FINITE)])
    assert frame["latency_ms"][0] == math.inf


@pytest.mark.parametrize("file", [None, "s.db"])
def test_a_study_counts_the_steps_of_its_trials(file: str | None, tmp_path: Any) -> None:
    store = open_store(file and tmp_path / file)
    store.create_study(a_record(space=moopt.space.as_space({"x": (0.0, 1.0)}).as_json()))
    step = StepResult({"accuracy": 0.8, "latency_ms": 3.0})
    with store.write("churn") as writer:
        for number, steps in enumerate(({0: step, 1: step}, {0: step})):
            writer.start(a_trial(number, state=State.RUNNING, values={}))
            writer.finish(a_trial(number, n_steps=2), steps)
    study = moopt.load_study(store, "churn")
    assert study.trials()["n_steps"].tolist() == [2, 1]
    assert study.front()["n_steps"].max() == 2

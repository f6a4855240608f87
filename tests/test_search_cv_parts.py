"""The parts of ParetoSearchCV that can be seen without a search: its table of results, its hashes, its references."""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from moopt.data import Rows
from moopt.objectives import Objective
from moopt.search_cv.data import Filed, referenced, sha256
from moopt.search_cv.results import cv_results, finished, front_frame, param_arrays
from moopt.trial import Failure, State, StepResult, Trial

OBJECTIVES = [Objective("accuracy", "maximize"), Objective("size_kb", log=True)]


def step(accuracy: float, size: float, train: float = 1.0) -> StepResult:
    details = {"fit_s": 0.5, "score_s": 0.25}
    return StepResult(
        {"accuracy": accuracy, "size_kb": size, "auc": accuracy / 2}, {"accuracy": train}, details=details
    )


TRIALS = [
    Trial(0, {"a": 1}, state=State.COMPLETE, n_steps=2, steps={0: step(0.5, 10), 1: step(0.7, 30)}),
    Trial(1, {"a": 2}, state=State.FAILED, n_steps=2, steps={0: step(0.9, 5)}, failure=Failure.ERROR),
    Trial(2, {"a": 3}, state=State.RUNNING, n_steps=2),
    Trial(3, {"b": 4}, state=State.COMPLETE, n_steps=2, steps={0: step(0.5, 20), 1: step(0.7, 10)}),
]


def table(**options: Any) -> dict[str, Any]:
    rows = finished(TRIALS)
    return cv_results(rows, [dict(one.config) for one in rows], OBJECTIVES, n_splits=2, **options)


def test_a_row_is_a_finished_trial() -> None:
    assert table()["number"].tolist() == [0, 1, 3]
    assert table()["params"] == [{"a": 1}, {"a": 2}, {"b": 4}]


def test_means_and_deviations_are_over_the_folds() -> None:
    results = table()
    assert results["split1_test_accuracy"][0] == 0.7
    assert results["mean_test_accuracy"][0] == pytest.approx(0.6)
    assert results["std_test_accuracy"][0] == pytest.approx(0.1)
    assert results["mean_test_auc"][0] == pytest.approx(0.3)
    assert results["mean_fit_time"][0] == 0.5
    assert results["mean_score_time"][0] == 0.25


def test_the_mean_of_a_complete_trial_is_its_value_to_the_last_bit() -> None:
    scores = [2.0, 2.1, 2.05]  # numpy's mean of them is another number than the correctly rounded one
    exact = math.fsum(scores) / 3
    assert np.array([scores]).mean(axis=1)[0] != exact
    steps = {k: step(score, 10) for k, score in enumerate(scores)}
    trial = Trial(0, {}, state=State.COMPLETE, n_steps=3, steps=steps, values={"accuracy": exact, "size_kb": 10.0})
    results = cv_results([trial], [{}], OBJECTIVES, n_splits=3)
    assert results["mean_test_accuracy"][0] == exact


def test_ranks_begin_at_the_best_equals_share_the_better_and_failures_come_last() -> None:
    results = table()
    assert results["rank_test_accuracy"].tolist() == [1, 3, 1]
    assert results["rank_test_size_kb"].tolist() == [2, 3, 1]


def test_missing_folds_of_a_failed_trial_have_the_error_score() -> None:
    assert math.isnan(table()["mean_test_accuracy"][1])
    results = table(error_score=0.1, train=True)
    assert results["split0_test_accuracy"][1] == 0.9
    assert results["split1_test_accuracy"][1] == 0.1
    assert results["mean_test_accuracy"][1] == pytest.approx(0.5)
    assert results["split1_train_accuracy"][1] == 0.1


def test_training_scores_are_there_if_asked_for_and_costs_have_none() -> None:
    assert not any("train" in key for key in table())
    assert {key for key in table(train=True) if "mean_train" in key} == {"mean_train_accuracy", "mean_train_auc"}


def test_the_score_also_goes_by_its_alias() -> None:
    results = table(alias="accuracy")
    assert_array_equal(results["mean_test_score"], results["mean_test_accuracy"])
    assert_array_equal(results["rank_test_score"], results["rank_test_accuracy"])


def test_nothing_evaluated_gives_an_empty_table() -> None:
    empty = cv_results([], [], OBJECTIVES, n_splits=2)
    assert empty["params"] == []
    assert len(empty["mean_test_accuracy"]) == len(empty["rank_test_size_kb"]) == 0
    assert front_frame(OBJECTIVES, [], []).columns.tolist() == ["number", "accuracy", "size_kb"]


def test_parameters_are_masked_where_a_trial_does_not_set_them_and_keep_their_types() -> None:
    arrays = param_arrays([{"n": 1, "f": 1, "o": [1, 2]}, {"n": 2, "f": 0.5, "o": None}, {"n": 3, "o": (1, 2)}])
    assert arrays["param_n"].dtype == np.int64
    assert arrays["param_f"].dtype == np.float64
    assert arrays["param_f"].mask.tolist() == [False, False, True]
    assert arrays["param_o"].dtype == object
    assert arrays["param_o"].tolist() == [[1, 2], None, (1, 2)]


EQUAL = [
    lambda: np.arange(6.0).reshape(2, 3),
    lambda: pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": pd.Categorical(["u", "v"])}),
    lambda: pd.Series([1.5, None], name="y"),
    lambda: sparse.csr_array(np.eye(3)),
    lambda: ["a", "b", "".join(["a", "b"])],
    lambda: [[1, 2], [3]],
    lambda: np.array(["x", None, 3.0], dtype=object),
    lambda: {"sample_weight": np.ones(3), "metadata": None},
]


@pytest.mark.parametrize("make", EQUAL)
def test_equal_data_have_equal_hashes(make: Any) -> None:
    assert sha256(make()) == sha256(make())


def test_every_other_data_have_another_hash() -> None:
    base = np.arange(6.0).reshape(2, 3)
    changed = base.copy()
    changed[1, 2] += 1e-9
    others = [base, changed, base.T, base.reshape(3, 2), base.astype(np.float32), *(make() for make in EQUAL[1:])]
    frame = pd.DataFrame(base, columns=list("abc"))
    others += [
        frame,
        frame.rename(columns={"a": "z"}),
        frame.astype(int),
        sparse.csr_array(base),
        None,
        "text",
        b"text",
    ]
    assert len({sha256(one) for one in others}) == len(others)
    assert sha256(np.ones(2), np.ones(1)) != sha256(np.ones(1), np.ones(2))


def test_hashes_are_equal_in_another_process() -> None:
    code = (
        "import numpy as np, pandas as pd\nfrom moopt.search_cv.data import sha256\n"
        "print(sha256(pd.DataFrame({'a': ['x', 'yy'], 'b': [1, None]}), np.array(['u', None], dtype=object)))"
    )
    here = sha256(pd.DataFrame({"a": ["x", "yy"], "b": [1, None]}), np.array(["u", None], dtype=object))
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here


def test_a_file_of_rows_is_there_for_the_search_only() -> None:
    rows = Rows(np.eye(3), np.arange(3), [(np.array([0, 1]), np.array([2]))], {"sample_weight": np.ones(3)})
    with referenced(rows, to_file=True) as reference:
        assert isinstance(reference, Filed)
        path = Path(reference.path)
        assert path.exists()
        assert reference.n_folds == 1
        assert hash(reference) is not None
        assert_array_equal(reference.load().X, rows.X)
    assert not path.exists()
    with referenced(rows, to_file=False) as held:
        assert held.load() is rows

"""What a search found, measured as it would ship: on rows it never saw, on a quiet machine, and kept."""

import shutil
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer, make_scorer

import moopt
from moopt import confirmed, uncertainty
from moopt.confirm import Options, Role, confirm, subject_of
from moopt.confirm.candidates import candidates
from moopt.confirm.repeats import plan
from moopt.confirm.scores import scored
from moopt.confirm.timing import claimed
from moopt.confirmed import unpack_draws
from moopt.errors import ConfirmError, DataError, MooptWarning, SpecError, StudyBusy, UsageError
from moopt.export import make_export
from moopt.measure import Measures, measures, wall
from moopt.measure.artefact import load_model
from moopt.measure.percentiles import percentiles
from moopt.measure.quality import scorer
from moopt.objectives import Objective, as_objectives
from moopt.refit import fit
from moopt.run import run_study
from moopt.specfile import spec_for_csv
from moopt.store import open_store
from moopt.store.transfer import export_lines, import_study
from moopt.study import Study
from moopt.trial import Source, State, StepResult, Trial
from tests.tables import write_table

QUICK: dict[str, Any] = {"rounds": 1, "repeats": 0.0}


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a data file and a study of it: the defaults of two families and two trials more."""
    folder = tmp_path_factory.mktemp("searched")
    file = write_table(folder / "t.csv", 300)
    spec = spec_for_csv(file, "y", positive="yes").changed(
        models={"families": ["logistic", "bayes"]},
        search={"n_trials": 4, "folds": 3, "workers": 1},
    )
    run_study(spec, folder / "t.db")
    return folder


@pytest.fixture
def study(searched: Path, tmp_path: Path) -> Study:
    """That study to write to; its data file is where it was."""
    for file in searched.glob("t.db*"):  # with the log, where SQLite still has one
        shutil.copy(file, tmp_path)
    return moopt.load_study(tmp_path / "t.db")


def test_a_confirmation_measures_what_ships_and_keeps_it(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moopt.confirm.timing.BUSY", 1e9)  # this machine runs tests
    frame = study.confirm([0], rounds=2, repeats=0)
    (row,) = frame.to_dict("records")
    assert row["number"] == 0
    assert row["low_accuracy"] <= row["confirmed_accuracy"] <= row["high_accuracy"]
    assert 0 < row["low_latency_ms"] <= row["confirmed_latency_ms"] <= row["high_latency_ms"]
    (artefact,) = study.store.artefacts("t")
    assert row["confirmed_size_kb"] == artefact.n_bytes / 1000
    (confirmation,) = study.store.confirmations("t")
    measured = confirmation.measures
    assert measured["n_rows"] == 60
    assert measured["rss_mb"] > 10
    assert measured["load_s"] > 0
    assert len(measured["latency"]["latency_ms"]["rounds"]) == 2
    assert confirmation.machine["cores"] >= 1


@pytest.mark.usefixtures("at_hand")
def test_front_near_misses_and_defaults_are_confirmed(study: Study) -> None:
    report = confirm(study.store, study.record, subject_of(study.record), Options(1, 0.0))
    front = set(study.front()["number"])
    assert {one.trial.number for one in report.candidates if one.role is Role.FRONT} == front
    assert {0, 1} <= {one.trial.number for one in report.candidates}
    assert report.look == 1
    assert report.notes == ()
    assert sorted(confirmed.scored(study.store.confirmations("t"))) == sorted(
        one.trial.number for one in report.candidates
    )


@pytest.mark.usefixtures("at_hand")
def test_the_test_split_is_scored_once_unless_asked(study: Study) -> None:
    first = study.confirm([0], **QUICK)
    with pytest.warns(MooptWarning) as said:
        study.confirm([0, 1], **QUICK)
    assert [str(one.message) for one in said] == [
        "the test split was scored before and was not looked at again; --score-again looks once more",
        "without scores on the test split, since they were not confirmed then: 1",
    ]
    confirmations = study.store.confirmations("t")
    assert [("scores" in one.measures) for one in confirmations] == [True, False, False]
    assert all(one.measures["latency"] for one in confirmations)
    with pytest.warns(MooptWarning, match="this was look 2 at the test split"):
        again = study.confirm([0, 1], score_again=True, **QUICK)
    assert again["look"].tolist() == [2, 2]
    assert again["confirmed_accuracy"][0] == first["confirmed_accuracy"][0]


@pytest.mark.usefixtures("at_hand")
def test_draws_are_paired_and_the_same_each_time(study: Study) -> None:
    study.confirm([0, 1], **QUICK)
    found = confirmed.scored(study.store.confirmations("t"))
    assert all(one.draws.shape == (uncertainty.N_DRAWS, 2) for one in found.values())
    subject = subject_of(study.record)
    test = subject.source.load().test
    assert test is not None
    rows = uncertainty.bootstrap_rows(60, seed=study.record.seed)
    for number, one in found.items():
        model = fit(study.record, study.store.trial("t", number).config).model
        right = model.predict(test.X) == test.y
        assert one.draws[:, 0] == pytest.approx(right[rows].mean(axis=1))


@pytest.mark.usefixtures("at_hand")
def test_a_model_that_is_kept_is_not_fitted_again_and_one_that_was_changed_is(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.confirm([0, 1], **QUICK)
    kept = {one.number: one for one in study.store.artefacts("t")}
    folder = study.store.artefact_folder
    assert folder is not None
    (folder / kept[1].path).write_bytes(b"changed")
    fitted: list[int] = []
    monkeypatch.setattr(
        "moopt.confirm.models.fit_quietly", lambda model, X, y: (fitted.append(len(X)), model.fit(X, y), ())[-1]
    )
    with pytest.warns(MooptWarning, match="not looked at again"):
        study.confirm([0, 1], **QUICK)
    assert fitted == [240]
    assert len(study.store.artefacts("t")) == 2
    load_model(folder / kept[1].path)


@pytest.mark.usefixtures("at_hand")
def test_an_export_ships_the_model_that_was_kept(study: Study, tmp_path: Path) -> None:
    study.confirm([1], **QUICK)
    (artefact,) = study.store.artefacts("t")
    record = study.record
    moved = {**record.spec, "data": {**record.spec["data"], "path": "gone.csv", "file": "gone.csv"}}
    other = open_store(tmp_path / "t.db")
    other.create_study(replace(record, name="moved", spec=moved), study.store.trials("t"))
    other.add_artefact("moved", artefact)
    export = make_export(other, "moved", 1)
    assert export.files["model.skops"] == (study.store.artefact_folder / artefact.path).read_bytes()  # type: ignore[operator]  # a store in a file has one
    assert b"as `moopt confirm` fitted it" in export.files["WHY.md"]
    assert not make_export(other, "moved", 0).has_model


@pytest.mark.usefixtures("at_hand")
def test_two_machines_are_both_kept(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    study.confirm([0], **QUICK)
    monkeypatch.setattr("moopt.confirm.verb.fingerprint", lambda: {"processor": "another", "cores": 64})
    with pytest.warns(MooptWarning, match="not looked at again"):
        frame = study.confirm([0], **QUICK)
    assert len(confirmed.measured(study.store.confirmations("t"))) == 2
    assert frame["machine"].tolist() == ["another, 64 cores"]
    copy = open_store(None)
    import_study(copy, export_lines(study.store, "t"))
    assert copy.confirmations("t") == study.store.confirmations("t")


@pytest.mark.usefixtures("at_hand")
def test_repeats_with_other_splits_go_to_the_front_first(study: Study) -> None:
    """Four trials of two folds: half of them pays for two repeats."""
    study.confirm(rounds=1, repeats=0.5)
    found = confirmed.repeats(study.store.confirmations("t"))
    front = set(study.front()["number"])
    assert len(found) == min(2, len(front)) or set(found) > front
    trials = {trial.number: trial for trial in study.store.trials("t")}
    for number, values in found.items():
        assert number in front
        assert len(values["accuracy"]) == 1
        assert values["accuracy"][0] != trials[number].values["accuracy"]
    with pytest.warns(MooptWarning):
        study.confirm(rounds=1, repeats=0.5)
    assert confirmed.repeats(study.store.confirmations("t")) == found


def test_each_trial_gets_a_repeat_before_any_gets_a_second() -> None:
    trials = [Trial(number, {}, state=State.COMPLETE) for number in (4, 2)]
    planned = plan(trials, {}, n_spent=300, share=0.1, n_steps=5)
    assert [(one.trial.number, one.repeat) for one in planned] == [(4, 1), (2, 1), (4, 2), (2, 2), (4, 3), (2, 3)]
    planned = plan(trials, {4: 2}, n_spent=300, share=0.1, n_steps=5)
    assert [(one.trial.number, one.repeat) for one in planned] == [(2, 1), (2, 2), (4, 3), (2, 3)]
    assert plan(trials, {}, n_spent=40, share=0.1, n_steps=5) == []


def _steps(accuracy: list[float], latency: float) -> dict[int, StepResult]:
    return {step: StepResult({"accuracy": value, "latency_ms": latency}) for step, value in enumerate(accuracy)}


def _trial(number: int, accuracy: list[float], latency: float, source: Source = Source.SEARCH) -> Trial:
    values = {"accuracy": float(np.mean(accuracy)), "latency_ms": latency}
    return Trial(number, {}, None, source, State.COMPLETE, 3, _steps(accuracy, latency), values)


def test_a_near_miss_is_a_trial_that_noise_may_have_put_off_the_front() -> None:
    objectives = as_objectives(["accuracy", "latency"])
    trials = [
        _trial(0, [0.90, 0.92, 0.94], 1.0),
        _trial(1, [0.93, 0.91, 0.915], 1.0),  # as good within the noise of its folds
        _trial(2, [0.70, 0.71, 0.72], 2.0),  # worse in every fold, and slower
        _trial(3, [0.60, 0.61, 0.62], 3.0, Source.DEFAULT),
    ]
    found = {one.trial.number: one.role for one in candidates(objectives, trials)}
    assert found == {0: Role.FRONT, 1: Role.NEAR_MISS, 3: Role.DEFAULT}


def test_a_busy_machine_is_timed_again_and_then_flagged(
    study: Study, at_hand: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    took = cycle([20.0, 30.0])
    monkeypatch.setattr("moopt.confirm.timing.calibration", lambda *_: next(took))
    with pytest.warns(MooptWarning, match=r"the machine was busy in 1 of 1 timings, after 3 tries each: .* flagged"):
        frame = study.confirm([0], **QUICK)
    assert frame["flagged"].tolist() == [True]
    (confirmation,) = study.store.confirmations("t")
    (one,) = confirmation.measures["latency"]["latency_ms"]["rounds"]
    assert (one["flagged"], one["tries"]) == (True, 3)


def test_a_machine_that_calms_down_is_not_flagged(study: Study, at_hand: None, monkeypatch: pytest.MonkeyPatch) -> None:
    took = iter([20.0, 20.0, 30.0, 20.0, 20.0])  # processor time, before, after, after the second and the third try
    monkeypatch.setattr("moopt.confirm.timing.calibration", lambda *_: next(took))
    frame = study.confirm([0], **QUICK)
    assert frame["flagged"].tolist() == [False]
    (one,) = study.store.confirmations("t")[0].measures["latency"]["latency_ms"]["rounds"]
    assert one == {
        "median_ms": pytest.approx(0.1245),
        "calibration_before_s": 0.02,
        "calibration_after_s": 0.02,
        "flagged": False,
        "tries": 3,
    }


def test_percentiles_are_those_that_the_calls_allow(study: Study, at_hand: None) -> None:
    """50 calls a round: one round is enough for p90 at 99 % confidence, two for p95, none for p99."""
    study.confirm([0], **QUICK)
    one = study.store.confirmations("t")[0].measures["latency"]["latency_ms"]
    assert sorted(one["percentiles"]) == ["p90"]
    with pytest.warns(MooptWarning):
        study.confirm([0], rounds=2, repeats=0)
    two = study.store.confirmations("t")[-1].measures["latency"]["latency_ms"]
    assert sorted(two["percentiles"]) == ["p90", "p95"]
    assert (one["n"], two["n"]) == (50, 100)


def test_a_percentile_holds_in_the_slowest_round() -> None:
    """All calls together say what nine calls of ten say; the slow round alone says more."""
    fast, slow = np.linspace(1.0, 2.0, 400), np.linspace(4.0, 5.0, 60)
    together = percentiles(np.concatenate([fast, slow]))
    found = claimed([fast, slow])
    assert found["p90"] == percentiles(slow)["p90"] > together["p90"]
    assert found["p99"] == together["p99"]
    assert "p50" not in found


def test_a_model_that_cannot_be_timed_is_a_recorded_failure(
    study: Study, at_hand: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = wall.measure

    def dies(model: Path, *given: Any, **named: Any) -> Any:
        if "trial_1_" in model.name:
            raise MemoryError("out of memory")
        return measure(model, *given, **named)

    monkeypatch.setattr("moopt.confirm.timing.wall.measure", dies)
    with pytest.warns(MooptWarning, match="trial 1 could not be confirmed: MemoryError: out of memory"):
        frame = study.confirm([0, 1], **QUICK).set_index("number")
    assert frame["failure"].to_dict() == {0: "", 1: "MemoryError: out of memory"}
    assert frame["confirmed_accuracy"].notna().all()
    assert pd.isna(frame["confirmed_latency_ms"][1])


def test_what_was_timed_before_ctrl_c_is_kept(study: Study, at_hand: None, monkeypatch: pytest.MonkeyPatch) -> None:
    measure, calls = wall.measure, iter([False, True])

    def interrupted(*given: Any, **named: Any) -> Any:
        if next(calls):
            raise KeyboardInterrupt
        return measure(*given, **named)

    monkeypatch.setattr("moopt.confirm.timing.wall.measure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        study.confirm([0], rounds=3, repeats=0)
    (row,) = study.confirmed().to_dict("records")
    assert row["confirmed_latency_ms"] > 0
    assert row["look"] == 1


def test_what_cannot_be_confirmed_is_said(study: Study, at_hand: None, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"trial 99 does not exist; on the front are: "):
        study.confirm([99])
    with pytest.raises(SpecError, match=r"rounds is 0; give how often each model is timed, such as 5"):
        study.confirm(rounds=0)
    with pytest.raises(SpecError, match=r"repeats is 2; give a share"):
        study.confirm(repeats=2)
    with pytest.raises(SpecError, match=r"confidence is 90; give a number between 0 and 1"):
        study.confirm(confidence=90)
    other = write_table(tmp_path / "other.csv", 50)
    with pytest.raises(ConfirmError, match=r"other.csv is not the file that was searched: .*\nGive the file as it was"):
        study.confirm(data=other)
    with pytest.raises(DataError, match=r"gone.csv"):
        study.confirm(data=tmp_path / "gone.csv")
    with study.store.write("t"), pytest.raises(StudyBusy, match="is being searched; confirm it when that has ended"):
        study.confirm()
    assert study.store.confirmations("t") == []


def test_a_study_of_a_function_cannot_be_confirmed() -> None:
    study = moopt.create_study("f", {"x": (0.0, 1.0)}, [Objective("error")], seed=0)
    study.optimize(lambda config: config["x"], n_trials=2)
    with pytest.raises(ConfirmError, match=r"study 'f' searched a Python function, so there is no model to fit again"):
        study.confirm()


@pytest.mark.usefixtures("at_hand")
@pytest.mark.parametrize(
    ("share", "note"),
    [
        (0.0, "nothing is scored: the study keeps back no test rows"),
        (0.1, r"scores have no interval: the test split has 9 rows, fewer than 30"),
    ],
)
def test_few_test_rows_or_none_are_said_and_the_rest_is_confirmed(tmp_path: Path, share: float, note: str) -> None:
    file = write_table(tmp_path / "t.csv", 90)
    spec = spec_for_csv(file, "y").changed(
        data={"test_share": share}, models={"families": ["bayes"]}, search={"n_trials": 1, "folds": 2, "workers": 1}
    )
    study, _ = run_study(spec, None)
    with pytest.warns(MooptWarning) as said:
        (row,) = study.confirm(**QUICK).to_dict("records")
    messages = [str(one.message) for one in said]
    assert messages[0].startswith(note)
    assert messages[-1] == "the study is in memory, so the fitted models are not kept"
    assert row["confirmed_latency_ms"] > 0
    assert pd.isna(row["low_accuracy"])
    assert pd.isna(row["confirmed_accuracy"]) == (share == 0)


@pytest.fixture(scope="module")
def rows_and_labels() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = np.array(["a", "b", "c"])[np.digitize(X[:, 0] + rng.normal(size=400), [-1, 0.8])]
    return X, y


@pytest.mark.parametrize("name", ["accuracy", "balanced_accuracy", "recall", "precision", "f1", "jaccard"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_counting_labels_gives_each_draw_what_its_scorer_gives(
    rows_and_labels: tuple[Any, Any], name: str, n_classes: int
) -> None:
    X, y = rows_and_labels
    if n_classes == 2:
        y = np.where(y == "c", "b", y)
    model = LogisticRegression(C=0.01).fit(X[:50], y[:50])
    classes = tuple(np.unique(y))
    one = scorer(name, classes, "a" if n_classes == 2 else None)
    found = scored(measures(as_objectives([name]), classes, "a"), model, X[50:], y[50:], seed=3, n_draws=40)
    rows = uncertainty.bootstrap_rows(350, 40, 3)
    expected = [one(model, X[50:][draw], y[50:][draw]) for draw in rows]
    assert unpack_draws(found["draws"], 1)[:, 0] == pytest.approx(expected, abs=1e-6)
    assert found["scores"][name]["value"] == one(model, X[50:], y[50:])


def test_any_score_has_an_interval_also_one_that_looks_at_the_rows(rows_and_labels: tuple[Any, Any]) -> None:
    X, y = rows_and_labels
    y = np.where(y == "c", "b", y)
    model = LogisticRegression().fit(X[:50], y[:50])

    def own(estimator: Any, X: Any, y: Any) -> float:
        return float(np.mean(estimator.predict(X) == y) - np.abs(X).mean())

    scorers = {"roc_auc": get_scorer("roc_auc"), "own": own, "hits": make_scorer(lambda y, p: float(np.mean(y == p)))}
    found = scored(Measures(scorers), model, X[50:], y[50:], seed=3, n_draws=20)
    draws = unpack_draws(found["draws"], 3)
    rows = uncertainty.bootstrap_rows(350, 20, 3)
    columns = list(found["scores"])
    for name, one in scorers.items():
        expected = [one(model, X[50:][draw], y[50:][draw]) for draw in rows]
        assert draws[:, columns.index(name)] == pytest.approx(expected, abs=1e-6)
        interval = found["scores"][name]
        assert interval["low"] < interval["value"] < interval["high"]


@pytest.mark.usefixtures("at_hand")
def test_a_trial_on_onnx_runtime_is_confirmed_as_converted(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("skl2onnx")
    file = write_table(tmp_path / "t.csv", 300)
    spec = spec_for_csv(file, "y", positive="yes").changed(
        models={"families": ["bayes"], "backends": ["onnxruntime"]}, search={"n_trials": 1, "folds": 2, "workers": 1}
    )
    study, _ = run_study(spec, tmp_path / "t.db")
    study.confirm([0], rounds=1, repeats=1)
    (confirmation,) = study.store.confirmations("t")
    kept = {one.kind: one for one in study.store.artefacts("t")}
    assert sorted(kept) == ["onnx", "skops"]
    assert confirmation.measures["backend"] == "onnxruntime"
    assert confirmation.measures["size_kb"] == kept["onnx"].n_bytes / 1000
    assert confirmation.measures["repeats"]["size_kb"] == pytest.approx([confirmation.measures["size_kb"]], rel=0.05)
    assert make_export(study.store, "t", 0).files["model.onnx"]

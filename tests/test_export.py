"""A trial as files that stand for themselves: whole, checked, and never half written."""

import hashlib
import importlib.util
import io
import json
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from moopt.choose import choose
from moopt.data import DataSpec, read_data
from moopt.data.features import Columns
from moopt.errors import ExportError
from moopt.export import canonical_json, export_trial, export_zip, make_export
from moopt.export.refit import fit
from moopt.measure.artefact import load_model
from moopt.measure.size import model_bytes
from moopt.models.pipelines import build
from moopt.models.presets import FAMILIES, default_configs
from moopt.objectives import as_objectives
from moopt.store import open_store
from moopt.store.base import Store, StudyRecord
from moopt.trial import Config, Failure, Source, State, StepResult, Trial

OBJECTIVES = as_objectives(["accuracy", "recall", "latency", "size"])
RESULTS: list[tuple[Source, tuple[float, float, float, float]]] = [
    (Source.DEFAULT, (0.93, 0.90, 4.0, 50.0)),
    (Source.SEARCH, (0.95, 0.90, 3.1, 10.0)),
    (Source.SEARCH, (0.946, 0.90, 1.0, 10.0)),
    (Source.SEARCH, (0.97, 0.95, 30.0, 400.0)),
]


def a_record(**changes: object) -> StudyRecord:
    record = StudyRecord("plain", {}, OBJECTIVES, {"algorithm": "nsga2"}, seed=7, versions={"python": "3.11"})
    return replace(record, **changes)  # type: ignore[arg-type]  # tests name the fields they change


def a_complete(
    number: int, config: Config, values: Mapping[str, float], *, source: Source = Source.SEARCH, n_steps: int = 1
) -> Trial:
    train = {name: value + 0.01 for name, value in values.items() if name in ("accuracy", "recall")}
    steps = {step: StepResult(values, train) for step in range(n_steps)}
    return Trial(number, config, None, source, State.COMPLETE, n_steps, steps, values, fit=number)


def keep(store: Store, name: str, trial: Trial) -> None:
    with store.write(name) as writer:
        writer.start(replace(trial, state=State.RUNNING, steps={}, values={}, failure=None))
        if trial.state.finished:
            writer.finish(trial, trial.steps)


@pytest.fixture
def plain() -> Store:
    """A study of a Python function: four complete trials, a failed one and a running one."""
    store = open_store(None)
    store.create_study(a_record())
    for number, (source, row) in enumerate(RESULTS):
        values = dict(zip((one.name for one in OBJECTIVES), row, strict=True))
        keep(store, "plain", a_complete(number, {"depth": number, "kind": "a"}, values, source=source))
    keep(store, "plain", Trial(4, {"depth": 4, "kind": "b"}, state=State.FAILED, failure=Failure.ERROR, message="no"))
    keep(store, "plain", Trial(5, {"depth": 5, "kind": "b"}, state=State.RUNNING))
    return store


def test_a_study_of_a_function_exports_all_but_pipeline_and_model(plain: Store, tmp_path: Path) -> None:
    export = export_trial(plain, "plain", 2, tmp_path / "chosen")
    names = {"config.json", "front.csv", "WHY.md", "manifest.json"}
    assert {path.name for path in (tmp_path / "chosen").iterdir()} == set(export.files) == names
    assert not export.has_model
    assert "Python function" in export.missing
    assert export.missing in (tmp_path / "chosen" / "WHY.md").read_text()
    assert json.loads(export.files["manifest.json"])["missing"] == export.missing


def test_a_study_of_an_estimator_given_in_python_says_why_there_is_no_pipeline() -> None:
    store = open_store(None)
    store.create_study(a_record(spec={"estimator": {"class": "SVC"}, "data": {"sha256": "abc"}}))
    values = {"accuracy": 0.9, "recall": 0.8, "latency_ms": 3.0, "size_kb": 30.0}
    keep(store, "plain", a_complete(0, {"C": 1.0}, values))
    export = make_export(store, "plain", 0)
    assert "an estimator that was given in Python and is not stored" in export.missing
    assert "pipeline.py" not in export.files


def test_the_config_is_canonical_json_with_values_units_and_seed(plain: Store) -> None:
    content = make_export(plain, "plain", 2).files["config.json"]
    config = json.loads(content)
    assert content == canonical_json(config)
    assert (config["config"], config["number"], config["seed"]) == ({"depth": 2, "kind": "a"}, 2, 7)
    latency = next(one for one in config["objectives"] if one["name"] == "latency_ms")
    assert (latency["value"], latency["unit"], latency["direction"]) == (1.0, "ms", "minimize")


def test_the_manifest_has_the_hash_and_size_of_every_other_file(plain: Store, tmp_path: Path) -> None:
    folder = tmp_path / "chosen"
    export_trial(plain, "plain", 2, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert set(manifest["files"]) == {path.name for path in folder.iterdir()} - {"manifest.json"}
    for name, stated in manifest["files"].items():
        content = (folder / name).read_bytes()
        assert stated == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def test_the_front_is_a_table_of_its_trials(plain: Store) -> None:
    front = pd.read_csv(io.BytesIO(make_export(plain, "plain", 2).files["front.csv"]))
    assert list(front["number"]) == [1, 2, 3]
    assert list(front["latency_ms"]) == [3.1, 1.0, 30.0]
    assert list(front["n_steps"]) == [1, 1, 1]


def test_the_zip_holds_the_same_files_as_the_folder(plain: Store, tmp_path: Path) -> None:
    export_trial(plain, "plain", 2, tmp_path / "chosen")
    with zipfile.ZipFile(io.BytesIO(export_zip(plain, "plain", 2))) as archive:
        zipped = {name: archive.read(name) for name in archive.namelist()}
    assert zipped == {path.name: path.read_bytes() for path in (tmp_path / "chosen").iterdir()}


def test_the_reason_tells_what_was_chosen_from_what_and_what_it_gives_up(plain: Store) -> None:
    choice = choose(OBJECTIVES, plain.trials("plain"), limits={"latency_ms": 5})
    export = make_export(plain, "plain", choice.number, decision=choice.decision(1.0))
    text = export.files["WHY.md"].decode()
    assert choice.reason in text
    for said in (
        "latency_ms <= 5 ms",
        "6 (4 complete, 1 failed, 1 running)",
        "on the front: 3 trials: 1, 2, 3",
        "default config (trial 0)",
        "| 4 ms |",
        "pt accuracy",
        "nsga2, seed 7",
        "from training to validation",
        "-1 pt accuracy",
    ):
        assert said in text


def test_the_recorded_decision_is_told_where_none_is_given(plain: Store) -> None:
    choice = choose(OBJECTIVES, plain.trials("plain"), prefer="latency")
    plain.add_decision("plain", choice.decision(1.0))
    assert choice.reason in make_export(plain, "plain", choice.number).files["WHY.md"].decode()


def test_a_trial_nobody_decided_for_is_picked_by_hand(plain: Store) -> None:
    assert "is picked by hand" in make_export(plain, "plain", 3).files["WHY.md"].decode()


def test_a_dominated_trial_can_be_exported_and_says_so(plain: Store) -> None:
    text = make_export(plain, "plain", 0).files["WHY.md"].decode()
    assert "It is not on the front: trials 1, 2 are at least as good" in text


def test_the_reason_tells_how_sure_its_values_are() -> None:
    store = open_store(None)
    store.create_study(a_record(n_steps=5))
    noise = 0.01 * np.array([-1.0, 1.0, 0.5, -0.5, 0.0])
    for number, (source, row) in enumerate(RESULTS):
        values = dict(zip((one.name for one in OBJECTIVES), row, strict=True))
        folds = {
            step: StepResult({**values, "accuracy": row[0] + one}) for step, one in enumerate(np.roll(noise, number))
        }
        trial = a_complete(number, {"depth": number, "kind": "a"}, values, source=source, n_steps=5)
        keep(store, "plain", replace(trial, steps=folds))
    export = make_export(store, "plain", 1)
    text = export.files["WHY.md"].decode()
    assert "It is on the front with a probability of" in text
    assert "% (an estimate from 5 folds)" in text
    assert "- accuracy: 0.95, 90 % interval 0.9" in text
    assert "It differs within noise in accuracy from: 2." in text
    assert "The default config (trial 0) is dominated by trial" in text
    assert "front_probability" in export.files["front.csv"].decode().splitlines()[0]


def test_the_reason_says_where_one_measurement_tells_nothing_of_the_noise(plain: Store) -> None:
    assert "how far the values would vary is not known" in make_export(plain, "plain", 1).files["WHY.md"].decode()


def test_a_trial_that_does_not_exist_names_the_front(plain: Store) -> None:
    with pytest.raises(ExportError, match=r"trial 99 of study 'plain' does not exist; on the front are: 1, 2, 3"):
        make_export(plain, "plain", 99)


def test_a_trial_that_is_not_complete_names_the_front(plain: Store) -> None:
    with pytest.raises(ExportError, match=r"trial 4 of study 'plain' is failed, not complete; on the front are: 1, 2"):
        make_export(plain, "plain", 4)


def test_a_study_without_complete_trials_has_nothing_to_export() -> None:
    store = open_store(None)
    store.create_study(a_record())
    with pytest.raises(ExportError, match="does not exist, and no other is complete; search first"):
        make_export(store, "plain", 0)


def test_a_folder_that_is_not_empty_is_refused_and_left_alone(plain: Store, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ExportError, match="exists and is not empty; give another"):
        export_trial(plain, "plain", 2, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_in_the_way_is_refused(plain: Store, tmp_path: Path) -> None:
    (tmp_path / "chosen").write_text("mine")
    with pytest.raises(ExportError, match="is a file; give a folder"):
        export_trial(plain, "plain", 2, tmp_path / "chosen")


def test_an_empty_folder_is_filled(plain: Store, tmp_path: Path) -> None:
    assert export_trial(plain, "plain", 2, tmp_path).folder == tmp_path
    assert (tmp_path / "manifest.json").exists()


def test_an_export_that_cannot_be_written_leaves_nothing_behind(
    plain: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.rename", full)
    with pytest.raises(ExportError, match=r"cannot be written to .*chosen: No space left on device"):
        export_trial(plain, "plain", 2, tmp_path / "chosen")
    assert list(tmp_path.iterdir()) == []


# Pipelines: a data file, a model


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 rows with numbers, gaps and a text column."""
    generator = np.random.Generator(np.random.PCG64(0))
    size = generator.normal(size=200)
    frame = pd.DataFrame(
        {
            "size": np.where(generator.random(200) < 0.1, np.nan, size),
            "weight": generator.normal(size=200),
            "colour": generator.choice(["red", "green", "blue"], size=200),
            "ill": np.where(size + generator.normal(scale=0.5, size=200) > 0.5, "yes", "no"),
        }
    )
    path = tmp_path_factory.mktemp("data") / "ill.csv"
    frame.to_csv(path, index=False)
    return path


def a_pipeline_record(csv: Path, name: str = "ill") -> StudyRecord:
    spec = DataSpec(str(csv), "ill", positive="yes", seed=7)
    data = read_data(spec)
    recorded = {
        "kind": "pipeline",
        "data": {**spec.as_json(), "file": csv.name, "path": str(csv), "sha256": data.sha256},
        "columns": data.columns.as_json(),
        "folds": 3,
    }
    return a_record(name=name, n_steps=3, spec=recorded)


def search_rows(csv: Path) -> tuple[pd.DataFrame, NDArray[Any]]:
    data = read_data(DataSpec(str(csv), "ill", positive="yes", seed=7))
    rows = data.split().search
    return data.X.iloc[rows], data.y[rows]


def a_config(family: str) -> Config:
    columns = Columns(("size", "weight"), ("colour",), numeric_gaps=True)
    few = {f"{family}:n_estimators": 10, f"{family}:max_iter": 20}
    config = default_configs([family], columns)[0]
    return {key: few.get(key, value) for key, value in config.items()}


@pytest.fixture
def ill(csv: Path) -> Store:
    """A study of pipelines: a forest and a logistic regression."""
    store = open_store(None)
    store.create_study(a_pipeline_record(csv))
    values = {"accuracy": 0.9, "recall": 0.8, "latency_ms": 3.0, "size_kb": 30.0}
    keep(store, "ill", a_complete(0, a_config("forest"), values, n_steps=3))
    quicker = {"accuracy": 0.85, "recall": 0.7, "latency_ms": 1.0, "size_kb": 3.0}
    keep(store, "ill", a_complete(1, a_config("logistic"), quicker, n_steps=3))
    return store


def module_of(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_export_of_a_pipeline_has_all_files(ill: Store, tmp_path: Path) -> None:
    export = export_trial(ill, "ill", 0, tmp_path / "chosen")
    assert set(export.files) == {
        "config.json",
        "pipeline.py",
        "model.skops",
        "front.csv",
        "WHY.md",
        "manifest.json",
    }
    assert (export.has_model, export.missing) == (True, "")
    assert "fitted on the 160 rows outside the test split with seed 7" in export.files["WHY.md"].decode()


def test_an_export_does_not_tell_where_the_data_lay_on_this_machine(ill: Store, csv: Path) -> None:
    for name, content in make_export(ill, "ill", 0, with_model=False).files.items():
        assert str(csv.parent).encode() not in content, name


def test_building_the_exported_source_gives_an_equal_estimator(ill: Store, csv: Path, tmp_path: Path) -> None:
    export_trial(ill, "ill", 0, tmp_path / "chosen")
    built = module_of(tmp_path / "chosen" / "pipeline.py").build()
    assert repr(built) == repr(build(a_config("forest"), read_data(DataSpec(str(csv), "ill")).columns, seed=7))


def test_the_exported_model_predicts_like_the_exported_source_fitted_again(
    ill: Store, csv: Path, tmp_path: Path
) -> None:
    export_trial(ill, "ill", 0, tmp_path / "chosen")
    X, y = search_rows(csv)
    again = module_of(tmp_path / "chosen" / "pipeline.py").build().fit(X, y)
    model = load_model(tmp_path / "chosen" / "model.skops")
    np.testing.assert_array_equal(model.predict_proba(X), again.predict_proba(X))


def test_two_exports_give_equal_predictions_bit_for_bit(ill: Store, csv: Path) -> None:
    X, _ = search_rows(csv)
    first, second = (load_model(make_export(ill, "ill", 0).files["model.skops"]) for _ in range(2))
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_of_every_family_loads_with_our_own_list_of_types(family: str, csv: Path) -> None:
    fitted = fit(a_pipeline_record(csv), a_config(family))
    X, _ = search_rows(csv)
    np.testing.assert_array_equal(load_model(model_bytes(fitted.model)).predict(X), fitted.model.predict(X))


def test_a_model_of_a_foreign_type_is_not_loaded() -> None:
    from skops.io.exceptions import UntrustedTypesFoundException

    with pytest.raises(UntrustedTypesFoundException, match="Foreign"):
        load_model(model_bytes(Pipeline([("path", Foreign())])))


class Foreign(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A type that is nobody's list."""


def test_data_from_another_place_are_taken(ill: Store, csv: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved.csv"
    moved.write_bytes(csv.read_bytes())
    assert make_export(ill, "ill", 0, data=moved).has_model


def test_data_that_moved_are_found_by_the_name_they_were_given(
    csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = a_pipeline_record(csv)
    moved = {**record.spec["data"], "path": str(tmp_path / "old" / csv.name)}
    (tmp_path / csv.name).write_bytes(csv.read_bytes())
    monkeypatch.chdir(tmp_path)
    assert fit(replace(record, spec={**record.spec, "data": moved}), a_config("tree")).n_rows == 160


def test_other_data_are_refused_with_both_hashes(ill: Store, csv: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_bytes(csv.read_bytes() + b"1,1,red,no\n")
    stated = hashlib.sha256(csv.read_bytes()).hexdigest()[:12]
    found = hashlib.sha256(other.read_bytes()).hexdigest()[:12]
    expected = f"other.csv is not the file that was searched: its SHA-256 is {found}, the study's {stated}"
    with pytest.raises(ExportError, match=expected):
        export_trial(ill, "ill", 0, tmp_path / "chosen", data=other)
    assert not (tmp_path / "chosen").exists()


def test_data_that_were_named_and_are_not_there_are_an_error(ill: Store, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"there is no file .*gone\.csv"):
        make_export(ill, "ill", 0, data=tmp_path / "gone.csv")


def test_without_the_studys_data_the_export_has_no_model_and_says_so(csv: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone.csv"
    gone.write_bytes(csv.read_bytes())
    store = open_store(None)
    store.create_study(a_pipeline_record(gone))
    values = {"accuracy": 0.9, "recall": 0.8, "latency_ms": 3.0, "size_kb": 30.0}
    keep(store, "ill", a_complete(0, a_config("tree"), values))
    gone.unlink()
    export = make_export(store, "ill", 0)
    assert not export.has_model
    assert "pipeline.py" in export.files
    assert "there is no file" in export.missing
    assert export.missing in export.files["WHY.md"].decode()
    manifest = json.loads(export.files["manifest.json"])
    assert (manifest["model"], manifest["missing"]) == (False, export.missing)


def test_the_model_can_be_left_out(ill: Store) -> None:
    export = make_export(ill, "ill", 0, with_model=False)
    assert not export.has_model
    assert "it was left out" in export.missing


class Warns(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    def fit(self, *_: object) -> None:
        warnings.warn("it did not\nconverge", UserWarning, stacklevel=1)


class Raises(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    def fit(self, *_: object) -> None:
        raise ValueError("no memory of colours")


def test_what_was_said_while_fitting_is_told(csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moopt.export.refit.build", lambda *_: Warns())
    assert fit(a_pipeline_record(csv), a_config("tree")).warnings == ("UserWarning: it did not",)


def test_a_fit_that_fails_is_an_export_error(csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moopt.export.refit.build", lambda *_: Raises())
    with pytest.raises(ExportError, match="the model cannot be fitted: ValueError: no memory of colours"):
        fit(a_pipeline_record(csv), a_config("tree"))

"""A trial as files that stand for themselves: whole, checked, and never half written."""

import hashlib
import io
import json
import os
import warnings
import zipfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from moopt.choose import choose
from moopt.confirmed import pack_draws
from moopt.data import DataSpec, read_data
from moopt.errors import ExportError
from moopt.export import export_trial, make_export
from moopt.measure.size import model_bytes
from moopt.models.pipelines import build
from moopt.models.presets import FAMILIES
from moopt.refit import fit
from moopt.shipped.manifest import readable_json
from moopt.shipped.predict import load_skops
from moopt.store import artefacts, open_store
from moopt.store.base import Store
from moopt.trial import Confirmation, Failure, Source, State, StepResult, Trial
from tests.exports import (
    OBJECTIVES,
    a_complete,
    a_config,
    a_pipeline_record,
    a_record,
    ill_study,
    keep,
    module_of,
    write_ill,
)

RESULTS: list[tuple[Source, tuple[float, float, float, float]]] = [
    (Source.DEFAULT, (0.93, 0.90, 4.0, 50.0)),
    (Source.SEARCH, (0.95, 0.90, 3.1, 10.0)),
    (Source.SEARCH, (0.946, 0.90, 1.0, 10.0)),
    (Source.SEARCH, (0.97, 0.95, 30.0, 400.0)),
]


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
    names = {"config.json", "front.csv", "WHY.md", "MODEL_CARD.md", "manifest.json"}
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


def test_the_config_is_json_for_people_with_values_units_and_seed(plain: Store) -> None:
    content = make_export(plain, "plain", 2).files["config.json"]
    config = json.loads(content)
    assert content == readable_json(config)
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
    with zipfile.ZipFile(io.BytesIO(make_export(plain, "plain", 2).zipped())) as archive:
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
    with pytest.raises(ExportError, match="is not empty and is no export; give another"):
        export_trial(plain, "plain", 2, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_earlier_export_is_replaced_only_by_force(plain: Store, tmp_path: Path) -> None:
    export_trial(plain, "plain", 2, tmp_path / "chosen")
    with pytest.raises(ExportError, match=r"holds an earlier export, trial 2 of plain\nGive another.*--force"):
        export_trial(plain, "plain", 3, tmp_path / "chosen")
    export_trial(plain, "plain", 3, tmp_path / "chosen", force=True)
    assert json.loads((tmp_path / "chosen" / "config.json").read_text())["number"] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["chosen"]


def test_what_lies_beside_an_earlier_export_is_not_lost_by_force(plain: Store, tmp_path: Path) -> None:
    export_trial(plain, "plain", 2, tmp_path / "chosen")
    (tmp_path / "chosen" / "mine.txt").write_text("mine")
    with pytest.raises(ExportError, match=r"holds mine\.txt beside an earlier export; give another"):
        export_trial(plain, "plain", 3, tmp_path / "chosen", force=True)
    (tmp_path / "chosen" / "manifest.json").unlink()
    with pytest.raises(ExportError, match="is no export"):
        export_trial(plain, "plain", 3, tmp_path / "chosen", force=True)


def test_a_replacement_that_cannot_be_written_leaves_the_earlier_export(
    plain: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_trial(plain, "plain", 2, tmp_path / "chosen")
    rename = os.rename

    def refuses_the_new(source: Path, target: Path) -> None:
        if str(source).endswith(".part"):
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr("os.rename", refuses_the_new)
    with pytest.raises(ExportError, match="No space left on device"):
        export_trial(plain, "plain", 3, tmp_path / "chosen", force=True)
    assert json.loads((tmp_path / "chosen" / "config.json").read_text())["number"] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["chosen"]


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


def test_the_card_of_a_function_leaves_its_use_to_the_user(plain: Store) -> None:
    card = make_export(plain, "plain", 2).files["MODEL_CARD.md"].decode()
    assert "**To be filled in.** moopt cannot know what the model is for" in card
    assert "there is no model, so nothing was weighed or timed" in card
    assert "| 3 | 0.97 | 0.95 | 30 ms | 400 kB |" in card


# Pipelines: a data file, a model


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ill(tmp_path_factory.mktemp("data") / "ill.csv")


def search_rows(csv: Path) -> tuple[pd.DataFrame, NDArray[Any]]:
    data = read_data(DataSpec(str(csv), "ill", positive="yes", seed=7))
    rows = data.split().search
    return data.X.iloc[rows], data.y[rows]


@pytest.fixture
def ill(csv: Path) -> Store:
    return ill_study(csv)


def test_an_export_of_a_pipeline_has_all_files(ill: Store, tmp_path: Path) -> None:
    export = export_trial(ill, "ill", 0, tmp_path / "chosen")
    assert set(export.files) == {
        "config.json",
        "pipeline.py",
        "model.skops",
        "predict.py",
        "input.json",
        "requirements.txt",
        "sample.csv",
        "sample_predictions.csv",
        "claims.json",
        "front.csv",
        "WHY.md",
        "MODEL_CARD.md",
        "manifest.json",
    }
    assert (export.has_model, export.missing) == (True, "")
    assert "fitted on the 160 rows outside the test split with seed 7" in export.files["WHY.md"].decode()


def test_the_card_tells_data_splits_intervals_costs_and_the_decision(ill: Store, csv: Path) -> None:
    choice = choose(OBJECTIVES, ill.trials("ill"), limits={"latency_ms": 5})
    decision = choice.decision(1.0)
    export = make_export(ill, "ill", choice.number, decision=decision, intended_use="Triage, never alone.")
    card = export.files["MODEL_CARD.md"].decode()
    claims = json.loads(export.files["claims.json"])
    for said in (
        "## Intended use\nTriage, never alone.",
        hashlib.sha256(csv.read_bytes()).hexdigest(),
        "search rows: 160",
        "test rows: 40; the search never saw them",
        f"`model.skops`: {claims['size_kb']:,.1f} kB",
        f"latency_ms: {claims['latency_ms']['latency_ms']:.4g} ms a call of 1 row",
        claims["machine"]["processor"],
        decision.reason,
        "`sample.csv` holds 40 rows of the test split. **They are real data**",
    ):
        assert said in card
    assert "To be filled in" not in card


def test_the_intervals_of_the_card_widen_with_the_folds(csv: Path) -> None:
    store = open_store(None)
    store.create_study(a_pipeline_record(csv))
    trial = a_complete(0, a_config("tree"), {"accuracy": 0.9, "recall": 0.9, "latency_ms": 3.0, "size_kb": 30.0})
    values = [{**trial.values, "accuracy": accuracy, "recall": 0.9} for accuracy in (0.8, 0.9, 1.0)]
    steps = {step: StepResult(one) for step, one in enumerate(values)}
    keep(store, "ill", replace(trial, n_steps=3, steps=steps))
    card = make_export(store, "ill", 0, with_model=False).files["MODEL_CARD.md"].decode()
    assert "| accuracy (higher is better) | 0.9 | 0.6334 to 1 | – | – | none |" in card
    assert "| recall (higher is better) | 0.9 | 0.9 to 0.9 | – | – | none |" in card


def test_the_card_tells_what_was_confirmed(ill: Store) -> None:
    score = {"value": 0.8625, "low": 0.81, "high": 0.91, "confidence": 0.9}
    small = {"value": 0.75, "low": None, "high": None, "confidence": None}
    timing = {"median_ms": 1.5, "low_ms": 1.4, "high_ms": 1.6, "n": 900, "batch": 1, "percentiles": {"p90": 2.5}}
    measures = {
        "scores": {"accuracy": score, "recall": small},
        "draws": pack_draws(np.zeros((0, 2))),
        "look": 2,
        "n_rows": 40,
        "latency": {"latency_ms": timing},
        "rss_mb": 12.5,
        "load_s": 0.25,
    }
    before = make_export(ill, "ill", 1, with_model=False).files["MODEL_CARD.md"].decode()
    assert "It is not confirmed: nobody has scored it on the test split." in before
    ill.add_confirmation("ill", Confirmation(1, {"processor": "a laptop's", "cores": 4}, measures))
    card = make_export(ill, "ill", 1, with_model=False).files["MODEL_CARD.md"].decode()
    for said in (
        "| 0.8625 | 0.81 to 0.91 | none |",
        "| 0.75 | too few rows | none |",
        "The test split, 40 rows, was looked at 2 times",
        "confirmed on a laptop's, 4 cores: latency_ms 1.5 ms by the wall clock, median of 900 calls, p90 2.5 ms",
        "loads in 0.25 s and takes 12.5 MB of memory",
    ):
        assert said in card


def test_a_model_that_was_kept_ships_also_where_its_data_are_gone(tmp_path: Path) -> None:
    csv, store = write_ill(tmp_path / "ill.csv"), open_store(tmp_path / "ill.db")
    store.create_study(a_pipeline_record(csv))
    values = {"accuracy": 0.9, "recall": 0.8, "latency_ms": 3.0, "size_kb": 30.0}
    keep(store, "ill", a_complete(0, a_config("tree"), values))
    kept = model_bytes(fit(store.study("ill"), a_config("tree")).model)
    artefacts.keep(store, "ill", 0, "skops", kept)
    whole = make_export(store, "ill", 0)
    assert whole.files["model.skops"] == kept
    assert "sample.csv" in whole.files
    assert "as `moopt confirm` fitted it" in whole.files["WHY.md"].decode()
    csv.unlink()
    alone = make_export(store, "ill", 0)
    assert alone.has_model
    assert alone.files["input.json"] == whole.files["input.json"]
    assert "sample.csv" not in alone.files
    assert "There is no sample of rows: there is no file" in alone.files["WHY.md"].decode()
    with pytest.raises(ExportError, match=r"there is no file .*gone\.csv"):
        make_export(store, "ill", 0, data=tmp_path / "gone.csv")


def test_the_requirements_are_what_the_model_needs_pinned(ill: Store) -> None:
    lines = make_export(ill, "ill", 1).files["requirements.txt"].decode().splitlines()
    pinned = dict(line.split("==") for line in lines)
    assert pinned == {name: version(name) for name in ("numpy", "pandas", "scikit-learn", "scipy", "skops")}


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
    model = load_skops((tmp_path / "chosen" / "model.skops").read_bytes())
    np.testing.assert_array_equal(model.predict_proba(X), again.predict_proba(X))


def test_two_exports_give_equal_predictions_bit_for_bit(ill: Store, csv: Path) -> None:
    X, _ = search_rows(csv)
    first, second = (load_skops(make_export(ill, "ill", 0).files["model.skops"]) for _ in range(2))
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_of_every_family_loads_with_our_own_list_of_types(family: str, csv: Path) -> None:
    fitted = fit(a_pipeline_record(csv), a_config(family))
    X, _ = search_rows(csv)
    np.testing.assert_array_equal(load_skops(model_bytes(fitted.model)).predict(X), fitted.model.predict(X))


def test_a_model_of_a_foreign_type_is_not_loaded() -> None:
    from skops.io.exceptions import UntrustedTypesFoundException

    with pytest.raises(UntrustedTypesFoundException, match="Foreign"):
        load_skops(model_bytes(Pipeline([("path", Foreign())])))


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
    monkeypatch.setattr("moopt.models.pipelines.build", lambda *_: Warns())
    assert fit(a_pipeline_record(csv), a_config("tree")).warnings == ("UserWarning: it did not",)


def test_a_fit_that_fails_is_an_export_error(csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moopt.models.pipelines.build", lambda *_: Raises())
    with pytest.raises(ExportError, match="the model cannot be fitted: ValueError: no memory of colours"):
        fit(a_pipeline_record(csv), a_config("tree"))

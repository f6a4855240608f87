"""Searches whose trials run on several backends: by study file, by ParetoSearchCV, and what is exported."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from moopt import ParetoSearchCV, refit
from moopt.data import Rows, stratified_folds
from moopt.deploy import converter
from moopt.deploy.onnx_model import OnnxModel
from moopt.errors import SpaceError, SpecError, WorkerDied
from moopt.evaluate import CrossValidation
from moopt.export.bundle import make_export
from moopt.measure import deployed, measures
from moopt.measure.deployed import Backends
from moopt.objectives import as_objectives
from moopt.run import plan, run_study
from moopt.specfile import parse_spec
from moopt.trial import Source, State

BOTH = ["sklearn", "onnxruntime"]


@pytest.fixture(scope="module", autouse=True)
def _no_process_is_left():
    yield
    converter.close()


def table(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    lines = ["x,colour,y"]
    for _ in range(90):
        x, colour = rng.normal(), rng.choice(["red", "blue", ""])
        yes = x + (colour == "red") + 0.4 * rng.normal() > 0.3
        lines.append(f"{x:.5f},{colour},{'yes' if yes else 'no'}")
    path = folder / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def spec(folder: Path, **models: object):
    families = {"families": ["forest", "bayes"], "ranges": {"forest": {"n_estimators": [4, 8]}}}
    return parse_spec(
        {
            "data": {"file": str(table(folder)), "target": "y"},
            "models": {**families, "backends": BOTH, **models},
            "search": {"n_trials": 4, "folds": 2, "workers": 1, "algorithm": "random"},
        }
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory):
    return run_study(spec(tmp_path_factory.mktemp("data")), None)[0]


def test_one_fit_of_a_preset_is_measured_on_each_backend_with_its_prefixes(study):
    frame = study.trials()
    assert frame["fit"].nunique() == 4
    assert set(frame["state"]) == {"complete"}
    for _, fit in frame.groupby("fit"):
        assert sorted(fit["param_backend"].value_counts()) == [len(fit) // 2] * 2
    forests = frame[frame["param_family"] == "forest"]
    assert (forests.groupby("fit").size() >= 4).any(), "a prefix, on both"
    assert "param_backend" in study.front()


def test_a_converted_trial_is_scored_sized_and_timed_as_converted(study):
    for trial in study.store.trials(study.name):
        details = trial.steps[0].details
        if trial.config["backend"] == "onnxruntime":
            assert details["agreement"] >= 0.9
            assert details["probability_difference"] < 1e-3
            assert details["conversion_s"] > 0
            assert set(trial.values) == {"accuracy", "recall", "latency_ms", "size_kb"}
            assert trial.steps[0].train
        else:
            assert "agreement" not in details


def test_a_trial_on_onnx_runtime_exports_its_file_and_others_do_not(study):
    trials, record = study.store.trials(study.name), study.store.study(study.name)
    converted = next(one for one in trials if one.config["backend"] == "onnxruntime")
    export = make_export(study.store, study.name, converted.number)
    original = refit.fit(record, converted.config)
    X = original.data.X
    assert OnnxModel(export.files["model.onnx"]).predict(X).tolist() == original.model.predict(X).tolist()
    assert b"model.onnx" in export.files["manifest.json"]
    plain = next(one for one in trials if one.config["backend"] == "sklearn")
    assert "model.onnx" not in make_export(study.store, study.name, plain.number).files


def test_backends_belong_to_what_a_study_is(tmp_path):
    with_them, without = plan(spec(tmp_path)), plan(spec(tmp_path, backends=None))
    assert with_them.record()["models"]["backends"] == BOTH
    assert with_them.record()["models"]["max_disagreement"] == 0.005
    assert "backend" in with_them.space
    assert "backend" not in without.space
    assert "backends" not in without.record()["models"]


def test_a_single_other_backend_runs_every_trial(tmp_path):
    study, _ = run_study(spec(tmp_path, backends=["onnxruntime"], families=["bayes"], ranges={}), None)
    assert set(study.trials()["param_backend"]) == {"onnxruntime"}
    assert set(study.trials()["source"]) == {"default", "search"}


def test_a_study_file_with_an_unknown_backend_is_refused(tmp_path):
    with pytest.raises(SpecError, match=r"\[models\] backends holds 'onnx'; expected one of: sklearn, onnxruntime"):
        spec(tmp_path, backends=["sklearn", "onnx"])


# One fold


@dataclass(frozen=True)
class Cancer:
    n_folds: int = 2

    def load(self) -> Rows:
        X, y = load_breast_cancer(return_X_y=True, as_frame=True)
        return Rows(X.iloc[:120], y.to_numpy()[:120], stratified_folds(y.to_numpy()[:120], 2, 0), {}, {})


def evaluate(config, build=lambda config: make_pipeline(StandardScaler(), LogisticRegression()), **options):
    objectives = as_objectives(["accuracy", "size"])
    expansions = (Backends(tuple(BOTH), **options),)
    return CrossValidation(Cancer(), build, measures(objectives, (0, 1)), expansions=expansions)(config, 0)


def no_counterpart(config):
    return make_pipeline(FunctionTransformer(np.log1p), LogisticRegression(max_iter=5000))


@pytest.mark.parametrize(("own", "failed"), [("sklearn", 1), ("onnxruntime", 0)])
def test_what_does_not_convert_fails_by_itself_whoever_asked_for_it(own, failed):
    results = evaluate({"backend": own}, no_counterpart)
    assert "ConversionFailed: Pipeline cannot be converted to ONNX" in results[failed].failure
    assert results[1 - failed].values["accuracy"] > 0.8
    assert [dict(one.changes) for one in results] == [{}, {"backend": BOTH[1 - BOTH.index(own)]}]


def test_a_conversion_that_crashes_is_the_failure_of_its_trial_alone(monkeypatch):
    def crash(*_):
        raise WorkerDied("the conversion to ONNX crashed: the worker process died: killed by SIGSEGV")

    monkeypatch.setattr(deployed, "convert", crash)
    own, other = evaluate({"backend": "sklearn"})
    assert own.values["accuracy"] > 0.8
    assert other.failure.startswith("WorkerDied: the conversion to ONNX crashed")


def test_a_model_that_disagrees_is_the_failure_of_its_trial_alone(monkeypatch):
    monkeypatch.setattr(OnnxModel, "predict_with_proba", lambda self, X: (np.zeros(len(X), dtype=int), None))
    own, other = evaluate({"backend": "sklearn"})
    assert own.values["accuracy"] > 0.8
    assert "WrongResult: the ONNX model predicts otherwise than its original on" in other.failure
    assert not evaluate({"backend": "sklearn"}, max_disagreement=1.0)[1].failure


# ParetoSearchCV


def search(**options):
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    known = {"objectives": ["accuracy", "latency", "size"], "n_trials": 3, "cv": 2, "random_state": 0}
    estimator = make_pipeline(StandardScaler(), LogisticRegression())
    spaces = {"logisticregression__C": [0.01, 0.1, 1.0, 10.0]}
    return ParetoSearchCV(estimator, spaces, **{**known, "backends": BOTH, **options}).fit(X[:200], y[:200]), X


def test_a_search_of_ones_own_estimator_takes_backends():
    found, X = search(refit="latency")
    trials = found.study_.store.trials(found.study_.name)
    assert [trial.source for trial in trials].count(Source.SIBLING) == 3
    assert all(trial.state is State.COMPLETE for trial in trials)
    assert set(found.front_["param_backend"]) <= set(BOTH)
    assert sorted(found.cv_results_["param_backend"]) == ["onnxruntime"] * 3 + ["sklearn"] * 3
    assert list(found.best_params_) == ["logisticregression__C"]
    assert found.best_backend_ == "onnxruntime"
    assert found.best_onnx_.predict(X).tolist() == found.predict(X).tolist()


def test_without_backends_there_is_no_column_and_scikit_learn_is_the_backend():
    found, _ = search(backends=None)
    assert "param_backend" not in found.front_
    assert found.best_backend_ == "sklearn"
    assert not hasattr(found, "best_onnx_")


def test_backends_that_cannot_be_are_refused():
    with pytest.raises(SpecError, match="backends holds 'torch'; expected one of: sklearn, onnxruntime"):
        search(backends=["torch"])
    with pytest.raises(SpecError, match="max_disagreement is 2; give a share from 0 to 1"):
        search(max_disagreement=2)


def test_a_parameter_of_that_name_has_to_go_by_another():
    X, y = load_breast_cancer(return_X_y=True)
    with pytest.raises(SpaceError, match="has a parameter 'backend', which the search itself has too"):
        ParetoSearchCV(LogisticRegression(), {"backend": [1, 2]}, backends=BOTH).fit(X, y)

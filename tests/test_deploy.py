"""Models on ONNX Runtime: converted, predicting, in agreement, and what happens where they are not."""

import os
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from itertools import product

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.metrics import get_scorer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC

from moopt.data.features import Columns
from moopt.deploy import backends, converter
from moopt.deploy.agreement import Agreement, agreement
from moopt.deploy.backends import as_backends
from moopt.deploy.conversion import to_onnx
from moopt.deploy.converter import convert
from moopt.deploy.onnx_model import OnnxModel
from moopt.errors import ConversionFailed, MissingExtra, SpecError, StepTimeout, UsageError, WorkerDied, WrongResult
from moopt.measure.size import size_kb
from moopt.models.families import FAMILIES
from moopt.models.pipelines import build
from moopt.models.presets import default_configs

MIXED = Columns(("a b", "c"), ("it's", 'say "t"'), numeric_gaps=True, text_gaps=True)
LEVELS = Columns(("a b",), ("t", "u"), levels=(("x", "y"), ("x", "z")))
PLAIN = Columns(("a b", "c"))
KINDS = {
    "numbers and texts with gaps": MIXED,
    "common levels": LEVELS,
    "numbers": PLAIN,
    "numbers with gaps": Columns(("a b", "c"), numeric_gaps=True),
    "texts with gaps": Columns((), ("t", "u", "v"), text_gaps=True),
}


@pytest.fixture(scope="module", autouse=True)
def _no_process_is_left():
    yield
    converter.close()


def rows(columns: Columns, n: int = 400) -> tuple[pd.DataFrame, np.ndarray]:
    """Gaps are in one column a row at the most, so that no two distances are equal by imputation."""
    rng = np.random.default_rng(0)
    texts = {name: pd.Series(rng.choice(["", "x", "y", "z"], n), dtype=object) for name in columns.text}
    X = pd.DataFrame({name: rng.normal(size=n) for name in columns.numeric} | texts)
    for place, name in enumerate(columns.numeric if columns.numeric_gaps else ()):
        X.loc[place :: 7 + place, name] = np.nan
    score = sum((X[name].fillna(0) for name in columns.numeric), np.zeros(n))
    score = score + sum(((X[name] == "x") * 1.5 for name in columns.text), np.zeros(n)) + 0.3 * rng.normal(size=n)
    return X, np.asarray(score)


def problem(kind: str = "numbers", labels: tuple[object, ...] = ("no", "yes")) -> tuple[pd.DataFrame, np.ndarray]:
    X, score = rows(KINDS[kind])
    places = np.searchsorted(np.quantile(score, np.arange(1, len(labels)) / len(labels)), score)
    return X, np.array(labels)[places]


SMALL = {"forest:n_estimators": 10, "extra_trees:n_estimators": 10, "hist_boosting:max_iter": 10, "mlp:units": 8}


def fitted(family: str, kind: str, labels: tuple[object, ...], **changes: object):
    config = default_configs([family], KINDS[kind])[0]
    config = {**config, **{name: value for name, value in SMALL.items() if name in config}}
    X, y = problem(kind, labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return build({**config, **changes}, KINDS[kind]).fit(X[:300], y[:300]), X[300:]


# What converts


TIES = ("neighbours", "texts with gaps")


@pytest.mark.parametrize(("family", "kind"), [one for one in product(FAMILIES, KINDS) if one != TIES])
def test_every_family_converts_with_its_preparation_and_agrees(family, kind):
    model, X = fitted(family, kind, ("no", "yes"))
    converted = OnnxModel(to_onnx(model, X[:5]))
    found = agreement(model, converted, X)
    assert found.n_rows == 100
    found.check()
    assert converted.predict(X).dtype == model.predict(X).dtype
    assert converted.classes_.tolist() == ["no", "yes"]
    assert hasattr(converted, "predict_proba") == hasattr(model, "predict_proba")
    if family != "neighbours":  # which of several neighbours at equal distance counts is chance
        assert (found.probability or 0) < 1e-5


@pytest.mark.parametrize("labels", [(0, 1), (False, True), ("a", "b", "c"), (1, 5, 7)])
@pytest.mark.parametrize("family", ["logistic", "tree", "hist_boosting", "neighbours", "svc", "bayes"])
def test_labels_of_any_type_and_number_come_back_as_they_were(family, labels):
    model, X = fitted(family, "numbers and texts with gaps", labels)
    converted = OnnxModel(to_onnx(model, X[:5]))
    assert set(converted.predict(X).tolist()) <= set(labels)
    agreement(model, converted, X).check()


def test_neighbours_at_equal_distance_are_told_as_a_disagreement():
    model, X = fitted(*TIES, ("no", "yes"))
    with pytest.raises(WrongResult, match=r"predicts otherwise than its original on .* of 100 rows"):
        agreement(model, OnnxModel(to_onnx(model, X[:5])), X).check()


@pytest.mark.parametrize("family", ["tree", "forest", "extra_trees", "hist_boosting"])
def test_texts_as_plain_numbers_convert(family):
    model, X = fitted(family, "numbers and texts with gaps", (0, 1), encoding="ordinal")
    assert agreement(model, OnnxModel(to_onnx(model, X[:5])), X).share == 1


def test_a_level_that_no_fit_has_seen_is_predicted_alike():
    model, X = fitted("logistic", "texts with gaps", (0, 1))
    strange = X.assign(t="never seen")
    assert agreement(model, OnnxModel(to_onnx(model, X[:5])), strange).share == 1


def test_a_pipeline_of_ones_own_converts_with_missing_texts_categories_flags_and_a_remainder():
    X, y = problem("numbers with gaps")
    rng = np.random.default_rng(1)
    X = X.assign(
        t=rng.choice(np.array(["x", "y", None], dtype=object), len(X)),
        u=pd.Categorical(rng.choice(["p", "q"], len(X))),
        flag=rng.random(len(X)) > 0.5,
    )
    prepare = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()), ["t"]),
        (OneHotEncoder(handle_unknown="ignore"), ["t", "u"]),
        (make_pipeline(SimpleImputer(), StandardScaler()), slice(0, 2)),
        remainder="passthrough",
    )
    model = make_pipeline(prepare, LogisticRegression()).fit(X[:300], y[:300])
    before = cloudpickle.dumps(model)
    found = agreement(model, OnnxModel(to_onnx(model, X[:20])), X)
    assert found.share == 1
    assert found.probability < 1e-5
    assert cloudpickle.dumps(model) == before, "the model itself is left as it is"


@pytest.mark.parametrize("labels", [("no", "yes"), ("a", "b", "c")])
@pytest.mark.parametrize("model", [SVC(), LinearSVC(), RidgeClassifier()], ids=lambda model: type(model).__name__)
def test_without_probabilities_there_are_decisions(model, labels):
    X, y = problem(labels=labels)
    model.fit(X, y)
    converted = OnnxModel(to_onnx(model, X[:5]))
    assert not hasattr(converted, "predict_proba")
    np.testing.assert_allclose(converted.decision_function(X), model.decision_function(X), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "model", [LinearRegression(), RandomForestRegressor(5), HistGradientBoostingRegressor(max_iter=10)]
)
def test_a_regressor_agrees_up_to_the_precision_of_its_numbers(model):
    X, y = rows(PLAIN)
    model.fit(X, y)
    converted = OnnxModel(to_onnx(model, X[:5]))
    assert agreement(model, converted, X) == Agreement(400, 400)
    assert not hasattr(converted, "classes_")
    assert get_scorer("r2")(converted, X, y) == pytest.approx(get_scorer("r2")(model, X, y), abs=1e-4)


def test_arrays_are_taken_as_frames_are():
    X, y = problem()
    model = LogisticRegression().fit(X.to_numpy(), y)
    converted = OnnxModel(to_onnx(model, X.to_numpy()[:5]))
    assert converted.predict(X.to_numpy()).tolist() == converted.predict(X).tolist() == model.predict(X.values).tolist()


def test_scorers_of_scikit_learn_take_the_model():
    X, y = problem()
    model = LogisticRegression().fit(X, y)
    converted = OnnxModel(to_onnx(model, X[:5]))
    for name in ("accuracy", "roc_auc", "neg_log_loss"):
        assert get_scorer(name)(converted, X, y) == pytest.approx(get_scorer(name)(model, X, y), abs=1e-4)


def test_a_model_travels_to_a_worker_and_its_size_is_that_of_its_file(tmp_path):
    model, X = fitted("forest", "numbers and texts with gaps", (0, 1))
    content = to_onnx(model, X[:5])
    (tmp_path / "model.onnx").write_bytes(content)
    converted = cloudpickle.loads(cloudpickle.dumps(OnnxModel(tmp_path / "model.onnx")))
    assert converted.predict(X).tolist() == OnnxModel(content).predict(X).tolist()
    assert size_kb(converted) == len(content) / 1000
    assert converted.n_features_in_ == 4


def test_the_same_model_is_the_same_file_in_any_process():
    model, X = fitted("forest", "numbers and texts with gaps", ("no", "yes"))
    assert convert(model, X[:5]) == to_onnx(model, X[:5])


def test_rows_of_another_width_are_refused():
    X, y = problem()
    converted = OnnxModel(to_onnx(LogisticRegression().fit(X, y), X[:5]))
    with pytest.raises(ValueError, match=r"shape \(400, 1\); expected a frame or array of 2 columns"):
        converted.predict(X[["c"]])


# What does not


def test_a_part_without_a_counterpart_is_named():
    X, y = problem()
    model = make_pipeline(FunctionTransformer(np.sin), LogisticRegression()).fit(X, y)
    with pytest.raises(ConversionFailed, match=r"Pipeline cannot be converted to ONNX: .*FunctionTransformer"):
        to_onnx(model, X[:5])


def test_numbers_and_texts_want_a_column_transformer():
    X, y = problem("common levels")
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()).fit(X, y)
    with pytest.raises(ConversionFailed, match="takes numbers and texts at once; for ONNX begin with a ColumnTransf"):
        to_onnx(model, X[:5])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (["a text", "another"], "take a frame or an array of rows and columns, not list"),
        (pd.DataFrame({"when": pd.to_datetime(["2020-01-01"])}), "column 'when' is neither numbers nor texts"),
    ],
)
def test_rows_that_onnx_cannot_take_are_named(X, message):
    with pytest.raises(ConversionFailed, match=message):
        to_onnx(LogisticRegression(), X)


@pytest.mark.parametrize("content", [b"no model", b""])
def test_bytes_that_are_no_model_are_refused(content):
    with pytest.raises(ConversionFailed, match="ONNX Runtime cannot load the model"):
        OnnxModel(content)


def test_an_onnx_file_of_others_is_refused():
    from skl2onnx import to_onnx as plain

    X, y = problem()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = plain(LogisticRegression().fit(X, y), X.to_numpy(np.float32)[:1]).SerializeToString()
    with pytest.raises(ConversionFailed, match="was not made by moopt"):
        OnnxModel(content)


def test_a_converted_model_is_never_fitted_again():
    X, y = problem()
    with pytest.raises(UsageError, match="fit the estimator, then convert it"):
        OnnxModel(to_onnx(LogisticRegression().fit(X, y), X[:5])).fit(X, y)


# Agreement


def test_more_rows_than_may_differ_are_a_wrong_result():
    Agreement(1000, 995).check()
    with pytest.raises(WrongResult, match=r"otherwise than its original on 6 of 1000 rows; at most 0\.5% may differ"):
        Agreement(1000, 994).check()
    Agreement(1000, 900).check(0.1)
    with pytest.raises(WrongResult, match=r"at most 0\.0% may differ"):
        Agreement(1000, 999).check(0)


def test_ties_that_fall_otherwise_are_no_disagreement():
    X, y = problem("texts with gaps")
    prepare = OneHotEncoder(sparse_output=False)
    model = make_pipeline(prepare, RandomForestClassifier(10, random_state=0, max_depth=4)).fit(X[:40], y[:40])
    found = agreement(model, OnnxModel(to_onnx(model, X[:5])), X)
    found.check(0)
    assert found.n_equal + found.n_ties == found.n_rows
    Agreement(100, 90, 0.0, n_ties=10).check(0)


def test_one_row_of_a_few_is_no_disagreement():
    Agreement(30, 29).check()
    with pytest.raises(WrongResult, match="2 of 30 rows"):
        Agreement(30, 28).check()


# The process that converts


@dataclass
class Awkward(ClassifierMixin, BaseEstimator):
    """Does something to the process that asks for its classes, as a converter does; nothing where it was made."""

    what: str = ""
    home: int = 0

    @property
    def classes_(self):
        if os.getpid() != self.home and self.what == "crash":
            os._exit(3)
        while os.getpid() != self.home and self.what == "hang":
            time.sleep(0.05)
        return np.array([0, 1])

    def predict(self, X):
        return np.zeros(len(X), dtype=int)


def test_a_conversion_that_crashes_its_process_fails_alone_and_the_next_one_works():
    X, y = problem()
    with pytest.raises(WorkerDied, match="the conversion to ONNX crashed: the worker process died: exit code 3"):
        convert(Awkward("crash", os.getpid()), X[:5])
    assert OnnxModel(convert(LogisticRegression().fit(X, y), X[:5])).predict(X).shape == (400,)


def test_a_conversion_that_hangs_is_stopped(monkeypatch):
    X, _ = problem()
    converter.close()
    monkeypatch.setattr(converter, "LONGEST_S", 0.9)
    with pytest.raises(StepTimeout, match=r"the conversion to ONNX took longer than 0\.9 s and was stopped"):
        convert(Awkward("hang", os.getpid()), X[:5])
    converter.close()


def test_errors_of_the_converter_come_back_as_they_are():
    X, y = problem()
    model = make_pipeline(FunctionTransformer(np.sin), LogisticRegression()).fit(X, y)
    with pytest.raises(ConversionFailed, match="FunctionTransformer"):
        convert(model, X[:5])


def test_a_model_that_cannot_travel_is_named():
    X, y = problem()
    model = LogisticRegression().fit(X, y)
    model.later_ = (row for row in [1])
    with pytest.raises(ConversionFailed, match="cannot be sent to where it is converted"):
        convert(model, X[:5])


# Their names


def test_backends_are_checked():
    assert as_backends(None) == ("sklearn",)
    assert as_backends(["onnxruntime", "sklearn", "onnxruntime"]) == ("onnxruntime", "sklearn")
    with pytest.raises(SpecError, match="backends holds 'onnx'; expected one of: sklearn, onnxruntime"):
        as_backends(["onnx"])
    for wrong in ("sklearn", [], 3):
        with pytest.raises(SpecError, match="give a list of some of: sklearn, onnxruntime"):
            as_backends(wrong)


def test_what_is_not_installed_is_said_with_what_mends_it(monkeypatch):
    monkeypatch.setattr(backends, "find_spec", lambda name: None if name == "onnxruntime" else object())
    assert as_backends(["sklearn"]) == ("sklearn",)
    with pytest.raises(MissingExtra, match=r'needs onnxruntime; do: pip install "moopt\[onnx\]"'):
        as_backends(["sklearn", "onnxruntime"])
    X, y = problem()
    with pytest.raises(MissingExtra, match=r"moopt\[onnx\]"):
        to_onnx(LogisticRegression().fit(X, y), X)


def test_the_runtime_is_imported_only_where_it_is_used():
    heavy = ["onnx", "onnxruntime", "skl2onnx"]
    code = f"import sys, moopt.run, moopt.search_cv; print([name for name in {heavy} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_prefixes_of_a_forest_convert():
    from moopt.measure.staged import prefix

    X, y = problem()
    model = prefix(RandomForestClassifier(8, random_state=0).fit(X, y), 2)
    assert agreement(model, OnnxModel(to_onnx(model, X[:5])), X).share == 1

"""One fold of one config: build, fit, measure."""

import warnings
from dataclasses import dataclass, field

import cloudpickle
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from moopt.data import DataSpec, Rows, read_data, stratified_folds
from moopt.errors import DataError
from moopt.evaluate import CrossValidation, file_evaluator, one_thread, opened, spread
from moopt.measure import measures
from moopt.measure.samples import samples
from moopt.measure.variants import Variant
from moopt.models.families import FAMILIES
from moopt.models.presets import default_configs
from moopt.objectives import as_objectives
from moopt.trial import Config

OBJECTIVES = as_objectives(["accuracy", "recall", "latency", "size"])


@dataclass(frozen=True)
class Cancer:
    """The first rows of the breast-cancer data, and how often they were loaded."""

    n_folds: int = 3
    weighted: bool = False
    loads: list[int] = field(default_factory=list, compare=False)

    def load(self) -> Rows:
        self.loads.append(1)
        X, y = load_breast_cancer(return_X_y=True, as_frame=True)
        X, y = X.iloc[:150], y.to_numpy()[:150]
        weights = {"sample_weight": np.arange(150.0)} if self.weighted else {}
        return Rows(X, y, stratified_folds(y, self.n_folds, 0), weights, weights)


class Recorder(ClassifierMixin, BaseEstimator):
    """Remembers what it was fitted on and warns while it fits."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.index_, self.weight_ = list(X.index), sample_weight
        for _ in range(3):
            warnings.warn("not there yet", ConvergenceWarning, stacklevel=1)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def evaluator(build=lambda config: LogisticRegression(**config), data=None, objectives=OBJECTIVES, **more):
    return CrossValidation(data or Cancer(), build, measures(objectives, (0, 1), 0), **more)


@pytest.fixture(autouse=True)
def _nothing_opened():
    opened.cache_clear()


def test_a_step_gives_one_result_with_every_objective():
    (result,) = evaluator()({"C": 1.0, "max_iter": 5000}, 0)
    assert set(result.values) == {"accuracy", "recall", "latency_ms", "size_kb"}
    assert set(result.train) == {"accuracy", "recall"}
    assert 0.8 < result.values["accuracy"] <= 1
    assert result.seconds > result.details["fit_s"] > 0
    assert result.details["latency"]["latency_ms"]["input"] == "frame"
    assert result.values["latency_ms"] == np.quantile(samples(result.details, "latency_ms"), 0.05) / 1e6


@dataclass(frozen=True)
class Halves:
    """A half that is the model itself, and a quarter that cannot be made."""

    def __call__(self, variant: Variant, config: Config) -> list[Variant]:
        def fail() -> None:
            raise ValueError(f"no quarter\n of {sorted(config)}")

        return [variant, Variant({"C": 2.0}, variant.make, 0.5), Variant({"C": 4.0}, fail)]


def test_every_variant_of_a_fit_is_measured_and_one_that_cannot_be_made_fails_alone():
    objectives = as_objectives(["accuracy", "size", "fit_time"])
    config = {"C": 1.0, "max_iter": 5000}
    own, half, quarter = evaluator(objectives=objectives, expansions=(Halves(),))(config, 0)
    assert own.changes == {}
    assert half.changes == {"C": 2.0}
    assert half.values["fit_time_s"] == pytest.approx(own.values["fit_time_s"] / 2)
    assert {**half.values, "fit_time_s": 0} == {**own.values, "fit_time_s": 0}
    assert half.train == own.train
    assert 0 < half.seconds < own.seconds
    assert (quarter.changes, quarter.values) == ({"C": 4.0}, {})
    assert quarter.failure == "ValueError: no quarter of ['C', 'max_iter']"


def test_quality_repeats_and_folds_differ():
    config = {"C": 0.01, "max_iter": 5000}
    once, again = (evaluator()(config, 1)[0].values["accuracy"] for _ in range(2))
    assert once == again
    assert len({evaluator()(config, step)[0].values["accuracy"] for step in range(3)}) > 1


def test_the_data_are_loaded_once():
    data = Cancer()
    run = evaluator(data=data)
    for step in range(3):
        run({"max_iter": 5000}, step)
    assert len(data.loads) == 1


def test_it_survives_pickling_and_carries_no_data():
    run = evaluator()
    packed = cloudpickle.dumps(run)
    assert len(packed) < 10_000
    assert cloudpickle.loads(packed)({"max_iter": 5000}, 0)[0].values["accuracy"] > 0.8


def test_a_fold_is_fitted_on_its_training_rows_with_their_arguments():
    made: list[Recorder] = []
    data = Cancer(weighted=True)
    run = evaluator(lambda config: made.append(Recorder()) or made[-1], data, as_objectives(["accuracy"]))
    run({}, 2)
    train, valid = opened(data).folds[2]
    assert made[0].index_ == list(train)
    assert made[0].weight_.tolist() == train.tolist()
    assert not set(train) & set(valid)


def test_scorers_get_their_arguments_for_the_rows_scored():
    seen: list[list[float]] = []

    def own(model, X, y, sample_weight):
        seen.append(sample_weight.tolist())
        return 1.0

    data = Cancer(weighted=True)
    scored = measures(as_objectives(["accuracy"]), scoring={"accuracy": own})
    CrossValidation(data, lambda config: Recorder(), scored)({}, 0)
    train, valid = opened(data).folds[0]
    assert seen == [valid.tolist(), train.tolist()]


def test_warnings_are_counted_and_not_shown():
    (result,) = evaluator(lambda config: Recorder(), objectives=as_objectives(["accuracy"]))({}, 0)
    assert result.details["warnings"] == {"ConvergenceWarning: not there yet": 3}


def test_training_scores_can_be_of_some_rows_or_of_none():
    seen: list[int] = []

    def own(model, X, y):
        seen.append(len(X))
        return 1.0

    scored = measures(as_objectives(["accuracy"]), scoring={"accuracy": own})
    for train_rows, expected in ((None, [50, 100]), (7, [50, 7]), (0, [50])):
        seen.clear()
        (result,) = CrossValidation(Cancer(), lambda config: Recorder(), scored, train_rows)({}, 0)
        assert seen == expected
        assert bool(result.train) == (train_rows != 0)


def test_rows_are_spread_evenly():
    assert spread(np.arange(100), 3).tolist() == [0, 49, 99]
    assert spread(np.arange(3), 5).tolist() == [0, 1, 2]


def test_one_thread_is_all_that_a_model_gets():
    assert one_thread(RandomForestClassifier(n_jobs=-1)).n_jobs == 1
    assert one_thread(LogisticRegression()).n_jobs is None


def test_a_precomputed_kernel_is_cut_in_both_directions():
    @dataclass(frozen=True)
    class Kernel(Cancer):
        def load(self) -> Rows:
            rows = super().load()
            X = rows.X.to_numpy() / rows.X.to_numpy().max(axis=0)
            return rows._replace(X=X @ X.T)

    (result,) = evaluator(lambda config: SVC(kernel="precomputed"), Kernel(), as_objectives(["accuracy"]))({}, 0)
    assert result.values["accuracy"] > 0.8


def test_a_class_with_fewer_rows_than_folds_is_refused_before_the_search(tmp_path):
    rows = "".join(f"{i % 7},{'rare' if i < 3 else 'common'}\n" for i in range(60))
    (tmp_path / "a.csv").write_text("x,kind\n" + rows, encoding="utf-8")
    with pytest.raises(DataError, match="class 'rare' of 'kind' has 3 rows: 5 folds"):
        file_evaluator(read_data(DataSpec(str(tmp_path / "a.csv"), "kind")), OBJECTIVES)


def test_an_error_of_the_model_is_passed_on():
    with pytest.raises(ValueError, match="must be a float in the range"):
        evaluator()({"C": -1.0}, 0)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_measured_on_a_file(tmp_path, family):
    frame = load_breast_cancer(as_frame=True).frame.iloc[:200]
    frame = frame.assign(site=np.resize(["left", "right", ""], 200))
    frame.to_csv(tmp_path / "cancer.csv", index=False)
    data = read_data(DataSpec(str(tmp_path / "cancer.csv"), "target", positive=0))
    run = file_evaluator(data, OBJECTIVES, n_folds=3)
    assert run.n_steps == 3
    (result,) = cloudpickle.loads(cloudpickle.dumps(run))(default_configs([family], data.columns)[0], 0)
    assert result.values["accuracy"] > 0.8
    assert all(np.isfinite(value) and value > 0 for value in result.values.values())
    assert "warnings" not in result.details

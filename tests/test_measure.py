"""Quality and size of fitted models, and what an objective wants measured."""

import json
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from moopt.errors import ObjectiveError
from moopt.measure import measures
from moopt.measure.quality import scorer, scores
from moopt.measure.samples import samples
from moopt.measure.size import model_bytes, size_kb
from moopt.objectives import Objective, as_objectives


def problem(labels: tuple[object, ...] = ("no", "yes"), n: int = 90) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.resize(np.array(labels), n)
    X = rng.normal(size=(n, 3)) + 0.7 * np.resize(np.arange(len(labels)), n)[:, None]
    return X, y


# Quality


@pytest.mark.parametrize("positive", ["no", "yes"])
def test_scores_of_two_classes_are_about_the_positive_label(positive):
    X, y = problem()
    model = LogisticRegression().fit(X, y)
    names = ["roc_auc", "accuracy", "recall", "precision", "f1", "average_precision"]
    found = scores({name: scorer(name, ["no", "yes"], positive) for name in names}, model, X, y)
    guess = model.predict(X)
    assert found["recall"] == recall_score(y, guess, pos_label=positive)
    assert found["precision"] == precision_score(y, guess, pos_label=positive)
    assert found["f1"] == f1_score(y, guess, pos_label=positive)
    sign = 1 if positive == "yes" else -1
    expected = average_precision_score(y == positive, sign * model.decision_function(X))
    assert found["average_precision"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("labels", "positive"), [((0, 1), 1), ((1, 2), 1), (("no", "yes"), "yes"), ((False, True), True)]
)
def test_without_a_positive_label_it_is_one_or_the_last_class(labels, positive):
    X, y = problem(labels)
    model = LogisticRegression().fit(X, y)
    found = scores({"recall": scorer("recall", labels)}, model, X, y)
    assert found["recall"] == recall_score(y, model.predict(X), pos_label=positive)


def test_scores_of_several_classes_are_macro_means():
    X, y = problem(("a", "b", "c"))
    model = LogisticRegression().fit(X, y)
    names = ["recall", "precision", "f1", "jaccard", "roc_auc", "balanced_accuracy"]
    found = scores({name: scorer(name, ["a", "b", "c"]) for name in names}, model, X, y)
    assert found["recall"] == recall_score(y, model.predict(X), average="macro")
    assert found["f1"] == f1_score(y, model.predict(X), average="macro")
    assert 0.5 < found["roc_auc"] < 1


def test_an_undefined_precision_is_zero():
    X, y = problem()
    model = DummyClassifier(strategy="constant", constant="no").fit(X, y)
    assert scores({"precision": scorer("precision", ["no", "yes"], "yes")}, model, X, y) == {"precision": 0.0}


def test_a_callable_scores_too():
    X, y = problem()
    model = LogisticRegression().fit(X, y)
    assert scores({"own": lambda model, X, y: len(X)}, model, X, y) == {"own": 90.0}


def test_a_scorer_that_wants_probabilities_of_a_model_without_is_named():
    X, y = problem()
    model = make_pipeline(SVC()).fit(X, y)
    with pytest.raises(
        ObjectiveError, match=r"objective neg_log_loss needs predict_proba, which SVC has not\nLeave SVC"
    ):
        scores({"accuracy": scorer("accuracy"), "neg_log_loss": scorer("neg_log_loss")}, model, X, y)


def test_an_attribute_error_of_a_callable_is_passed_on():
    X, y = problem()
    with pytest.raises(AttributeError, match="nothing"):
        scores({"own": lambda model, X, y: model.nothing}, DummyClassifier().fit(X, y), X, y)


def test_a_scorer_that_gives_no_number_is_named():
    X, y = problem()
    with pytest.raises(ObjectiveError, match="the scorer of own gave 'good'; expected a number"):
        scores({"own": lambda model, X, y: "good"}, DummyClassifier().fit(X, y), X, y)


# Size


def test_a_size_repeats_and_grows_with_the_model():
    X, y = problem()
    small, large = (RandomForestClassifier(n, random_state=0).fit(X, y) for n in (2, 20))
    assert size_kb(small) == size_kb(small)
    assert size_kb(large) > 3 * size_kb(small)


def test_a_size_of_bytes_is_theirs():
    model = LogisticRegression().fit(*problem())
    assert size_kb(model_bytes(model)) == size_kb(model)
    assert size_kb(b"x" * 2500) == 2.5


class Huge(LogisticRegression):
    """A model that no memory holds."""

    def __getstate__(self):
        raise MemoryError


def test_a_model_file_that_does_not_fit_into_memory_is_named():
    with pytest.raises(MemoryError, match="the model file of Huge does not fit into memory; search smaller models"):
        size_kb(Huge().fit(*problem()))


def test_a_model_file_loads_again():
    import skops.io

    X, y = problem()
    model = LogisticRegression().fit(X, y)
    assert skops.io.loads(model_bytes(model)).predict(X).tolist() == model.predict(X).tolist()


def test_a_model_that_cannot_be_written_is_named():
    model = DummyClassifier().fit(*problem())
    model.later_ = (row for row in [1])
    with pytest.raises(ObjectiveError, match="DummyClassifier cannot be written as a model file by skops: "):
        size_kb(model)


@pytest.mark.parametrize(
    "model", [RandomForestClassifier(3, random_state=0), MLPClassifier((5,), max_iter=5, random_state=0)]
)
def test_the_same_model_is_the_same_file_in_any_process(model):
    X, y = problem()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y)
    fitted = make_pipeline(StandardScaler(), model)
    elsewhere = subprocess.run(
        [sys.executable, "-c", _DUMP], input=pickle.dumps(fitted), capture_output=True, check=True
    ).stdout
    assert elsewhere == model_bytes(fitted)


_DUMP = """
import pickle, sys
from moopt.measure.size import model_bytes
sys.stdout.buffer.write(model_bytes(pickle.load(sys.stdin.buffer)))
"""


# Objectives -> what to measure


def test_objectives_become_measures():
    found = measures(as_objectives(["accuracy", "latency", "latency_b256", "size", "fit_time"]), ["no", "yes"], "yes")
    assert list(found.scorers) == ["accuracy"]
    assert found.latencies == {"latency_ms": 1, "latency_b256_ms": 256}
    assert found.size
    assert found.fit_time
    assert pickle.loads(pickle.dumps(found)).latencies == found.latencies


def test_measures_give_every_objective():
    X, y = problem()
    objectives = as_objectives(["recall", "latency_b8", "size", "fit_time"])
    found = measures(objectives, ["no", "yes"], "yes")
    model = LogisticRegression().fit(X, y)
    values, records = found.cost(model, X, 0.25)
    assert {**found.quality(model, X, y), **values}.keys() == {one.name for one in objectives}
    assert values["fit_time_s"] == 0.25
    kept = samples({"latency": json.loads(json.dumps(records))}, "latency_b8_ms")
    assert values["latency_b8_ms"] == np.quantile(kept, 0.05) / 1e6


def test_own_scorers_go_by_the_objectives_name():
    found = measures([Objective("profit", "maximize")], scoring={"profit": lambda model, X, y: 3.0})
    assert found.quality(DummyClassifier().fit(*problem()), *problem()) == {"profit": 3.0}


def test_an_own_objective_without_a_scorer_is_refused():
    with pytest.raises(
        ObjectiveError, match="objective 'profit' is your own, and a model's evaluation cannot measure it"
    ):
        measures([Objective("profit", "maximize")])


def test_a_percentile_is_refused_and_told_where_it_is():
    with pytest.raises(ObjectiveError, match=r"latency_p95_ms is a percentile, .*\n.*confirm measures p90"):
        measures([Objective("latency_p95_ms", log=True)])


def test_a_slip_of_the_pen_is_pointed_out():
    with pytest.raises(ObjectiveError, match=r"did you mean 'accuracy'\?"):
        measures([Objective("acuracy", "maximize")])

"""ParetoSearchCV through its public face, beside RandomizedSearchCV where the two must agree."""

import math
import pickle
import signal
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.stats import loguniform, randint, uniform
from sklearn import clone, config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import f1_score, make_scorer, precision_score, recall_score
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, ShuffleSplit, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import moopt
from moopt import Objective, ParetoSearchCV
from moopt.errors import (
    ConfirmError,
    MooptWarning,
    NoTrialLeft,
    ObjectiveError,
    SearchFailed,
    SpaceError,
    SpecError,
    StudyMismatch,
)

X, Y = load_breast_cancer(return_X_y=True)
X, Y = X[::3, :8], Y[::3]
IRIS, SPECIES = load_iris(return_X_y=True)
DIABETES, PROGRESS = (part[:150] for part in load_diabetes(return_X_y=True))
DEPTHS = {"max_depth": [1, 2, 3, None], "min_samples_leaf": [1, 10]}


def tree(**options: Any) -> DecisionTreeClassifier:
    return DecisionTreeClassifier(random_state=0, **options)


def search(estimator: Any = None, space: Any = None, **options: Any) -> ParetoSearchCV:
    """A cheap search: accuracy and size of a small tree."""
    given = {"objectives": ["accuracy", "size"], "n_trials": 6, "cv": 3, "random_state": 0, **options}
    return ParetoSearchCV(tree() if estimator is None else estimator, DEPTHS if space is None else space, **given)


def assert_same_results(ours: ParetoSearchCV, theirs: GridSearchCV, *scores: str) -> None:
    """Both tried every config of one grid: the scores of each agree, fold by fold."""
    place = {repr(sorted(one.items())): row for row, one in enumerate(theirs.cv_results_["params"])}
    rows = [place[repr(sorted(one.items()))] for one in ours.cv_results_["params"]]
    assert sorted(rows) == list(range(len(place)))
    for score in scores:
        keys = [key for key in theirs.cv_results_ if key.endswith((f"_test_{score}", f"_train_{score}"))]
        assert keys
        for key in keys:
            assert_allclose(ours.cv_results_[key], theirs.cv_results_[key][rows], err_msg=key)


# What comes out


def test_the_defaults_for_a_classifier_are_accuracy_recall_latency_and_size() -> None:
    found = search(objectives=None).fit(X, Y)
    assert list(found.front_.columns) == [
        "number", "accuracy", "recall", "latency_ms", "size_kb", "param_max_depth", "param_min_samples_leaf",
        "front_probability", "basis", "tie", "accuracy_low", "accuracy_high", "recall_low", "recall_high",
        "latency_ms_low", "latency_ms_high", "size_kb_low", "size_kb_high",
    ]  # fmt: skip
    assert found.front_["front_probability"].between(0, 1).all()
    assert isinstance(found, ClassifierMixin) is False
    assert found.score(X, Y) == found.best_estimator_.score(X, Y)


def test_the_defaults_for_a_regressor_are_r2_latency_and_size() -> None:
    found = search(DecisionTreeRegressor(random_state=0), objectives=None).fit(DIABETES, PROGRESS)
    assert list(found.front_.columns[:4]) == ["number", "r2", "latency_ms", "size_kb"]


def test_the_front_is_what_no_trial_beats_in_every_objective() -> None:
    found = search(n_trials=8).fit(X, Y)
    table = pd.DataFrame({name: found.cv_results_[f"mean_test_{name}"] for name in ("accuracy", "size_kb")})
    for _, row in found.front_.iterrows():
        better = (table["accuracy"] >= row["accuracy"]) & (table["size_kb"] <= row["size_kb"])
        strictly = (table["accuracy"] > row["accuracy"]) | (table["size_kb"] < row["size_kb"])
        assert not (better & strictly).any()
    assert set(found.front_["number"]) <= set(found.cv_results_["number"])
    assert found.front_["number"].is_monotonic_increasing


def test_cv_results_has_every_key_that_users_of_grid_search_know() -> None:
    ours = search(objectives=None, scoring="accuracy", algorithm="grid", n_trials=99, return_train_score=True).fit(X, Y)
    theirs = GridSearchCV(tree(), DEPTHS, scoring="accuracy", cv=3, return_train_score=True).fit(X, Y)
    assert theirs.cv_results_.keys() <= ours.cv_results_.keys()
    assert_same_results(ours, theirs, "score")
    assert ours.best_score_ == pytest.approx(theirs.best_score_)
    assert ours.best_index_ == np.argmax(ours.cv_results_["mean_test_score"])
    assert ours.n_splits_ == theirs.n_splits_ == 3
    assert ours.multimetric_ is theirs.multimetric_ is False
    assert ours.score(X, Y) == pytest.approx(ours.best_estimator_.score(X, Y))
    assert isinstance(ours.cv_results_["param_max_depth"], np.ma.MaskedArray)
    assert (ours.cv_results_["mean_fit_time"] > 0).all()
    assert ours.refit_time_ > 0


def test_several_scores_agree_with_grid_search() -> None:
    scoring = ["accuracy", "f1", "roc_auc", "neg_log_loss"]
    ours = search(objectives=None, scoring=scoring, algorithm="grid", n_trials=99, refit="f1").fit(X, Y)
    theirs = GridSearchCV(tree(), DEPTHS, scoring=scoring, cv=3, refit="f1").fit(X, Y)
    assert_same_results(ours, theirs, *scoring)
    assert ours.best_score_ == pytest.approx(theirs.best_score_)
    assert ours.multimetric_
    assert ours.scorer_.keys() == theirs.scorer_.keys()
    assert ours.score(X, Y) == pytest.approx(theirs.scorer_["f1"](ours.best_estimator_, X, Y))


def test_a_rank_of_1_is_the_best_whichever_way_is_better() -> None:
    results = search(n_trials=8).fit(X, Y).cv_results_
    assert results["mean_test_size_kb"][results["rank_test_size_kb"] == 1].min() == results["mean_test_size_kb"].min()
    assert (
        results["mean_test_accuracy"][results["rank_test_accuracy"] == 1].max() == results["mean_test_accuracy"].max()
    )


def test_the_best_estimator_has_the_best_params_and_is_fitted_on_all_rows() -> None:
    found = search().fit(X, Y)
    expected = tree(**found.best_params_).fit(X, Y)
    assert_array_equal(found.predict(X), expected.predict(X))
    assert found.best_params_ == found.cv_results_["params"][found.best_index_]
    assert found.cv_results_["number"][found.best_index_] in found.front_["number"].to_numpy()
    assert_array_equal(found.classes_, [0, 1])
    assert found.n_features_in_ == 8


def test_the_same_random_state_gives_the_same_search_and_another_another() -> None:
    space = {"max_depth": randint(1, 10), "ccp_alpha": uniform(0, 0.02)}
    found = [search(space=space, random_state=seed).fit(X, Y) for seed in (1, 1, 2, np.random.RandomState(1))]
    params = [one.cv_results_["params"] for one in found]
    assert params[0] == params[1]
    assert params[0] != params[2]
    assert len(params[3]) == 6


# Spaces


def test_a_list_of_dicts_is_a_conditional_space() -> None:
    space = [
        {"model": [LogisticRegression()], "model__C": loguniform(0.01, 100)},
        {"model": [tree(), GaussianNB()], "scale": ["passthrough", StandardScaler(), MinMaxScaler()]},
    ]
    pipeline = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())])
    found = search(pipeline, space, n_trials=12).fit(X, Y)
    kinds = {type(one["model"]).__name__ for one in found.cv_results_["params"]}
    assert kinds == {"LogisticRegression", "DecisionTreeClassifier", "GaussianNB"}
    for one, masked in zip(found.cv_results_["params"], found.cv_results_["param_model__C"].mask, strict=True):
        assert ("model__C" in one) == (not masked) == isinstance(one["model"], LogisticRegression)
    assert {"param_model", "param_model__C", "param_scale"} <= set(found.front_.columns)


def test_estimators_in_the_space_are_never_fitted_themselves() -> None:
    inner = tree()
    search(Pipeline([("model", GaussianNB())]), {"model": [inner, GaussianNB()]}).fit(X, Y)
    assert not hasattr(inner, "tree_")


def test_the_estimators_own_parameters_are_tried_first_where_they_lie_in_the_space() -> None:
    found = search(tree(max_depth=3), n_trials=3).fit(X, Y)
    assert found.cv_results_["params"][0] == {"max_depth": 3, "min_samples_leaf": 1}
    assert found.study_.trials()["source"].tolist() == ["default", "search", "search"]
    assert "default" not in search(tree(max_depth=7), n_trials=3).fit(X, Y).study_.trials()["source"].tolist()


def test_own_parameters_may_lie_in_the_second_dict() -> None:
    space = [{"criterion": ["entropy"]}, {"criterion": ["gini"], "max_depth": [2, None]}]
    found = search(space=space, n_trials=1).fit(X, Y)
    assert found.cv_results_["params"] == [{"criterion": "gini", "max_depth": None}]


def test_an_equal_estimator_in_the_space_counts_as_the_own_one() -> None:
    pipeline = Pipeline([("model", LogisticRegression(max_iter=500))])
    space = {"model": [GaussianNB(), LogisticRegression(max_iter=500)], "model__C": [0.1, 1.0]}
    found = search(pipeline, [{"model": [GaussianNB()]}, {**space, "model": space["model"][1:]}], n_trials=1, cv=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found.fit(X, Y)
    assert found.cv_results_["params"][0]["model__C"] == 1.0


def test_a_small_space_ends_when_it_is_used_up() -> None:
    assert len(search(n_trials=100).fit(X, Y).cv_results_["params"]) == 8


# Objectives and scoring


def own_score(estimator: Any, X: Any, y: Any) -> float:
    return float(np.mean(estimator.predict(X) == y))


def two_scores(estimator: Any, X: Any, y: Any) -> dict[str, float]:
    predicted = estimator.predict(X)
    return {"hits": float(np.sum(predicted == y)), "misses": float(np.sum(predicted != y))}


def test_scores_that_are_no_objectives_are_recorded() -> None:
    found = search(scoring={"own": own_score, "auc": "roc_auc"}).fit(X, Y)
    assert_allclose(found.cv_results_["mean_test_own"], found.cv_results_["mean_test_accuracy"])
    assert "mean_test_auc" in found.cv_results_
    assert not {"own", "auc"} & set(found.front_.columns)


def test_objectives_may_be_scores_of_scoring() -> None:
    found = search(objectives=["own", "size"], scoring={"own": own_score, "f1": "f1"}).fit(X, Y)
    assert list(found.front_.columns[:3]) == ["number", "own", "size_kb"]
    assert "mean_test_f1" in found.cv_results_


def test_a_callable_alone_is_the_one_objective_called_score() -> None:
    found = search(objectives=None, scoring=own_score).fit(X, Y)
    assert list(found.front_.columns[:2]) == ["number", "score"]
    assert found.best_score_ == found.cv_results_["mean_test_score"].max()
    assert found.score(X, Y) == own_score(found.best_estimator_, X, Y)


def test_a_callable_may_return_several_scores() -> None:
    found = search(objectives=["hits", Objective("misses", "minimize")], scoring=two_scores, refit="hits").fit(X, Y)
    assert_allclose(found.cv_results_["mean_test_hits"] + found.cv_results_["mean_test_misses"], len(X) / 3)
    assert found.best_score_ == found.cv_results_["mean_test_hits"].max()
    assert found.score(X, Y) == two_scores(found.best_estimator_, X, Y)["hits"]
    recorded = search(scoring=two_scores, n_trials=1).fit(X, Y)
    assert {"mean_test_accuracy", "mean_test_hits", "mean_test_misses"} <= recorded.cv_results_.keys()
    assert recorded.multimetric_
    assert recorded.score(X, Y) == recorded.best_estimator_.score(X, Y)


def test_a_single_scoring_is_the_score_beside_other_objectives() -> None:
    found = search(scoring="f1").fit(X, Y)
    assert_array_equal(found.cv_results_["mean_test_score"], found.cv_results_["mean_test_f1"])
    assert found.score(X, Y) == f1_score(Y, found.predict(X))


def test_several_scores_of_a_callable_must_be_named() -> None:
    with pytest.raises(
        SearchFailed, match=r"several scores; name those to improve in objectives=\[...\]: hits, misses"
    ):
        search(objectives=None, scoring=two_scores, n_trials=2).fit(X, Y)
    with pytest.raises(ObjectiveError, match="returned no 'hit'; did you mean 'hits'"):
        search(objectives=["hit"], scoring=two_scores, error_score="raise").fit(X, Y)
    with pytest.raises(ObjectiveError, match="expected a dict with hits"):
        search(objectives=["hits"], scoring=own_score, error_score="raise").fit(X, Y)


def test_one_objective_works_as_well() -> None:
    found = search(objectives=["accuracy"], n_trials=8).fit(X, Y)
    assert found.front_["accuracy"].nunique() == 1
    assert found.best_score_ == found.front_["accuracy"].max() == found.cv_results_["mean_test_score"].max()


def test_latency_of_many_rows_and_the_fit_time_are_objectives() -> None:
    found = search(objectives=["accuracy", "latency_b256", "fit_time"], n_trials=2).fit(X, Y)
    assert list(found.front_.columns[1:4]) == ["accuracy", "latency_b256_ms", "fit_time_s"]


def test_with_several_classes_recall_and_precision_are_macro_averages() -> None:
    ours = search(objectives=["recall", "precision"], algorithm="grid", n_trials=99).fit(IRIS, SPECIES)
    scoring = {
        "recall": make_scorer(recall_score, average="macro"),
        "precision": make_scorer(precision_score, average="macro", zero_division=0),
    }
    theirs = GridSearchCV(tree(), DEPTHS, scoring=scoring, refit=False, cv=3).fit(IRIS, SPECIES)
    assert_same_results(ours, theirs, "recall", "precision")


def test_the_positive_label_can_be_named() -> None:
    labels = np.where(Y == 1, "benign", "malignant")
    ours = search(objectives=["recall"], pos_label="benign", algorithm="grid", n_trials=99).fit(X, labels)
    scorer = make_scorer(recall_score, pos_label="benign")
    theirs = GridSearchCV(tree(), DEPTHS, scoring={"recall": scorer}, refit=False, cv=3).fit(X, labels)
    assert_same_results(ours, theirs, "recall")
    with pytest.raises(SpecError, match="pos_label is 'benigh', no class of y; did you mean 'benign'"):
        search(pos_label="benigh").fit(X, labels)
    with pytest.warns(MooptWarning, match="pos_label='a' is not used: y has 3 classes"):
        search(pos_label="a", n_trials=1).fit(IRIS, SPECIES)


def test_an_estimator_without_a_target_is_judged_by_its_own_score() -> None:
    found = search(KMeans(random_state=0, n_init=1), {"n_clusters": [2, 3, 4]}, objectives=None).fit(IRIS)
    assert found.best_params_ == {"n_clusters": 4}
    assert found.transform(IRIS).shape == (150, 4)
    assert found.score(IRIS) == found.best_estimator_.score(IRIS)


def test_regressors_have_their_own_scores() -> None:
    scoring = ["neg_mean_squared_error", "r2"]
    ours = search(Ridge(), {"alpha": [0.1, 1, 10]}, objectives=None, scoring=scoring, n_trials=3)
    theirs = GridSearchCV(Ridge(), {"alpha": [0.1, 1, 10]}, scoring=scoring, refit=False, cv=3)
    assert_same_results(ours.fit(DIABETES, PROGRESS), theirs.fit(DIABETES, PROGRESS), *scoring)
    for name in ("recall", "roc_auc_ovr", "f1_macro"):
        with pytest.raises(ObjectiveError, match=f"{name} is about classes, and Ridge is a regressor"):
            search(Ridge(), {"alpha": [1, 2]}, objectives=[name]).fit(DIABETES, PROGRESS)


# Which trial is best


def test_refit_by_an_objectives_name_takes_its_best() -> None:
    found = search(n_trials=8, refit="size").fit(X, Y)
    assert found.best_score_ == found.cv_results_["mean_test_size_kb"].min()
    assert search(n_trials=8, refit="accuracy").fit(X, Y).best_score_ == found.front_["accuracy"].max()


@pytest.mark.parametrize("refit", ["knee", "balanced", True])
def test_refit_by_a_rule_takes_a_trial_of_the_front(refit: Any) -> None:
    found = search(refit=refit).fit(X, Y)
    assert found.cv_results_["number"][found.best_index_] in found.front_["number"].to_numpy()
    assert not hasattr(found, "best_score_")


def test_refit_may_be_a_callable_from_the_front_to_a_number() -> None:
    found = search(n_trials=8, refit=lambda front: front.sort_values("size_kb")["number"].iloc[0]).fit(X, Y)
    assert found.cv_results_["mean_test_size_kb"][found.best_index_] == found.front_["size_kb"].min()
    with pytest.raises(SpecError, match="refit returned 99; expected the number of a trial in front_, one of "):
        search(refit=lambda _: 99).fit(X, Y)


def test_without_refit_there_is_no_best_estimator() -> None:
    found = search(refit=False).fit(X, Y)
    assert not hasattr(found, "best_estimator_")
    assert not hasattr(found, "best_index_")
    assert not hasattr(found, "predict")
    with pytest.raises(AttributeError) as refused:
        _ = found.predict
    assert "refit=False, so it has no predict" in str(refused.value.__cause__)
    alone = search(refit=False, objectives=["accuracy"]).fit(X, Y)
    assert alone.best_score_ == alone.cv_results_["mean_test_accuracy"].max()


def test_limits_keep_the_best_within_them() -> None:
    free = search(n_trials=8, refit="accuracy").fit(X, Y)
    smaller = float(np.sort(free.front_["size_kb"])[-2])
    limited = [Objective("accuracy", "maximize"), Objective("size_kb", log=True, limit=smaller)]
    found = search(n_trials=8, refit="accuracy", objectives=limited).fit(X, Y)
    assert found.cv_results_["mean_test_size_kb"][found.best_index_] <= smaller
    assert found.best_score_ < free.best_score_


def test_limits_that_no_trial_meets_are_told_and_nothing_is_lost() -> None:
    found = search(objectives=["accuracy", Objective("size_kb", log=True, limit=0.01)])
    with pytest.raises(NoTrialLeft, match="Relax one limit: size_kb"):
        found.fit(X, Y)
    assert len(found.front_) >= 1
    assert len(found.cv_results_["params"]) == len(found.study_.trials()) == 6


# Splits, weights, groups, metadata


@pytest.mark.parametrize(
    "cv",
    [
        StratifiedKFold(2, shuffle=True, random_state=1),
        ShuffleSplit(3, random_state=1),
        [(np.arange(0, 100), np.arange(100, 190)), (np.arange(90, 190), np.arange(0, 90))],
        None,
    ],
)
def test_any_splitter_gives_the_folds_that_grid_search_has(cv: Any) -> None:
    ours = search(objectives=None, scoring="accuracy", algorithm="grid", n_trials=99, cv=cv).fit(X, Y)
    theirs = GridSearchCV(tree(), DEPTHS, cv=cv).fit(X, Y)
    assert_same_results(ours, theirs, "score")


def test_splits_may_come_from_a_generator() -> None:
    assert search(cv=KFold(4).split(X), n_trials=2).fit(X, Y).n_splits_ == 4


def test_sample_weight_goes_to_the_fit_and_to_the_scores() -> None:
    weights = np.where(Y == 1, 0.1, 5.0)
    ours = search(objectives=["accuracy"], algorithm="grid", n_trials=99).fit(X, Y, sample_weight=weights)
    theirs = GridSearchCV(tree(), DEPTHS, cv=3).fit(X, Y, sample_weight=weights)
    assert_same_results(ours, theirs, "score")
    unweighted = search(objectives=["accuracy"], algorithm="grid", n_trials=99).fit(X, Y)
    assert not np.allclose(ours.cv_results_["mean_test_score"], unweighted.cv_results_["mean_test_score"])


def test_every_named_score_takes_sample_weight_and_one_that_cannot_is_named() -> None:
    weights = np.where(Y == 1, 0.1, 5.0)
    named = ["accuracy", "recall", "average_precision"]
    search(objectives=named, n_trials=2, error_score="raise").fit(X, Y, sample_weight=weights)
    with pytest.warns(MooptWarning, match="sample_weight is not used by the score own"):
        search(scoring={"own": own_score}, n_trials=2).fit(X, Y, sample_weight=weights)


def test_groups_go_to_the_splitter() -> None:
    groups = np.arange(len(X)) % 5
    ours = search(objectives=["accuracy"], algorithm="grid", n_trials=99, cv=GroupKFold(5)).fit(X, Y, groups=groups)
    theirs = GridSearchCV(tree(), DEPTHS, cv=GroupKFold(5)).fit(X, Y, groups=groups)
    assert_same_results(ours, theirs, "score")


def test_metadata_are_routed_as_they_were_requested() -> None:
    weights, groups = np.where(Y == 1, 0.1, 5.0), np.arange(len(X)) % 3
    with config_context(enable_metadata_routing=True):
        estimator = tree().set_fit_request(sample_weight=True)
        scoring = {"recall": make_scorer(recall_score).set_score_request(sample_weight=True)}
        ours = search(estimator, objectives=None, scoring=scoring, algorithm="grid", n_trials=99, cv=GroupKFold(3))
        theirs = GridSearchCV(estimator, DEPTHS, scoring=scoring, refit="recall", cv=GroupKFold(3))
        for one in (ours, theirs):
            one.fit(X, Y, sample_weight=weights, groups=groups)
        assert_same_results(ours, theirs, "recall")
        expected = scoring["recall"](ours.best_estimator_, X, Y, sample_weight=weights)
        assert ours.score(X, Y, sample_weight=weights) == pytest.approx(expected)


def test_metadata_that_nobody_requested_are_refused() -> None:
    with config_context(enable_metadata_routing=True), pytest.raises(ValueError, match="sample_weight"):
        search().fit(X, Y, sample_weight=np.ones(len(X)))
    with pytest.raises(SpecError, match="score was given sample_weight, which needs metadata routing"):
        search(n_trials=1).fit(X, Y).score(X, Y, sample_weight=np.ones(len(X)))


# Data of every kind


@pytest.mark.parametrize("kind", [np.asarray, pd.DataFrame, sparse.csr_array, sparse.csr_matrix, lambda X: X.tolist()])
def test_frames_arrays_sparse_matrices_and_lists_give_the_same(kind: Any) -> None:
    small = np.round(X, 2)
    found = search(n_trials=3).fit(kind(small), Y.tolist())
    expected = search(n_trials=3).fit(small, Y)
    assert_allclose(found.cv_results_["mean_test_accuracy"], expected.cv_results_["mean_test_accuracy"])


def test_names_of_features_are_kept() -> None:
    frame = pd.DataFrame(X, columns=list("abcdefgh"))
    found = search(n_trials=1).fit(frame, pd.Series(Y))
    assert found.feature_names_in_.tolist() == list("abcdefgh")


# Workers


def test_processes_give_the_scores_of_this_process() -> None:
    shift = 0.25
    options: dict[str, Any] = {
        "objectives": ["accuracy", "shifted"],
        "scoring": {"shifted": lambda estimator, X, y: own_score(estimator, X, y) + shift},
        "algorithm": "grid",
        "n_trials": 99,
        "return_train_score": True,
    }
    here = search(**options).fit(X, Y, sample_weight=None)
    there = search(**options, n_jobs=2).fit(X, Y)
    key = [str(one) for one in here.cv_results_["params"]]
    order = [key.index(str(one)) for one in there.cv_results_["params"]]
    for name in ("mean_test_accuracy", "mean_test_shifted", "split1_train_accuracy"):
        assert_allclose(there.cv_results_[name], here.cv_results_[name][order])


class Frames(ClassifierMixin, BaseEstimator):
    """Takes only data frames, which an earlier step must give; ends its process where it is told to."""

    def __init__(self, deadly: bool = False) -> None:
        self.deadly = deadly

    def fit(self, X: Any, y: Any) -> "Frames":
        if self.deadly:
            import os

            os._exit(3)
        self.classes_ = np.unique(y)
        if not hasattr(X, "iloc"):
            raise TypeError("no frame")
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.classes_[0])


def test_workers_have_the_settings_of_scikit_learn_that_hold_here_and_survive_a_death() -> None:
    pipeline = Pipeline([("scale", StandardScaler()), ("model", Frames())])
    with config_context(transform_output="pandas"), pytest.warns(FitFailedWarning, match="the worker process died"):
        found = search(pipeline, {"model__deadly": [False, True]}, objectives=["accuracy"], n_jobs=2).fit(X, Y)
    assert found.study_.trials()["failure"].isna().tolist() == [True, False]
    assert found.best_params_ == {"model__deadly": False}


# Failures


class Moody(ClassifierMixin, BaseEstimator):
    """Fails where it is told to: in ``fit``, or with the last fold only."""

    def __init__(self, mood: str = "good") -> None:
        self.mood = mood

    def fit(self, X: Any, y: Any) -> "Moody":
        if self.mood == "bad" or (self.mood == "late" and X[0, 0] == -1):
            raise ValueError(f"in a {self.mood} mood")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.classes_[-1])


MOODS = {"mood": ["good", "bad", "late"]}


def moody(**options: Any) -> ParetoSearchCV:
    return search(Moody(), MOODS, **{"objectives": ["accuracy"], "return_train_score": True, **options})


def fit_moody(found: ParetoSearchCV) -> ParetoSearchCV:
    """The row that makes the late mood fail is in every training part but the first fold's."""
    marked = X.copy()
    marked[0, 0] = -1
    return found.set_params(cv=KFold(3)).fit(marked, Y)


def test_a_failing_fit_fails_its_trial_and_the_search_goes_on() -> None:
    with pytest.warns(FitFailedWarning, match=r"2 of 3 trials failed, 1 of them with: ValueError: in a \w+ mood"):
        found = fit_moody(moody())
    results = {one["mood"]: row for row, one in enumerate(found.cv_results_["params"])}
    assert np.isnan(found.cv_results_["mean_test_accuracy"][results["bad"]])
    assert found.cv_results_["rank_test_accuracy"][results["bad"]] == 2
    assert found.front_["param_mood"].tolist() == ["good"]
    assert found.best_params_ == {"mood": "good"}


def test_error_score_stands_in_the_results_and_never_wins() -> None:
    with pytest.warns(FitFailedWarning):
        found = fit_moody(moody(error_score=7))
    row = {one["mood"]: row for row, one in enumerate(found.cv_results_["params"])}
    assert found.cv_results_["mean_test_accuracy"][row["bad"]] == 7
    assert found.cv_results_["split0_test_accuracy"][row["late"]] < 1
    assert found.cv_results_["split1_test_accuracy"][row["late"]] == 7
    assert found.cv_results_["mean_train_accuracy"][row["bad"]] == 7
    assert found.best_params_ == {"mood": "good"}


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_error_score_raise_ends_the_search_with_the_error(n_jobs: int | None) -> None:
    found = search(Moody("bad"), {"mood": ["bad"]}, error_score="raise", n_jobs=n_jobs)
    with pytest.raises(ValueError, match="in a bad mood"):
        found.fit(X, Y)
    assert found.study_.trials()["state"].tolist()[0] == "failed"


def test_a_search_in_which_all_fails_says_why() -> None:
    with pytest.raises(SearchFailed, match="all 1 trials failed, 1 of them with: ValueError: in a bad mood"):
        search(Moody(), {"mood": ["bad"]}).fit(X, Y)


class Interrupting(Moody):
    """Presses Ctrl+C while it is fitted, as often as its mood says."""

    def fit(self, X: Any, y: Any) -> "Interrupting":
        assert len(X) == len(y)
        for _ in range(int(self.mood)):
            signal.raise_signal(signal.SIGINT)
        self.classes_ = np.unique(y)
        return self


def test_ctrl_c_ends_the_search_and_keeps_what_was_found() -> None:
    space = {"mood": ["0", "1", "2"]}
    once = search(Interrupting("0"), [{"mood": ["0"]}, {"mood": ["1"]}], objectives=["accuracy"], cv=2)
    once.fit(X, Y)
    assert once.best_params_ == {"mood": "0"}
    twice = search(Interrupting("2"), space, objectives=["accuracy"], refit=False)
    with pytest.raises(KeyboardInterrupt):
        twice.fit(X, Y)
    assert len(twice.cv_results_["params"]) == len(twice.front_) == 0
    assert len(twice.study_.trials()) == 1


def test_a_time_limit_of_a_step_fails_its_trial() -> None:
    with pytest.raises(SearchFailed, match="ran longer than step_timeout_s"):
        search(n_trials=1, step_timeout_s=0.001).fit(X, Y)


# A store


def test_folds_and_a_front_that_stalls_may_end_a_search() -> None:
    assert len(search(max_steps=10).fit(X, Y).cv_results_["params"]) == 3
    stalled = search(n_trials=8, stop_when_stalled=2).fit(X, Y)
    assert stalled.study_.stopped is not None
    assert stalled.study_.stopped["why"] in ("stalled", "trials")


def test_trials_without_a_chance_are_stopped_and_their_missing_folds_are_nan() -> None:
    space = {"max_depth": list(range(1, 9)), "min_samples_leaf": list(range(1, 12))}
    found = search(space=space, n_trials=60, cv=5, early_stopping=0.1, algorithm="random").fit(X, Y)
    results, trials = found.cv_results_, found.study_.trials()
    stopped = trials["state"].to_numpy() == "stopped"
    assert 0 < stopped.sum() < 50
    folds = np.array([results[f"split{k}_test_accuracy"] for k in range(5)])
    assert np.array_equal(np.isfinite(folds).sum(axis=0), trials["n_steps"])
    assert np.array_equal(np.isnan(results["mean_test_accuracy"]), stopped)
    assert not stopped[found.best_index_]
    assert not set(found.front_["number"]) & set(trials["number"][stopped])
    whole = search(space=space, n_trials=60, cv=5, early_stopping=False, algorithm="random").fit(X, Y)
    assert np.isfinite(whole.cv_results_["mean_test_accuracy"]).all()


def test_a_stored_search_goes_on_where_it_stopped(tmp_path: Path) -> None:
    store = tmp_path / "s.db"
    first = search(store=store, n_trials=3).fit(X, Y)
    second = search(store=store, n_trials=6).fit(X, Y)
    assert second.cv_results_["params"][:3] == first.cv_results_["params"]
    assert len(second.cv_results_["params"]) == 6
    whole = search(n_trials=6).fit(X, Y)
    assert second.cv_results_["params"] == whole.cv_results_["params"]
    assert len(moopt.load_study(store, "DecisionTreeClassifier").front()) == len(second.front_)
    again = search(store=store, n_trials=6).fit(pd.DataFrame(X).to_numpy(), list(Y))
    assert_array_equal(again.cv_results_["mean_fit_time"], second.cv_results_["mean_fit_time"])


def test_own_parameters_are_tried_after_the_estimators_own() -> None:
    start = [{"max_depth": 3, "min_samples_leaf": 10}, {"min_samples_leaf": 10}]
    found = search(tree(max_depth=2), start=start, refit=False, n_trials=4).fit(X, Y)
    assert found.cv_results_["params"][:3] == [
        {"max_depth": 2, "min_samples_leaf": 1},
        {"max_depth": 3, "min_samples_leaf": 10},
        {"max_depth": 2, "min_samples_leaf": 10},
    ]
    assert found.study_.trials()["source"].tolist() == ["default", "enqueued", "enqueued", "search"]


def test_a_start_may_lie_in_the_second_dict_and_hold_estimators() -> None:
    pipeline = Pipeline([("scale", StandardScaler()), ("model", tree())])
    space = [
        {"scale": [StandardScaler(), MinMaxScaler()]},
        {"model": [GaussianNB(), tree()], "scale": ["passthrough"]},
    ]
    start = [{"model": GaussianNB()}, {"scale": MinMaxScaler()}]
    found = search(pipeline, space, start=start, refit=False, n_trials=3).fit(X, Y)
    first, second = found.cv_results_["params"][1:]
    assert isinstance(first["model"], GaussianNB)
    assert isinstance(second["scale"], MinMaxScaler)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ([{"max_dept": 3}], "param_distributions has no parameter 'max_dept'; did you mean 'max_depth'"),
        ([{"max_depth": 30}], "max_depth is 30; did you mean 3"),
        ([3], "a config to start from is 3; give a dict of parameters"),
    ],
)
def test_a_start_that_cannot_be_is_refused(start: list[Any], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        search(start=start).fit(X, Y)


def test_parameters_of_two_dicts_are_no_start() -> None:
    with pytest.raises(SpaceError, match="no dict of param_distributions holds all of: max_depth, min_samples_leaf"):
        search(space=[{"max_depth": [1, 2]}, {"min_samples_leaf": [1, 9]}],
               start=[{"max_depth": 1, "min_samples_leaf": 9}]).fit(X, Y)  # fmt: skip


def test_another_searchs_front_is_tried_first_and_its_results_are_reused(tmp_path: Path) -> None:
    store = tmp_path / "s.db"
    first = search(store=store, study_name="first").fit(X, Y)
    again = search(store=store, study_name="again", warm_start_from=(store, "first"), reuse=True, n_trials=8).fit(X, Y)
    trials = again.study_.store.trials("again")
    on_front = set(first.front_["number"])
    from_first = [trial for trial in trials if trial.attributes.get("from", {}).get("study") == "first"]
    assert on_front <= {trial.attributes["from"]["trial"] for trial in from_first}
    assert trials[1].values == first.study_.store.trial("first", trials[1].attributes["from"]["trial"]).values
    assert len(trials) == 8


def test_a_study_may_be_given_to_start_from_and_such_a_search_is_cloned() -> None:
    first = search().fit(X, Y)
    again = clone(search(warm_start_from=first.study_, n_trials=3)).fit(X, Y)
    assert "warm start" in again.study_.trials()["source"].tolist()


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"X": X + 1}, "data sha256 is"),
        ({"Y": 1 - Y}, "data sha256 is"),
        ({"estimator": tree(criterion="entropy")}, "estimator criterion is 'entropy', stored is 'gini'"),
        ({"cv": KFold(3)}, "data folds_sha256 is"),
        ({"cv": 4}, "steps is 4, stored is 3"),
        ({"objectives": ["accuracy"]}, "objective size_kb is not given"),
        ({"scoring": ["f1"]}, "scoring f1 is 'f1', stored is not given"),
        ({"pos_label": 0}, "pos_label is 0, stored is not given"),
        ({"random_state": 1}, "seed is 1, stored is 0"),
        ({"algorithm": "random"}, "algorithm is 'random', stored is 'nsga2'"),
        ({"space": {**DEPTHS, "max_depth": [1, 2]}}, "max_depth: "),
        ({"sample_weight": np.ones(len(X))}, "data params_sha256 is"),
    ],
)
def test_another_search_in_the_same_place_is_refused_with_the_difference(
    stored: Path, change: dict[str, Any], difference: str
) -> None:
    options = {name: value for name, value in change.items() if name not in ("X", "Y", "sample_weight")}
    weights = {"sample_weight": change["sample_weight"]} if "sample_weight" in change else {}
    with pytest.raises(StudyMismatch, match=difference):
        search(store=stored, **options).fit(change.get("X", X), change.get("Y", Y), **weights)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stores") / "s.db"
    search(store=path, n_trials=1).fit(X, Y)
    return path


# scikit-learn's contract


def test_a_method_is_there_only_if_the_estimator_has_it() -> None:
    logistic = search(LogisticRegression(max_iter=500), {"C": [0.1, 1]}, n_trials=1)
    assert hasattr(logistic, "decision_function")
    assert not hasattr(search(), "decision_function")
    assert hasattr(search(), "predict_proba")
    assert not hasattr(search(Ridge(), {"alpha": [1, 2]}), "predict_proba")
    assert not hasattr(search(), "classes_")
    with pytest.raises(NotFittedError):
        search().predict(X)
    fitted = logistic.fit(StandardScaler().fit_transform(X), Y)
    for name in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        assert_array_equal(getattr(fitted, name)(X / 100), getattr(fitted.best_estimator_, name)(X / 100))


def test_a_fitted_transformer_transforms_there_and_back() -> None:
    found = search(PCA(), {"n_components": [1, 2, 3]}, objectives=None, n_trials=3).fit(X)
    assert found.best_params_ == {"n_components": 3}
    assert found.inverse_transform(found.transform(X)).shape == X.shape
    assert found.score_samples(X).shape == (len(X),)


def test_a_search_is_cloned_set_printed_and_nested_like_any_estimator() -> None:
    given = search(refit="balanced")
    assert clone(given).get_params()["refit"] == "balanced"
    given.set_params(estimator__max_depth=2, n_trials=2)
    assert given.estimator.max_depth == 2
    assert repr(given).startswith("ParetoSearchCV(cv=3,\n               estimator=DecisionTreeClassifier(")
    assert "ParetoSearchCV" in given._repr_html_()
    nested = Pipeline([("scale", StandardScaler()), ("search", given)]).fit(X, Y)
    assert nested.score(X, Y) > 0.8


@pytest.mark.parametrize("file", [None, "s.db"])
def test_a_fitted_search_is_pickled_with_its_study(tmp_path: Path, file: str | None) -> None:
    found = search(store=file and tmp_path / file).fit(X, Y)
    copy = pickle.loads(pickle.dumps(found))
    assert_array_equal(copy.predict(X), found.predict(X))
    assert len(copy.study_.trials()) == 6


def test_verbose_says_what_begins_and_what_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    search(verbose=1, n_trials=2).fit(X, Y)
    assert "evaluating up to 2 configs in 3 folds" in capsys.readouterr().out


# Arguments that cannot be


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"estimator": 3}, SpecError, "estimator is 3; give a scikit-learn estimator"),
        ({"n_trials": 0}, SpecError, "n_trials is 0; give a number of configs from 1"),
        ({"n_jobs": 0}, SpecError, "n_jobs is 0; give a number of processes"),
        ({"error_score": "rise"}, SpecError, "error_score is 'rise'; give a number or 'raise'"),
        ({"return_train_score": 1}, SpecError, "return_train_score is 1; give True or False"),
        ({"start": {"max_depth": 3}}, SpecError, "start is .*; give a list of dicts of parameters"),
        ({"reuse": "yes"}, SpecError, "reuse is 'yes'; give True or False"),
        ({"reuse": True}, SpecError, "reuse takes what other studies of a store measured; give store="),
        ({"verbose": "much"}, SpecError, "verbose is 'much'"),
        ({"random_state": "x"}, SpecError, "random_state is 'x'; give a whole number"),
        ({"random_state": -1}, SpecError, "random_state is -1; give a whole number"),
        ({"refit": "kneee"}, SpecError, "refit is 'kneee'; did you mean 'knee'"),
        ({"refit": 3}, SpecError, "refit is 3; give 'knee'"),
        ({"refit": "recall"}, SpecError, "refit is 'recall'; expected one of: knee, balanced, accuracy, size_kb"),
        ({"algorithm": "nsga3"}, SpecError, "did you mean 'nsga2'"),
        ({"objectives": ["acuracy"]}, ObjectiveError, "unknown objective 'acuracy'; did you mean 'accuracy'"),
        ({"objectives": []}, ObjectiveError, "no objective was given"),
        ({"objectives": [Objective("mine")]}, ObjectiveError, "objective 'mine' is your own"),
        ({"scoring": 3}, SpecError, "scoring is 3; give a name, a callable"),
        ({"scoring": "acuracy"}, SpecError, "scoring names 'acuracy', .*; did you mean 'accuracy'"),
        ({"scoring": "latency"}, SpecError, "scoring names 'latency', .*; name it in objectives instead"),
        ({"scoring": []}, SpecError, "scoring holds no score"),
        ({"scoring": ["f1", "f1"]}, SpecError, "scoring names 'f1' twice"),
        ({"scoring": [own_score]}, SpecError, "give names, or a dict of names and callables"),
        ({"scoring": {"a": 3}}, SpecError, "scoring has 3 for 'a'"),
        ({"scoring": {3: "f1"}}, SpecError, "scoring has the key 3"),
        (
            {"space": {"depth": [1]}},
            SpecError,
            "DecisionTreeClassifier has no parameter 'depth'; did you mean 'max_depth'",
        ),
        ({"objectives": [Objective("accuracy", limit=0.9)]}, ObjectiveError, "scikit-learn: higher is better"),
        ({"cv": []}, SpecError, "gives no split"),
    ],
)
def test_arguments_that_cannot_be_are_refused(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        search(**options).fit(X, Y)


def test_a_target_that_is_needed_must_be_given() -> None:
    with pytest.raises(SpecError, match="requires y to be passed, but the target y is None"):
        search().fit(X)


def test_nothing_is_warned_of_where_all_is_well() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert math.isfinite(search(n_trials=2).fit(X, Y).score(X, Y))


@pytest.mark.usefixtures("at_hand")
def test_rows_that_are_kept_back_confirm_the_front(tmp_path: Path) -> None:
    found = search(n_trials=4, test_size=0.3, store=tmp_path / "s.db").fit(X, Y)
    frame = found.confirm(rounds=1, repeats=0)
    assert found.confirmed_ is frame
    assert set(found.front_["number"]) <= set(frame["number"])
    assert (frame["low_accuracy"] <= frame["confirmed_accuracy"]).all()
    assert (frame["confirmed_size_kb"] > 0).all()
    confirmation = found.study_.store.confirmations(found.study_.name)[0]
    assert confirmation.measures["n_rows"] == math.ceil(0.3 * len(X))
    assert len(found.study_.store.artefacts(found.study_.name)) == len(frame)
    assert found.best_estimator_.tree_.n_node_samples[0] == len(X) - math.ceil(0.3 * len(X))


@pytest.mark.usefixtures("at_hand")
def test_a_front_is_confirmed_on_rows_that_are_given_and_repeats_shuffle_the_folds() -> None:
    found = search(n_trials=3).fit(X[:120], Y[:120])
    with pytest.warns(MooptWarning, match="in memory, so the fitted models are not kept"):
        frame = found.confirm(X[120:], Y[120:], rounds=1, repeats=1.0)
    assert frame["look"].tolist() == [1] * len(frame)
    confirmations = found.study_.store.confirmations(found.study_.name)
    assert sum(len(one.measures.get("repeats", {}).get("accuracy", ())) for one in confirmations) == 3
    best = int(found.front_["number"].iloc[0])
    params = found.cv_results_["params"][list(found.cv_results_["number"]).index(best)]
    model = tree(**params)
    expected = model.fit(X[:120], Y[:120]).score(X[120:], Y[120:])
    assert frame.set_index("number")["confirmed_accuracy"][best] == expected


class Unshippable(DecisionTreeClassifier):
    """An estimator of the user's, which no list of trusted types knows."""


@pytest.mark.usefixtures("at_hand")
def test_an_estimator_that_ships_as_no_file_is_confirmed_all_the_same(tmp_path: Path) -> None:
    options = {"objectives": ["accuracy"], "n_trials": 2, "test_size": 50, "store": tmp_path / "s.db"}
    found = search(Unshippable(random_state=0), **options)
    frame = found.fit(X, Y).confirm(rounds=1, repeats=0)
    assert frame["confirmed_accuracy"].notna().all()
    assert found.study_.store.artefacts(found.study_.name) == []


def test_a_regressor_is_confirmed(at_hand: None) -> None:
    found = search(DecisionTreeRegressor(random_state=0), objectives=["r2"], n_trials=2, test_size=0.4)
    with pytest.warns(MooptWarning, match="in memory"):
        frame = found.fit(DIABETES, PROGRESS).confirm(rounds=1, repeats=0)
    assert (frame["low_r2"] < frame["high_r2"]).all()


def test_what_a_search_cannot_be_confirmed_on_is_said() -> None:
    with pytest.raises(NotFittedError, match="holds no rows to fit its trials on; call fit in this process first"):
        search().confirm(X, Y)
    with pytest.raises(SpecError, match=r"test_size is 1.5: "):
        search(test_size=1.5).fit(X, Y)
    found = search(n_trials=2).fit(X, Y)
    with pytest.raises(
        ConfirmError, match=r"no rows that the search has not seen; give confirm.X, y., or .* test_size="
    ):
        found.confirm()
    with pytest.raises(ConfirmError, match="only one of X and y"):
        found.confirm(X)
    with pytest.raises(ConfirmError, match="every test row is of class 1; give test rows of every class"):
        found.confirm(X[Y == 1], Y[Y == 1])
    again = pickle.loads(pickle.dumps(found))
    with pytest.raises(NotFittedError, match="call fit in this process first"):
        again.confirm(X, Y)

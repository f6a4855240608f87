"""Prefixes of ensembles: they equal fits of their own, and become trials at the price of one fit."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import randint
from sklearn import ensemble
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from moopt import ParetoSearchCV
from moopt.errors import SpecError, StudyMismatch
from moopt.export import make_export
from moopt.measure.size import size_kb
from moopt.measure.staged import Size, Staged, prefix, size_parameter, staged
from moopt.measure.variants import Variant, variants
from moopt.run import plan, run_study
from moopt.space import as_space
from moopt.specfile import StudySpec, spec_for_csv
from moopt.trial import Config, Source, State
from tests.tables import write_table

X, Y = make_classification(160, 6, n_informative=4, n_classes=3, random_state=0)
TARGET = make_regression(160, 6, random_state=0)[1]
CLASSIFIERS = [
    ensemble.RandomForestClassifier(class_weight="balanced"),
    ensemble.ExtraTreesClassifier(bootstrap=True, max_samples=0.5),
    ensemble.HistGradientBoostingClassifier(early_stopping=False, max_features=0.5),
    ensemble.GradientBoostingClassifier(subsample=0.7, max_features=3),
    ensemble.BaggingClassifier(max_features=0.5, max_samples=0.6),
    ensemble.AdaBoostClassifier(),
]
REGRESSORS = [
    ensemble.RandomForestRegressor(),
    ensemble.ExtraTreesRegressor(),
    ensemble.HistGradientBoostingRegressor(loss="absolute_error"),
    ensemble.GradientBoostingRegressor(loss="huber"),
    ensemble.BaggingRegressor(),
    ensemble.AdaBoostRegressor(),
]


def fitted(model: Any, size: int, in_pipeline: bool) -> tuple[Any, str]:
    """The model of a size, and the parameter that is its size."""
    name = "max_iter" if hasattr(model, "max_iter") else "n_estimators"
    model = clone(model).set_params(random_state=3)
    if in_pipeline:
        name, model = f"{type(model).__name__.lower()}__{name}", make_pipeline(StandardScaler(), model)
    y = TARGET if "Regressor" in repr(model) else Y
    return model.set_params(**{name: size}).fit(X, y), name


@pytest.mark.parametrize("in_pipeline", [False, True])
@pytest.mark.parametrize("model", CLASSIFIERS + REGRESSORS, ids=lambda model: type(model).__name__)
def test_a_prefix_equals_a_fit_of_its_size(model: Any, in_pipeline: bool) -> None:
    (whole, name), (own, _) = fitted(model, 9, in_pipeline), fitted(model, 4, in_pipeline)
    before = whole.predict(X)
    assert size_parameter(whole) == name
    shorter = prefix(whole, 4)
    assert shorter.get_params()[name] == 4
    for method in ("predict", "predict_proba"):
        if hasattr(own, method):
            np.testing.assert_array_equal(getattr(shorter, method)(X), getattr(own, method)(X))
    assert size_kb(shorter) == pytest.approx(size_kb(own), rel=1e-3)
    assert whole.get_params()[name] == 9
    np.testing.assert_array_equal(whole.predict(X), before)


class OwnForest(ensemble.RandomForestClassifier):
    """A class of somebody else's."""


@pytest.mark.parametrize(
    "model",
    [
        ensemble.HistGradientBoostingClassifier(early_stopping=True),
        ensemble.GradientBoostingClassifier(n_iter_no_change=3),
        ensemble.RandomForestClassifier(n_estimators=40, oob_score=True, random_state=0),
        LogisticRegression(),
        OwnForest(n_estimators=4),
    ],
)
def test_where_a_prefix_would_not_equal_a_fit_there_is_none(model: Any) -> None:
    assert size_parameter(model.fit(X, Y)) is None


@pytest.mark.parametrize(
    ("n", "values", "sizes"),
    [
        (100, range(10, 201), [50, 25, 12]),
        (30, range(10, 201), [15]),
        (200, (10, 50, 100, 200), [100, 50, 10]),
        (50, (10, 50, 100, 200), [10]),
        (10, range(10, 201), []),
        (1, range(1, 3), []),
    ],
)
def test_prefixes_are_the_half_the_quarter_and_the_eighth_that_are_searched(
    n: int, values: Any, sizes: list[int]
) -> None:
    forest = ensemble.RandomForestClassifier(n, random_state=0, max_depth=2).fit(X, Y)
    found = variants(forest, {"size": n}, (Staged((Size("size", "n_estimators", values),)),))
    assert [one.changes for one in found] == [{}, *({"size": k} for k in sizes)]
    assert [len(one.make().estimators_) for one in found] == [n, *sizes]
    assert [one.fit_share for one in found] == [1.0, *(k / n for k in sizes)]


def test_expansions_combine() -> None:
    class Backends:
        """Each model once more, somewhere else."""

        def __call__(self, variant: Variant, config: Config) -> list[Variant]:
            del config  # every model has one
            return [variant, Variant({**variant.changes, "backend": "other"}, variant.make)]

    forest = ensemble.RandomForestClassifier(8, random_state=0).fit(X, Y)
    prefixes = Staged((Size("n", "n_estimators", range(4, 9)),))
    found = variants(forest, {"n": 8, "backend": "sklearn"}, (prefixes, Backends()))
    assert [one.changes for one in found] == [{}, {"backend": "other"}, {"n": 4}, {"n": 4, "backend": "other"}]


def test_sizes_are_read_from_the_space() -> None:
    space = as_space({"a": (10, 50), "b": [100, 10, 20], "c": (0.1, 0.5), "d": 7})
    (found,) = staged(space, {"a": "model__n_estimators", "b": "max_iter", "c": "max_iter", "d": "max_depth"})
    assert found == Staged(
        (Size("a", "model__n_estimators", range(10, 51)), Size("b", "max_iter", [10, 20, 100])),
    )
    assert staged(space, {"d": "max_depth"}) == ()


# ParetoSearchCV


def search(space: Any, model: Any = None, **options: Any) -> ParetoSearchCV:
    model = ensemble.RandomForestClassifier(random_state=0, max_depth=3) if model is None else model
    given = {"objectives": ["accuracy", "size"], "n_trials": 3, "cv": 2, "random_state": 0, "staged": True, **options}
    return ParetoSearchCV(model, space, **given)


def test_a_search_with_staged_models_has_more_trials_for_the_same_fits() -> None:
    found = search({"n_estimators": randint(2, 30), "min_samples_leaf": [1, 5]}).fit(X, Y)
    trials = found.study_.trials()
    assert trials["fit"].nunique() == 3
    assert len(trials) == len(found.cv_results_["params"]) > 5
    assert found.best_estimator_.get_params()["n_estimators"] == found.best_params_["n_estimators"]
    for row in range(len(trials)):
        alone = clone(found.estimator).set_params(**found.cv_results_["params"][row])
        again = ParetoSearchCV(
            alone, {"max_depth": [3]}, objectives=["accuracy", "size"], n_trials=1, cv=2, random_state=0
        ).fit(X, Y)
        for name, most in (("accuracy", 0.0), ("size_kb", 1e-9)):
            expected = again.cv_results_[f"mean_test_{name}"][0]
            assert found.cv_results_[f"mean_test_{name}"][row] == pytest.approx(expected, abs=most)


def test_staged_models_may_be_branches_and_ends_of_pipelines() -> None:
    space = [
        {"model": [ensemble.ExtraTreesClassifier(random_state=0)], "model__n_estimators": randint(2, 9)},
        {"model": [ensemble.HistGradientBoostingClassifier(random_state=0)], "model__max_iter": randint(2, 9)},
        {"model": [LogisticRegression()], "model__C": [0.1, 1.0]},
    ]
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.steps[-1] = ("model", model.steps[-1][1])
    found = search(space, model, n_trials=12).fit(X, Y)
    siblings = [trial for trial in found.study_.store.trials(found.study_.name) if trial.source is Source.SIBLING]
    sized = {name for trial in siblings for step in trial.steps.values() for name in step.changes}
    assert sized == {"model__n_estimators", "model__max_iter"}


def test_the_time_of_a_fit_is_shared_out_by_members() -> None:
    found = search({"n_estimators": [4, 8]}, n_trials=1, objectives=["accuracy", "fit_time"])
    own, half = found.set_params(estimator__n_estimators=8).fit(X, Y).study_.trials()["fit_time_s"]
    assert half == pytest.approx(own / 2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("yes", "staged is 'yes'; give True or False"),
        (True, "staged=True needs the size of an ensemble among the searched parameters, which are max_depth"),
    ],
)
def test_staging_that_cannot_be_is_refused(given: Any, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        search({"max_depth": [1, 2]}, staged=given).fit(X, Y)


# Presets


@pytest.fixture
def spec(tmp_path: Path) -> StudySpec:
    small = {"forest": {"n_estimators": [2, 12]}, "hist_boosting": {"max_iter": [2, 12]}}
    return spec_for_csv(write_table(tmp_path / "t.csv"), "y", positive="yes").changed(
        models={"families": ["forest", "hist_boosting", "bayes"], "ranges": small},
        search={"n_trials": 3, "folds": 2, "workers": 1},
    )


def test_presets_are_staged_and_a_sibling_equals_its_own_evaluation(spec: StudySpec, tmp_path: Path) -> None:
    study, _ = run_study(spec, tmp_path / "t.db")
    trials = study.store.trials("t")
    changes = [dict(trial.steps[0].changes) for trial in trials if trial.source is Source.SIBLING]
    assert changes == [
        *({"forest:n_estimators": k} for k in (6, 3)),
        *({"hist_boosting:max_iter": k} for k in (6, 3)),
    ]
    evaluator = plan(spec.changed(models={"staged": False})).evaluator()
    for trial in trials:
        assert trial.state is State.COMPLETE
        for step, result in trial.steps.items():
            (own,) = evaluator(trial.config, step)
            for name in ("accuracy", "recall"):
                assert own.values[name] == result.values[name]
            assert own.values["size_kb"] == pytest.approx(result.values["size_kb"], rel=1e-3)
            assert own.train == result.train


def test_a_sibling_is_exported_like_any_trial(spec: StudySpec, tmp_path: Path) -> None:
    study, _ = run_study(spec.changed(search={"n_trials": 1}), tmp_path / "t.db")
    made = make_export(study.store, "t", 1 + study.trials()["source"].tolist()[1:].index("sibling"))
    assert made.has_model, made.missing
    config = json.loads(made.files["config.json"])
    assert f"n_estimators={config['config']['forest:n_estimators']}," in made.files["pipeline.py"].decode()


def test_staging_can_be_switched_off_and_is_part_of_the_study(spec: StudySpec, tmp_path: Path) -> None:
    off = spec.changed(models={"staged": False}, search={"n_trials": 2})
    study, _ = run_study(off, tmp_path / "t.db")
    assert study.trials()["source"].tolist() == ["default"] * 3
    with pytest.raises(StudyMismatch, match="staged"):
        run_study(spec, tmp_path / "t.db")

"""ParetoSearchCV, the scikit-learn face of a study."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin

from moopt.certainty import certainty, with_certainty
from moopt.evaluate import CrossValidation, opened
from moopt.frames import front_trials
from moopt.objectives import Objective
from moopt.search_cv.arguments import (
    check_arguments,
    check_parameters,
    check_target,
    classes_of,
    expansions_of,
    seed_of,
)
from moopt.search_cv.data import Build, WithSettings, referenced, spec_of, with_params
from moopt.search_cv.delegation import Delegated
from moopt.search_cv.refit_rule import check_failures, chosen, objective_of_rule
from moopt.search_cv.results import cv_results, finished, front_frame
from moopt.search_cv.routing import metadata_router, routed, routed_for_score
from moopt.search_cv.scoring import Scores, as_scores
from moopt.searchers.pymoo import PymooAlgorithm
from moopt.space.distributions import Distributions, from_distributions
from moopt.study import Study, create_study
from moopt.trial import Json, Trial

if TYPE_CHECKING:
    import pandas as pd

    from moopt.data import Rows
    from moopt.measure.quality import Scorer
    from moopt.measure.variants import Expansion
    from moopt.search_cv.scoring import Scoring


@dataclass(frozen=True)
class _Job:
    """What one ``fit`` was asked for."""

    scores: Scores
    scorers: Mapping[str, Scorer]
    distributions: Distributions
    rows: Rows
    expansions: tuple[Expansion, ...]


class ParetoSearchCV(Delegated, MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """Search hyperparameters for several objectives at once, by cross-validation.

    A drop-in beside scikit-learn's ``RandomizedSearchCV``: the same data, distributions, scorers and splitters go in;
    besides ``cv_results_`` and ``best_estimator_`` comes the front of the trade-offs, ``front_``.

    Parameters
    ----------
    estimator : estimator
        Cloned, never fitted itself. Its own parameters are tried first where they lie in the space.
    param_distributions : dict or list of dicts
        Parameter -> list of values or scipy distribution. A list of dicts is a conditional space.
    objectives : list of names and Objectives, default None
        What to improve: ``accuracy``, ``recall``, ``latency``, ``latency_b256`` (256 rows a call), ``size``,
        ``fit_time``, any scorer name, a name of ``scoring``, or a :class:`moopt.Objective`, which may carry a limit. A
        name is first looked for in ``scoring``. None: the scores of ``scoring`` where it is given; else accuracy,
        recall, latency and size for a classifier, r2, latency and size for a regressor, and the estimator's own
        ``score`` for others. With several classes recall, precision, F1 and Jaccard are macro averages.
    algorithm : {"nsga2", "moead", "random", "sobol", "grid"} or PymooAlgorithm, default "nsga2"
    n_trials : int, default 100
        Configs to evaluate; with a ``store``, the study's total.
    scoring : name, callable, list or dict of them, default None
        As in scikit-learn; a callable ``(estimator, X, y)`` may return a dict of scores. Scores that are no objective
        are recorded in ``cv_results_``.
    n_jobs : int, default None
        Processes; None is 1 (this one), -1 is one a core.
    refit : {"knee", "balanced"}, an objective's name, callable or False, default "knee"
        Which trial of the front becomes ``best_estimator_``, among those within the limits: the knee, the best
        balance, the best in one objective, or the number that a callable gives for ``front_``. True is the knee.
    cv : int, splitter or iterable of splits, default None
        As in scikit-learn: None is 5 folds, stratified for a classifier.
    random_state : int, RandomState or None, default None
        Seeds the search (not the splitter, not the estimator).
    error_score : number or "raise", default nan
        A trial whose fit or scores fail has failed: it is never on the front, and ``error_score`` is what
        ``cv_results_`` shows for its missing folds. ``"raise"`` ends the search with the error.
    return_train_score : bool, default False
        Also keep the scores of the training rows.
    store : path, default None
        A file that keeps the study; fitting the same search on the same data again goes on with it.
    study_name : str, default None
        Its name in the store; None is the estimator's class.
    surrogate, population, operators : default None
        Options of the algorithm; see :func:`moopt.create_study`.
    step_timeout_s, memory_limit_mb : number, default None
        Limits of the fit of one fold: seconds, megabytes. They make a process even for one job.
    timeout_s, max_steps : number, default None
        End the search after so many seconds; with so many folds evaluated in total, never more.
    stop_when_stalled : bool or int, default False
        End the search where the front has not grown by more than its noise over 30 trials, or so many.
    early_stopping : bool or float, default True
        With three folds or more: end a trial whose folds leave it no chance, see :meth:`moopt.Study.optimize`. Its
        missing folds, and so its means, are NaN in ``cv_results_``.
    deterministic : bool, default False
        With several jobs: the proposals do not depend on which fit ends first.
    staged : bool, default False
        Also measure prefixes of each fitted ensemble (the half, the quarter, the eighth of its members, where the
        space has those sizes) as trials of their own, which are not counted in ``n_trials``: random forests, extra
        trees, bagging, AdaBoost and both gradient boostings of scikit-learn, or a Pipeline that ends in one, without
        early stopping. Their ``fit_time`` is their share of the fit by members.
    pos_label : label, default None
        Of two classes, the one that recall, precision, F1 and average precision are about. None is scikit-learn's
        own rule: the label 1, else the last in order.
    verbose : int, default 0
        Above 0, a line at the begin and at the end.

    Attributes
    ----------
    front_ : DataFrame
        One row a trial on the front; columns number, the objectives, ``param_<name>``, then how sure each is:
        ``front_probability``, intervals, ties, see :func:`moopt.certainty.with_certainty`.
    cv_results_ : dict of arrays
        One entry a finished trial, keys as in scikit-learn and ``number``; see ``search_cv.results``.
    best_params_, best_index_, best_estimator_, refit_time_ :
        The trial that ``refit`` chose: its parameters, its place in ``cv_results_``, the estimator fitted on all data
        and the seconds that took. ``best_score_`` is there where ``refit`` is about one score.
    n_splits_, scorer_, multimetric_, classes_, n_features_in_, feature_names_in_ :
        As in scikit-learn.
    study_ : moopt.Study
        The study itself.
    """

    def __init__(
        self,
        estimator: Any,
        param_distributions: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        objectives: Iterable[str | Objective] | None = None,
        algorithm: str | PymooAlgorithm = "nsga2",
        n_trials: int = 100,
        scoring: Scoring = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[[pd.DataFrame], int] = "knee",
        cv: Any = None,
        random_state: Any = None,
        error_score: float | str = np.nan,
        return_train_score: bool = False,
        store: str | Path | None = None,
        study_name: str | None = None,
        surrogate: str | None = None,
        population: int | None = None,
        operators: str | None = None,
        step_timeout_s: float | None = None,
        memory_limit_mb: float | None = None,
        timeout_s: float | None = None,
        max_steps: int | None = None,
        stop_when_stalled: bool | int = False,
        early_stopping: bool | float = True,
        deterministic: bool = False,
        staged: bool = False,
        pos_label: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.param_distributions = param_distributions
        self.objectives = objectives
        self.algorithm = algorithm
        self.n_trials = n_trials
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.refit = refit
        self.cv = cv
        self.random_state = random_state
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.store = store
        self.study_name = study_name
        self.surrogate = surrogate
        self.population = population
        self.operators = operators
        self.step_timeout_s = step_timeout_s
        self.memory_limit_mb = memory_limit_mb
        self.timeout_s = timeout_s
        self.max_steps = max_steps
        self.stop_when_stalled = stop_when_stalled
        self.early_stopping = early_stopping
        self.deterministic = deterministic
        self.staged = staged
        self.pos_label = pos_label
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        """What the estimator is, the search is."""
        from sklearn.utils import get_tags

        tags, inner = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.estimator_type = inner.estimator_type
        tags.classifier_tags = deepcopy(inner.classifier_tags)
        tags.regressor_tags = deepcopy(inner.regressor_tags)
        tags.target_tags = deepcopy(inner.target_tags)
        tags.input_tags.pairwise = inner.input_tags.pairwise
        tags.input_tags.sparse = inner.input_tags.sparse
        return tags

    def get_metadata_routing(self) -> Any:
        """Where metadata go: ``fit`` of the estimator, the scorers, the splitter."""
        scores = as_scores(self.estimator, self.objectives, self.scoring)
        return metadata_router(self, scores.resolved(self.estimator))

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Search, then fit the chosen config on all rows.

        ``X`` (n, d) and ``y`` (n,) are whatever the estimator takes. ``params`` are fit parameters such as
        ``sample_weight``, ``groups`` for the splitter, or with metadata routing whatever was requested; those with one
        value a row are cut to each fold.

        Raises UsageError for arguments that cannot be; SearchFailed where trials fail and none succeeds;
        NoTrialLeft where no trial meets the limits, StudyMismatch where the store holds another search of the name.
        What was found is kept in ``study_``, ``cv_results_`` and ``front_`` in the last cases too.
        """
        job = self._job(X, y, params)
        self.n_splits_ = len(job.rows.folds)
        self.study_ = self._study(job)
        try:
            self._search(job)
        finally:
            trials = self._keep(job)
        self._choose(job, trials)
        if self.refit is not False:
            self._refit(job.rows)
        return self

    def _job(self, X: Any, y: Any, params: Mapping[str, Any]) -> _Job:
        """Everything that was given, checked."""
        check_arguments(self)
        check_target(self.estimator, y)
        scores = as_scores(self.estimator, self.objectives, self.scoring)
        objective_of_rule(self.refit, scores.objectives)
        distributions = from_distributions(self.param_distributions, seed_of(self.random_state) or 0)
        check_parameters(self.estimator, distributions.names.values())
        scorers = scores.resolved(self.estimator, classes_of(self.estimator, y, self.pos_label), self.pos_label)
        expansions = expansions_of(self.staged, distributions)
        return _Job(scores, scorers, distributions, routed(self, X, y, params, scorers), expansions)

    def _study(self, job: _Job) -> Study:
        own = job.distributions.config(self.estimator.get_params())
        return create_study(
            self.study_name or type(self.estimator).__name__,
            job.distributions.space,
            job.scores.objectives,
            algorithm=self.algorithm,
            store=self.store,
            seed=seed_of(self.random_state),
            surrogate=self.surrogate,
            population=self.population,
            operators=self.operators,
            defaults=[] if own is None else [own],
            n_steps=self.n_splits_,
            spec=self._spec(job),
            resume=True,
        )

    def _spec(self, job: _Job) -> dict[str, Json]:
        """What tells this search from others in a store; without one there is nothing to tell."""
        if self.store is None:
            return {}
        return {
            **spec_of(self.estimator, job.scores.scorers, self.pos_label, job.rows),
            **({"staged": True} if self.staged else {}),
        }

    def _search(self, job: _Job) -> None:
        import sklearn
        from joblib import effective_n_jobs

        n_jobs = effective_n_jobs(self.n_jobs)
        in_processes = n_jobs > 1 or self.step_timeout_s is not None or self.memory_limit_mb is not None
        self._say(f"evaluating up to {self.n_trials} configs in {self.n_splits_} folds each")
        with referenced(job.rows, to_file=in_processes) as reference:
            evaluator = CrossValidation(
                reference,
                Build(self.estimator, job.distributions.params),
                job.scores.measures(job.scorers),
                train_rows=None if self.return_train_score else 0,
                expansions=job.expansions,
            )
            try:
                self.study_.optimize(
                    WithSettings(evaluator, sklearn.get_config()),
                    self.n_trials,
                    n_jobs=n_jobs,
                    timeout_s=self.timeout_s,
                    max_steps=self.max_steps,
                    stop_when_stalled=self.stop_when_stalled,
                    early_stopping=self.early_stopping,
                    step_timeout_s=self.step_timeout_s,
                    memory_limit_mb=self.memory_limit_mb,
                    deterministic=self.deterministic,
                    raise_errors=self.error_score == "raise",
                )
            finally:
                opened.cache_clear()  # it would hold the data of this process for ever

    def _keep(self, job: _Job) -> list[Trial]:
        """Set what there is to know of the trials, also of a search that broke off."""
        trials = finished(self.study_.store.trials(self.study_.name))
        objectives, alone, distributions = job.scores.objectives, job.scores.alone, job.distributions
        self.cv_results_ = cv_results(
            trials,
            [distributions.params(trial.config) for trial in trials],
            objectives,
            n_splits=self.n_splits_,
            error_score=np.nan if isinstance(self.error_score, str) else self.error_score,
            train=self.return_train_score,
            alias=alone,
        )
        self.multimetric_ = alone is None or f"mean_test_{alone}" not in self.cv_results_
        self.scorer_ = job.scorers if alone is None or self.multimetric_ else job.scorers[alone]
        front = front_trials(objectives, trials)
        frame = front_frame(objectives, front, [distributions.plain(trial.config) for trial in front])
        confirmations = self.study_.store.confirmations(self.study_.name)
        self.front_ = with_certainty(frame, certainty(objectives, trials, confirmations))
        self._say(f"{len(trials)} trials are done, {len(front)} on the front")
        return trials

    def _choose(self, job: _Job, trials: Sequence[Trial]) -> None:
        check_failures(trials)
        objectives = job.scores.objectives
        rule = self.refit or (objectives[0].name if len(objectives) == 1 else False)
        if rule is False:
            return
        number = chosen(rule, objectives, trials, self.front_)
        self.best_index_ = next(index for index, trial in enumerate(trials) if trial.number == number)
        self.best_params_ = job.distributions.params(trials[self.best_index_].config)
        named = objective_of_rule(rule, objectives)
        if named is not None:
            self.best_score_ = float(self.cv_results_[f"mean_test_{named}"][self.best_index_])

    def _refit(self, rows: Rows) -> None:
        self.best_estimator_ = with_params(self.estimator, self.best_params_)
        start = time.perf_counter()
        if rows.y is None:
            self.best_estimator_.fit(rows.X, **rows.fit_params)
        else:
            self.best_estimator_.fit(rows.X, rows.y, **rows.fit_params)
        self.refit_time_ = time.perf_counter() - start
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_

    def score(self, X: Any, y: Any = None, **params: Any) -> float:
        """The score of the best estimator that ``refit`` names, else the only score, else the estimator's own."""
        best = self._best()
        metadata = routed_for_score(self, params)
        scorer = self._scorer()
        found = best.score(X, y, **metadata) if scorer is None else scorer(best, X, y, **metadata)
        return float(found[self.refit] if isinstance(found, Mapping) else found)

    def _scorer(self) -> Any:
        """The scorer of what ``refit`` names, the only one there is, or None."""
        if callable(self.scorer_):
            return self.scorer_
        for name, scorer in self.scorer_.items():
            if self.refit == name or self.refit in getattr(scorer, "keys", ()):
                return scorer
        return None

    def _say(self, text: str) -> None:
        if self.verbose > 0:
            print(f"moopt: {text}", flush=True)  # noqa: T201 - what verbose asks for

"""ParetoSearchCV, the scikit-learn face of a study."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.exceptions import NotFittedError

from moopt.certainty import certainty, with_certainty
from moopt.deploy import converter
from moopt.deploy.backends import BACKEND, MAX_DISAGREEMENT, ONNXRUNTIME, SKLEARN, as_backends, as_choice, recorded
from moopt.deploy.onnx_model import OnnxModel
from moopt.errors import MooptWarning
from moopt.evaluate import CrossValidation, opened
from moopt.frames import front_trials
from moopt.measure.deployed import SAMPLE, on_backends
from moopt.objectives import Objective
from moopt.search_cv.arguments import (
    check_arguments,
    check_parameters,
    check_target,
    classes_of,
    expansions_of,
    seed_of,
)
from moopt.search_cv.confirming import Confirmable, keep_back
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
    test: Rows | None
    """The rows kept back."""
    has_classes: bool

    def confirmable(self, search: ParetoSearchCV) -> Confirmable:
        """What confirming needs of it."""
        from sklearn import get_config

        build = Build(search.estimator, self.distributions.params)
        measures = self.scores.measures(self.scorers)
        return Confirmable(self.rows, self.test, build, measures, self.has_classes, get_config(), search.cv)


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
    algorithm : {"nsga2", "moead", "parego", "random", "sobol", "grid"} or PymooAlgorithm, default "nsga2"
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
    start : list of dicts, default None
        Parameters to try first, after the estimator's own, as ``set_params`` takes them; what one leaves out is as in
        the estimator.
    warm_start_from : Study, path or (path, name), default None
        Another study, whose front is tried first; see :func:`moopt.create_study`.
    reuse : bool, default False
        Take what other studies of the ``store`` measured of the same estimator, data, splits and scores with the same
        versions.
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
    test_size : float or int, default None
        Keep back this share, or so many, of the rows before the search, each class alike; :meth:`confirm` scores on
        them. ``best_estimator_`` is fitted on the others.
    backends : list of {"sklearn", "onnxruntime"}, default None
        What may run a model; each trial is measured on each, one of them its own and the others its siblings. None is
        scikit-learn alone. ``onnxruntime`` needs the extra ``onnx``: the fitted estimator is converted to ONNX.
    max_disagreement : float, default 0.005
        The share of a fold's validation rows that a converted model may predict otherwise than its original,
        rounded up to whole rows; beyond it the trial on that backend has failed.
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
    best_backend_, best_onnx_ :
        The backend of the trial that ``refit`` chose, and where it is ``onnxruntime`` the fitted
        ``best_estimator_`` converted: a :class:`moopt.deploy.onnx_model.OnnxModel`.
    n_splits_, scorer_, multimetric_, classes_, n_features_in_, feature_names_in_ :
        As in scikit-learn.
    study_ : moopt.Study
        The study itself.
    confirmed_ : DataFrame
        What :meth:`confirm` found, one row a confirmed trial; columns as of :func:`moopt.beside.confirmed_frame`.
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
        start: Sequence[Mapping[str, Any]] | None = None,
        warm_start_from: Study | str | Path | tuple[str | Path, str] | None = None,
        reuse: bool = False,
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
        test_size: float | int | None = None,
        backends: Sequence[str] | None = None,
        max_disagreement: float = MAX_DISAGREEMENT,
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
        self.start = start
        self.warm_start_from = warm_start_from
        self.reuse = reuse
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
        self.test_size = test_size
        self.backends = backends
        self.max_disagreement = max_disagreement
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
        NoTrialLeft where no trial meets the limits, StudyMismatch where the store holds another search of the name,
        MissingExtra for a backend that is not installed, ConversionFailed where the best estimator does not convert.
        What was found is kept in ``study_``, ``cv_results_`` and ``front_`` in the last cases too.
        """
        job = self._job(X, y, params)
        self.n_splits_ = len(job.rows.folds)
        self.study_ = self._study(job)
        self._confirmable = job.confirmable(self)
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
        classes = classes_of(self.estimator, y, self.pos_label)
        seed = seed_of(self.random_state) or 0
        given = keep_back(X, y, params, self.test_size, seed, stratify=bool(classes))
        scores = as_scores(self.estimator, self.objectives, self.scoring)
        objective_of_rule(self.refit, scores.objectives)
        backends = as_backends(self.backends)
        distributions = from_distributions(self.param_distributions, seed, as_choice(backends))
        check_parameters(self.estimator, distributions.names.values())
        scorers = scores.resolved(self.estimator, classes, self.pos_label)
        rows = routed(self, given.X, given.y, given.params, scorers)
        expansions = expansions_of(self.staged, distributions) + on_backends(backends, self.max_disagreement)
        return _Job(scores, scorers, distributions, rows, expansions, given.test, bool(classes))

    def _study(self, job: _Job) -> Study:
        usual = self.estimator.get_params()
        own = job.distributions.config(usual)
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
            start=[job.distributions.start(params, usual) for params in self.start or ()],
            warm_start_from=self.warm_start_from,
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
            **recorded(as_backends(self.backends), self.max_disagreement),
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
                    reuse=self.reuse,
                    early_stopping=self.early_stopping,
                    step_timeout_s=self.step_timeout_s,
                    memory_limit_mb=self.memory_limit_mb,
                    deterministic=self.deterministic,
                    raise_errors=self.error_score == "raise",
                )
            finally:
                opened.cache_clear()  # it would hold the data of this process for ever
                converter.close()

    def _keep(self, job: _Job) -> list[Trial]:
        """Set what there is to know of the trials, also of a search that broke off."""
        trials = finished(self.study_.store.trials(self.study_.name))
        objectives, alone, distributions = job.scores.objectives, job.scores.alone, job.distributions
        self.cv_results_ = cv_results(
            trials,
            [distributions.params(trial.config) for trial in trials],
            objectives,
            also=[{name: trial.config[name] for name in distributions.also} for trial in trials],
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
        self.best_backend_ = trials[self.best_index_].config.get(BACKEND, SKLEARN)
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
        if self.best_backend_ == ONNXRUNTIME:
            self.best_onnx_ = OnnxModel(converter.convert_once(self.best_estimator_, rows.X[:SAMPLE]))

    def confirm(
        self,
        X: Any = None,
        y: Any = None,
        *,
        trials: Sequence[int] | None = None,
        rounds: int = 5,
        repeats: float = 0.1,
        confidence: float = 0.9,
        score_again: bool = False,
    ) -> pd.DataFrame:
        """Measure the front, its near misses and the default, or these trials, on rows that the search never saw.

        On X (n, d) and y (n,), or without them on the rows kept back by ``test_size``. Let nothing else run: each is
        fitted on the rows searched and timed on this machine. The rest as in :meth:`moopt.Study.confirm`, other rows
        are another look. Gives, and keeps, ``confirmed_``.

        Raises NotFittedError before ``fit``, and in another process than it; ConfirmError without such rows.
        """
        if not hasattr(self, "_confirmable"):
            raise NotFittedError(
                f"this {type(self).__name__} holds no rows to fit its trials on; call fit in this process first"
            )
        from moopt.confirm import Options, confirm

        options = Options(rounds, repeats, confidence, score_again, self.n_jobs)
        subject = self._confirmable.subject(X, y, self.study_.record.seed)
        report = confirm(self.study_.store, self.study_.record, subject, options, trials=trials, watch=self._say)
        for note in report.notes:
            warnings.warn(note, MooptWarning, stacklevel=2)
        self.confirmed_ = self.study_.confirmed()
        return self.confirmed_

    def __getstate__(self) -> dict[str, Any]:
        """Without the rows: they are the user's, and large."""
        return {name: value for name, value in super().__getstate__().items() if name != "_confirmable"}

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

"""What ParetoSearchCV improves and what it records: ``objectives`` and ``scoring`` -> objectives and scorers.

The rule: ``objectives`` says what is improved, ``scoring`` what else is known. A name in ``objectives`` is first
looked for in ``scoring``, then among moopt's own measures and scikit-learn's scorers. Without ``objectives`` the
scores of ``scoring`` are the objectives; without either they follow from the kind of estimator.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from moopt.errors import ObjectiveError, SpecError, nearest
from moopt.measure import FIT_TIME, SIZE, Measures
from moopt.measure.quality import Scorer, scorer
from moopt.objectives import Objective, as_objectives, canonical_name, latency_batch, refuse_percentile

Scoring: TypeAlias = str | Callable[..., Any] | Iterable[str] | Mapping[str, str | Callable[..., Any]] | None

SCORE = "score"
"""The name of a score that has none of its own, as in scikit-learn's ``mean_test_score``."""
FOR_CLASSIFIERS = ("accuracy", "recall", "latency", "size")
FOR_REGRESSORS = ("r2", "latency", "size")

_ABOUT_CLASSES = (
    "accuracy",
    "average_precision",
    "balanced_accuracy",
    "d2_brier_score",
    "d2_log_loss_score",
    "f1",
    "jaccard",
    "matthews_corrcoef",
    "neg_brier_score",
    "neg_log_loss",
    "neg_negative_likelihood_ratio",
    "positive_likelihood_ratio",
    "precision",
    "recall",
    "roc_auc",
    "top_k_accuracy",
)


@dataclass(frozen=True)
class Scores:
    """What is improved, and the scorers of everything that is scored."""

    objectives: tuple[Objective, ...]
    scorers: Mapping[str, str | Callable[..., Any]]
    """Name -> a scorer's name or a callable: the objectives that are scores, then the scores only recorded."""
    alone: str | None
    """The one score that scikit-learn's users look for under the name ``score``, where there is one."""

    def resolved(self, estimator: Any, classes: tuple[Any, ...] = (), positive: Any = None) -> dict[str, Scorer]:
        """The scorers as callables of ``(estimator, X, y)``, for a target of these classes."""
        return {name: self._resolved(name, given, estimator, classes, positive) for name, given in self.scorers.items()}

    def _resolved(self, name: str, given: Any, estimator: Any, classes: tuple[Any, ...], positive: Any) -> Scorer:
        from sklearn.metrics import check_scoring

        if isinstance(given, str):
            found: Scorer = (
                check_scoring(estimator) if given == SCORE else scorer(given, classes=classes, positive=positive)
            )
            return found
        checked: Scorer = check_scoring(estimator, scoring=given)
        if hasattr(checked, "get_metadata_routing"):
            return checked
        keys = tuple(one.name for one in self.objectives if self._is_a_key(one))
        return OwnScorer(checked, keys, alone=any(one.name == name for one in self.objectives))

    def _is_a_key(self, objective: Objective) -> bool:
        """Whether only a callable that returns several scores can know this objective."""
        return objective.name not in self.scorers and not is_cost(objective.name)

    def measures(self, scorers: Mapping[str, Scorer]) -> Measures:
        """What a fold has to measure."""
        names = [objective.name for objective in self.objectives if objective.name not in scorers]
        batches = {name: latency_batch(name) for name in names}
        return Measures(
            scorers,
            {name: batch for name, batch in batches.items() if batch is not None},
            size=SIZE in names,
            fit_time=FIT_TIME in names,
        )


class OwnScorer:
    """A user's function ``(estimator, X, y)`` as a scorer; it may return a dict of scores.

    Raises ObjectiveError where what it returns does not hold the objectives that are expected of it.
    """

    def __init__(self, function: Callable[..., Any], keys: tuple[str, ...], *, alone: bool) -> None:
        self.function = function
        self.keys = keys
        """Objectives that it must return in a dict."""
        self.alone = alone
        """Its one number is an objective."""

    def __call__(self, estimator: Any, X: Any, y: Any = None, **params: Any) -> Any:
        """Its number, or its dict of numbers."""
        given = self.function(estimator, X, y, **params)
        if isinstance(given, Mapping):
            for key in self.keys:
                if key not in given:
                    raise ObjectiveError(f"the scoring function returned no {key!r}{nearest(key, map(str, given))}")
            if self.alone:
                raise ObjectiveError(
                    f"the scoring function returned several scores; name those to improve in objectives=[...]: "
                    f"{', '.join(map(str, given))}"
                )
        elif self.keys:
            raise ObjectiveError(
                f"the scoring function returned {given!r}; expected a dict with {', '.join(self.keys)}"
            )
        return given

    def __repr__(self) -> str:
        return f"OwnScorer({self.function!r})"

    def _accept_sample_weight(self) -> bool:
        # What scikit-learn asks its own scorers before it passes weights on.
        return "sample_weight" in inspect.signature(self.function).parameters


def as_scores(estimator: Any, objectives: Iterable[str | Objective] | None, scoring: Scoring) -> Scores:
    """What is improved and scored; see the module's docstring for the rule.

    Raises ObjectiveError and SpecError for names that are not known and kinds that cannot be.
    """
    named = _named(scoring)
    chosen = _default(estimator, named) if objectives is None else objectives
    function = scoring if callable(scoring) else None
    wanted = as_objectives(_prepared(chosen, named, function))
    scorers: dict[str, str | Callable[..., Any]] = {}
    for objective in wanted:
        if objective.name in named:
            scorers[objective.name] = named[objective.name]
        elif not is_cost(objective.name) and (function is None or _is_scorer(objective.name)):
            scorers[objective.name] = objective.name
    scorers |= {name: given for name, given in named.items() if name not in scorers}
    _check(estimator, wanted, scorers)
    return Scores(wanted, scorers, _alone(wanted, scoring, named, scorers))


def _alone(
    objectives: Sequence[Objective], scoring: Scoring, named: Mapping[str, Any], scorers: Mapping[str, Any]
) -> str | None:
    if isinstance(scoring, str) or callable(scoring):
        return next(iter(named))
    return next(iter(scorers)) if len(scorers) == 1 == len(objectives) else None


def _named(scoring: Scoring) -> dict[str, str | Callable[..., Any]]:
    if scoring is None:
        return {}
    if isinstance(scoring, str):
        given: dict[str, Any] = {scoring: scoring}
    elif callable(scoring):
        given = {SCORE: scoring}
    elif isinstance(scoring, Mapping):
        given = dict(scoring)
    elif isinstance(scoring, list | tuple | set | frozenset):
        given = _listed(sorted(scoring, key=str) if isinstance(scoring, set | frozenset) else scoring)
    else:
        raise SpecError(f"scoring is {scoring!r}; give a name, a callable, or a list or dict of them")
    if not given:
        raise SpecError("scoring holds no score; give at least one, or leave scoring out")
    for name, one in given.items():
        _check_entry(name, one)
    return given


def _listed(names: Iterable[Any]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name in names:
        if not isinstance(name, str):
            raise SpecError(f"scoring lists {name!r}; give names, or a dict of names and callables")
        if name in given:
            raise SpecError(f"scoring names {name!r} twice; name each once")
        given[name] = name
    return given


def _check_entry(name: Any, given: Any) -> None:
    if not isinstance(name, str):
        raise SpecError(f"scoring has the key {name!r}; names are texts")
    if isinstance(given, str):
        _check_name(given)
    elif not callable(given):
        raise SpecError(f"scoring has {given!r} for {name!r}; give a scorer's name or a callable")


def _check_name(name: str) -> None:
    from sklearn.metrics import get_scorer_names

    if not _is_scorer(name):
        hint = "; name it in objectives instead" if is_cost(canonical_name(name)) else nearest(name, get_scorer_names())
        raise SpecError(f"scoring names {name!r}, which is no scorer of scikit-learn{hint}")


def _is_scorer(name: str) -> bool:
    from sklearn.metrics import get_scorer_names

    return name in get_scorer_names()


def is_cost(name: str) -> bool:
    """Whether an objective is measured of the model and not scored: it has no value on training rows."""
    return latency_batch(name) is not None or name in (SIZE, FIT_TIME)


def _default(estimator: Any, named: Mapping[str, Any]) -> Iterable[str]:
    from sklearn.base import is_classifier, is_regressor

    if named:
        return list(named)
    if is_classifier(estimator):
        return FOR_CLASSIFIERS
    if is_regressor(estimator):
        return FOR_REGRESSORS
    return (SCORE,)


def _prepared(
    objectives: Iterable[str | Objective], named: Mapping[str, Any], function: Callable[..., Any] | None
) -> list[str | Objective]:
    """Names that scoring explains, and the estimator's own score, made into Objectives: higher is better."""
    if isinstance(objectives, str | Objective):
        objectives = [objectives]
    out: list[str | Objective] = []
    for one in objectives:
        known_here = isinstance(one, str) and (
            one in named
            or one == SCORE
            or (function is not None and not is_cost(canonical_name(one)) and not _is_scorer(one))
        )
        out.append(Objective(one, "maximize") if known_here and isinstance(one, str) else one)
    return out


def _check(estimator: Any, objectives: Iterable[Objective], scorers: Mapping[str, Any]) -> None:
    from sklearn.base import is_regressor
    from sklearn.metrics import get_scorer_names

    names = {name: given for name, given in scorers.items() if isinstance(given, str) and given != SCORE}
    for name, given in names.items():
        if not _is_scorer(given):
            refuse_percentile(name)
            known = [*get_scorer_names(), "latency", "size", "fit_time"]
            raise ObjectiveError(
                f"objective {name!r} is your own, and nothing here measures it{nearest(name, known)}\n"
                f"Give its scorer by that name: scoring={{{name!r}: function of (estimator, X, y)}}."
            )
        if is_regressor(estimator) and _is_about_classes(given):
            raise ObjectiveError(
                f"{name} is about classes, and {type(estimator).__name__} is a regressor; "
                "give objectives such as 'r2' or 'neg_mean_squared_error'"
            )
    for objective in objectives:
        if objective.name in names and objective.direction == "minimize":
            raise ObjectiveError(
                f"objective {objective.name} is to be minimized, but is a scorer of scikit-learn: higher is better\n"
                f"Give Objective({objective.name!r}, 'maximize')."
            )


def _is_about_classes(name: str) -> bool:
    base = name
    for ending in ("_macro", "_micro", "_samples", "_weighted", "_ovr", "_ovo"):
        base = base.replace(ending, "")
    return base in _ABOUT_CLASSES

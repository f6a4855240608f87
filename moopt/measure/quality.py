"""Scores of predictions: any scikit-learn scorer by name, or a callable of ``(estimator, X, y)``.

With two classes precision, recall, F1, Jaccard and average precision are about the positive label. With more
classes they, and ROC AUC (one against the rest), are means over the classes, each of the same weight (macro).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from moopt.errors import ObjectiveError

Scorer: TypeAlias = Callable[..., float]
"""``(estimator, X, y, **score_params) -> float``."""

_ABOUT_A_CLASS = ("precision", "recall", "f1", "jaccard")
_BY_SEVERAL_CLASSES = {name: f"{name}_macro" for name in _ABOUT_A_CLASS} | {"roc_auc": "roc_auc_ovr"}


def scorer(name: str, classes: Sequence[Any] = (), positive: Any = None) -> Scorer:
    """The scorer of a name for a target of these classes.

    ``positive`` is one of two classes; without it scikit-learn's own rule holds (the label 1, else the last class
    in order). A score that is undefined, such as the precision of a model that never says yes, is 0. Without
    classes the scorer is scikit-learn's own.
    """
    from sklearn import metrics

    if len(classes) > 2:
        name = _BY_SEVERAL_CLASSES.get(name, name)
    found: Scorer
    base = name.removesuffix("_macro")
    if base in _ABOUT_A_CLASS and base != name:
        found = metrics.make_scorer(getattr(metrics, f"{base}_score"), average="macro", zero_division=0)
    elif base in _ABOUT_A_CLASS and len(classes) == 2:
        label = _positive(classes, positive)
        found = metrics.make_scorer(getattr(metrics, f"{base}_score"), pos_label=label, zero_division=0)
    elif name == "average_precision" and len(classes) == 2:
        label = _positive(classes, positive)
        methods = ("decision_function", "predict_proba")
        found = _Alone(metrics.make_scorer(metrics.average_precision_score, response_method=methods, pos_label=label))
    else:
        found = metrics.get_scorer(name)
    return found


@dataclass(frozen=True)
class _Alone:
    """A scorer that shares no predictions with others.

    scikit-learn 1.9 keeps decision values for all scorers of a call without regard to the positive label, for
    which their sign is turned.
    """

    scorer: Any

    def __call__(self, estimator: Any, X: Any, y: Any, **params: Any) -> float:
        """The scorer's value."""
        return float(self.scorer(estimator, X, y, **params))

    @property
    def _response_method(self) -> Any:
        return self.scorer._response_method

    def _accept_sample_weight(self) -> bool:
        return bool(self.scorer._accept_sample_weight())

    def get_metadata_routing(self) -> Any:
        """What metadata the scorer asks for."""
        return self.scorer.get_metadata_routing()


def _positive(classes: Sequence[Any], positive: Any) -> Any:
    if positive is not None:
        return positive
    return 1 if 1 in classes else classes[-1]


def scores(
    scorers: Mapping[str, Scorer], estimator: Any, X: Any, y: Any, params: Mapping[str, Any] | None = None
) -> dict[str, float]:
    """Each scorer's value; scorers of scikit-learn share one prediction.

    A callable may give a dict of several scores, which then stand by their own names.
    Raises ObjectiveError for a scorer that needs probabilities of a model that gives none, and for one that
    gives no number; passes on whatever else a scorer raises.
    """
    from sklearn.metrics import check_scoring

    given = params or {}
    sharing = {name: one for name, one in scorers.items() if hasattr(one, "_accept_sample_weight")}
    found: dict[str, Any] = {}
    try:
        if sharing:
            found.update(check_scoring(estimator, scoring=sharing)(estimator, X, y, **given))
        found.update({name: one(estimator, X, y, **given) for name, one in scorers.items() if name not in sharing})
    except AttributeError as error:
        raise _missing_method(scorers, estimator) or error from None
    named: dict[str, Any] = {}
    for name in scorers:
        named.update(found[name] if isinstance(found[name], Mapping) else {name: found[name]})
    return {name: _number(name, value) for name, value in named.items()}


def _missing_method(scorers: Mapping[str, Scorer], estimator: Any) -> ObjectiveError | None:
    model = type(getattr(estimator, "_final_estimator", estimator)).__name__
    for name, one in scorers.items():
        wanted = getattr(one, "_response_method", "predict")
        methods = (wanted,) if isinstance(wanted, str) else tuple(wanted)
        if not any(hasattr(estimator, method) for method in methods):
            return ObjectiveError(
                f"objective {name} needs {' or '.join(methods)}, which {model} has not\n"
                f"Leave {model} out of the search, or the objective."
            )
    return None


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ObjectiveError(f"the scorer of {name} gave {value!r}; expected a number") from None

"""What a fitted search does as its best estimator would: predict, transform, score.

A method is there only if the estimator has it, so that ``hasattr`` tells the truth before and after ``fit``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

Method = TypeVar("Method", bound=Callable[..., Any])


def _has(name: str) -> Callable[[Any], bool]:
    """Whether the best estimator, or before ``fit`` the one that was given, has an attribute; else AttributeError."""

    def check(search: Any) -> bool:
        if search.refit is False:
            raise AttributeError(
                f"this {type(search).__name__} has refit=False, so it has no {name}; fit an estimator yourself, "
                "with the parameters of a row of front_"
            )
        getattr(getattr(search, "best_estimator_", search.estimator), name)
        return True

    return check


def _if_best_has(name: str) -> Callable[[Method], Method]:
    decorated: Callable[[Method], Method] = available_if(_has(name))
    return decorated


class Delegated:
    """Methods and attributes of ``best_estimator_``."""

    best_estimator_: Any

    def _best(self) -> Any:
        check_is_fitted(self)
        return self.best_estimator_

    @_if_best_has("predict")
    def predict(self, X: Any) -> Any:
        """Predictions (n,) of the best estimator for X (n, d)."""
        return self._best().predict(X)

    @_if_best_has("predict_proba")
    def predict_proba(self, X: Any) -> Any:
        """Class probabilities (n, classes) of the best estimator for X (n, d)."""
        return self._best().predict_proba(X)

    @_if_best_has("predict_log_proba")
    def predict_log_proba(self, X: Any) -> Any:
        """Logarithms of class probabilities (n, classes) of the best estimator for X (n, d)."""
        return self._best().predict_log_proba(X)

    @_if_best_has("decision_function")
    def decision_function(self, X: Any) -> Any:
        """Decision values of the best estimator for X (n, d)."""
        return self._best().decision_function(X)

    @_if_best_has("score_samples")
    def score_samples(self, X: Any) -> Any:
        """Scores (n,) that the best estimator gives the rows of X (n, d)."""
        return self._best().score_samples(X)

    @_if_best_has("transform")
    def transform(self, X: Any) -> Any:
        """X (n, d) transformed by the best estimator."""
        return self._best().transform(X)

    @_if_best_has("inverse_transform")
    def inverse_transform(self, X: Any) -> Any:
        """X transformed back by the best estimator."""
        return self._best().inverse_transform(X)

    @property
    def classes_(self) -> Any:
        """The class labels of the best estimator."""
        _has("classes_")(self)
        return self.best_estimator_.classes_

    @property
    def n_features_in_(self) -> int:
        """The number of features that the best estimator was fitted on."""
        if not hasattr(self, "best_estimator_"):
            raise AttributeError(f"this {type(self).__name__} has no n_features_in_ before it is fitted with a refit")
        n_features: int = self.best_estimator_.n_features_in_
        return n_features

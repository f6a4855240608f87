"""A predictor on ONNX Runtime, with the face of the scikit-learn estimator that it was converted from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if

from moopt.deploy.backends import require_onnx
from moopt.deploy.conversion import METADATA
from moopt.deploy.layout import Layout
from moopt.errors import ConversionFailed, UsageError

_ERRORS_ONLY = 3


Method = TypeVar("Method", bound=Callable[..., Any])


def _if_scores_are(method: str) -> Callable[[Method], Method]:
    decorated: Callable[[Method], Method] = available_if(lambda model: model.scores == method)
    return decorated


class OnnxModel:
    """A model of :func:`moopt.deploy.conversion.to_onnx`, from its bytes or file; one thread.

    Takes the frames and arrays (n, d) that the estimator took. It has ``predict_proba`` where the estimator had it,
    else ``decision_function`` where the estimator had that. Raises MissingExtra without the extra ``onnx``,
    ConversionFailed for bytes that are no such model.
    """

    def __init__(self, source: bytes | Path) -> None:
        self.content = source if isinstance(source, bytes) else Path(source).read_bytes()
        self._session = _session(self.content)
        told = _metadata(self._session)
        self._layout = Layout(tuple(told["numbers"]), tuple(told["texts"]))
        self._outputs = [output.name for output in self._session.get_outputs()]
        self.scores: str | None = told["scores"]
        """Which of ``predict_proba`` and ``decision_function`` it has."""
        if told["classes"] is not None:
            self.classes_ = np.array(told["classes"], dtype=told["classes_dtype"])

    def __reduce__(self) -> tuple[Any, ...]:
        """Sessions do not travel, files do."""
        return OnnxModel, (self.content,)

    def __sklearn_tags__(self) -> Any:
        """A classifier or a regressor, for scikit-learn's scorers."""
        from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags

        known = hasattr(self, "classes_")
        return Tags(
            estimator_type="classifier" if known else "regressor",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags() if known else None,
            regressor_tags=None if known else RegressorTags(),
            input_tags=InputTags(string=True, allow_nan=True),
        )

    @property
    def n_features_in_(self) -> int:
        """Columns of X."""
        return self._layout.width

    def fit(self, *_: Any) -> NoReturn:
        """Only there because scikit-learn's scorers look for it. Raises UsageError."""
        raise UsageError("an ONNX model cannot be fitted; fit the estimator, then convert it")

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels (n,), of the type of the classes, or numbers (n,)."""
        return self._plain(self._run(X, self._outputs[:1])[0])

    def predict_with_proba(self, X: Any) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """What ``predict`` and ``predict_proba`` give, in one run; None where there are no probabilities."""
        if self.scores != "predict_proba":
            return self.predict(X), None
        labels, probabilities = self._run(X, self._outputs)
        return self._plain(labels), probabilities

    def _plain(self, found: NDArray[Any]) -> NDArray[Any]:
        if hasattr(self, "classes_"):
            labels: NDArray[Any] = np.asarray(found, dtype=self.classes_.dtype)
            return labels
        numbers: NDArray[Any] = found[:, 0] if found.shape[1:] == (1,) else found
        return numbers

    @_if_scores_are("predict_proba")
    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Probabilities (n, classes), float32."""
        return self._run(X, self._outputs[1:2])[0]

    @_if_scores_are("decision_function")
    def decision_function(self, X: Any) -> NDArray[Any]:
        """Scores (n, classes) or (n, pairs of classes); of two classes (n,), above 0 for the second. float32."""
        labels, found = self._run(X, self._outputs)
        if len(self.classes_) > 2:
            return found
        # Converters differ in which of two columns is whose.
        decisions: NDArray[Any] = np.abs(found[:, 0])
        decisions[self._plain(labels) != self.classes_[1]] *= -1
        return decisions

    def _run(self, X: Any, outputs: list[str]) -> list[NDArray[Any]]:
        found: list[NDArray[Any]] = self._session.run(outputs, self._layout.feed(X))
        return found


def _session(content: bytes) -> Any:
    """One thread that does not spin while it waits."""
    require_onnx()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = _ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no class of their own
        text = " ".join(str(error).split())[:300]
        raise ConversionFailed(f"ONNX Runtime cannot load the model: {text}") from error


def _metadata(session: Any) -> Mapping[str, Any]:
    found = session.get_modelmeta().custom_metadata_map.get(METADATA)
    if found is None:
        raise ConversionFailed("the ONNX file was not made by moopt: it does not say which columns it takes")
    told: Mapping[str, Any] = json.loads(found)
    return told

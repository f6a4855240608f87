"""A fitted estimator as an ONNX file.

What skl2onnx would refuse or read wrongly is changed beforehand, in copies: columns go by their places, and a
missing text is the empty one, since ONNX knows no missing text.
"""

from __future__ import annotations

import json
import warnings
from copy import copy
from typing import Any

import numpy as np

from moopt.deploy.backends import require_onnx
from moopt.deploy.layout import NUMBERS, TEXTS, Layout, layout_of
from moopt.errors import ConversionFailed

METADATA = "moopt"
"""Key of what a file says of itself: its layout, what kind of model it is, its classes and what its scores are."""
_PROBABILITIES, _DECISIONS = "predict_proba", "decision_function"


def to_onnx(estimator: Any, X: Any) -> bytes:
    """A fitted classifier or regressor as an ONNX file, its numbers in float32. ``X`` are rows that it predicts.

    The file has the inputs ``numbers`` (n, numbers) and ``texts`` (n, texts), where there are such columns, and
    its metadata say which columns they are. :class:`moopt.deploy.onnx_model.OnnxModel` predicts with it.

    A broken converter may end the process; :func:`moopt.deploy.converter.convert` is safe from that. Raises
    MissingExtra without the extra ``onnx``, ConversionFailed where a part has no counterpart.
    """
    require_onnx()
    layout = layout_of(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries, about their own future
        try:
            model = _converted(estimator, layout)
        except ConversionFailed:
            raise
        except Exception as error:
            text = " ".join(str(error).split())[:300]
            name = type(estimator).__name__
            raise ConversionFailed(f"{name} cannot be converted to ONNX: {type(error).__name__}: {text}") from error
    return bytes(model.SerializeToString())


def _converted(estimator: Any, layout: Layout) -> Any:
    from onnx.helper import set_model_props
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    inputs = [(NUMBERS, FloatTensorType([None, len(layout.numbers)]))] if layout.numbers else []
    inputs += [(TEXTS, StringTensorType([None, len(layout.texts)]))] if layout.texts else []
    model = _with_plain_outputs(_prepared(estimator, layout), inputs)
    opsets = sorted(model.opset_import, key=lambda one: str(one.domain))  # their order is chance
    del model.opset_import[:]
    model.opset_import.extend(opsets)
    set_model_props(model, {METADATA: json.dumps(_described(estimator, layout))})
    return model


def _with_plain_outputs(prepared: Any, inputs: list[Any]) -> Any:
    """skl2onnx' model; its probabilities are an array and not dicts, which some classifiers have to be told."""
    from skl2onnx import to_onnx

    try:
        return to_onnx(prepared, initial_types=inputs, name="model", options={id(prepared): {"zipmap": False}})
    except (NameError, RuntimeError) as error:
        if "ption" not in str(error):
            raise
        return to_onnx(prepared, initial_types=inputs, name="model")


def _described(estimator: Any, layout: Layout) -> dict[str, Any]:
    from sklearn.base import is_classifier

    told: dict[str, Any] = {"numbers": layout.numbers, "texts": layout.texts, "classes": None, "scores": None}
    if is_classifier(estimator):
        classes = np.asarray(estimator.classes_)
        told["classes"], told["classes_dtype"] = classes.tolist(), classes.dtype.str
        told["scores"] = next((one for one in (_PROBABILITIES, _DECISIONS) if hasattr(estimator, one)), None)
    return told


# What is changed beforehand


def _prepared(estimator: Any, layout: Layout) -> Any:
    """The estimator as skl2onnx can read it; what was given stays as it is."""
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    if isinstance(estimator, Pipeline) and estimator.steps:
        (name, first), *rest = estimator.steps
        changed = copy(estimator)
        changed.steps = [(name, _prepared(first, layout)), *rest]
        if not layout.numbers:
            changed.steps = [(name, without_missing_texts(step)) for name, step in changed.steps]
        return changed
    if isinstance(estimator, ColumnTransformer):
        return _by_places(estimator, layout)
    if layout.numbers and layout.texts:
        raise ConversionFailed(
            f"{type(estimator).__name__} takes numbers and texts at once; for ONNX begin with a ColumnTransformer"
        )
    return estimator


def _by_places(transformer: Any, layout: Layout) -> Any:
    """The column transformer with its columns by their places among the inputs."""
    places = transformer._transformer_to_input_indices
    changed = copy(transformer)
    changed.transformers_ = [
        (name, without_missing_texts(inner), layout.places(places[name]))
        for name, inner, columns in transformer.transformers_
        if not (isinstance(inner, str) and inner == "drop") and np.size(columns) > 0
    ]
    return changed


def without_missing_texts(transformer: Any) -> Any:
    """The fitted transformer for texts of which a missing one is written as the empty text."""
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder

    changed = copy(transformer)
    if isinstance(transformer, Pipeline):
        changed.steps = [(name, without_missing_texts(step)) for name, step in transformer.steps]
    elif _imputes_texts(transformer):
        changed.missing_values = ""
    elif isinstance(transformer, OneHotEncoder):
        changed.categories_ = [_without_missing(levels) for levels in transformer.categories_]
    return changed


def _imputes_texts(transformer: Any) -> bool:
    fills = np.asarray(getattr(transformer, "statistics_", []))
    return fills.dtype.kind in "OU" and not isinstance(transformer.missing_values, str)


def _without_missing(levels: Any) -> Any:
    """The levels of a column of texts; those of numbers stay."""
    import pandas as pd

    return np.where(pd.isna(levels), "", levels) if levels.dtype.kind == "O" else levels

"""Frames and arrays as the inputs of an ONNX model: one tensor of numbers and one of texts.

Two tensors, since each input costs a call some microseconds and a table may have hundreds of columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moopt.errors import ConversionFailed

NUMBERS = "numbers"
"""Name of the input of float32, shape (n, numbers)."""
TEXTS = "texts"
"""Name of the input of str, shape (n, texts); a missing text is empty."""


@dataclass(frozen=True)
class Layout:
    """Which columns are numbers and which are texts."""

    numbers: tuple[int, ...]
    """Places in the frame or array."""
    texts: tuple[int, ...]

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.numbers) + len(self.texts)

    def places(self, columns: Any) -> list[int]:
        """Where columns, by their places, stand among the inputs: numbers first."""
        order = {place: at for at, place in enumerate((*self.numbers, *self.texts))}
        return [order[int(place)] for place in columns]

    def feed(self, X: Any) -> Mapping[str, NDArray[Any]]:
        """Input name -> tensor for rows (n, width) in a frame or array. Raises ValueError for another width."""
        if np.ndim(X) != 2 or X.shape[1] != self.width:
            raise ValueError(f"X has the shape {np.shape(X)}; expected a frame or array of {self.width} columns")
        if not self.texts:
            return {NUMBERS: _array(X, np.float32)}
        values = _array(X, object)
        if not self.numbers:
            return {TEXTS: _texts(values)}
        return {
            NUMBERS: values[:, self.numbers].astype(np.float32),
            TEXTS: _texts(values[:, self.texts]),
        }


def layout_of(X: Any) -> Layout:
    """The layout of a frame or array (n, d), from its types; an array of objects is judged by its values.

    Raises ConversionFailed for what has no columns, and for columns that are neither numbers nor texts.
    """
    if np.ndim(X) != 2 or not (hasattr(X, "iloc") or isinstance(X, np.ndarray)):
        raise ConversionFailed(f"ONNX models take a frame or an array of rows and columns, not {type(X).__name__}")
    are_texts = [_is_text(column, name) for column, name in _columns(X)]
    return Layout(
        tuple(place for place, text in enumerate(are_texts) if not text),
        tuple(place for place, text in enumerate(are_texts) if text),
    )


def _columns(X: Any) -> list[tuple[Any, Any]]:
    if hasattr(X, "iloc"):
        return [(X.iloc[:, place], name) for place, name in enumerate(X.columns)]
    return [(X[:, place], place) for place in range(X.shape[1])]


def _is_text(column: Any, name: Any) -> bool:
    import pandas as pd
    from pandas.api import types

    if types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype):
        return False
    known = pd.Series(column, copy=False).dropna()
    if all(isinstance(value, str) for value in known):
        return True
    if all(isinstance(value, int | float | np.number | np.bool_) for value in known):
        return False
    raise ConversionFailed(f"column {name!r} is neither numbers nor texts, which is all that ONNX models take")


def _array(X: Any, dtype: Any) -> NDArray[Any]:
    return X.to_numpy(dtype) if hasattr(X, "to_numpy") else np.asarray(X, dtype)


def _texts(values: NDArray[Any]) -> NDArray[Any]:
    """Texts with the empty one for what is missing; the values given are not changed."""
    import pandas as pd

    missing = pd.isna(values)
    return np.where(missing, "", values) if missing.any() else values

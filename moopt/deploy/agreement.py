"""How far a converted model predicts what its original predicts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moopt.deploy.backends import MAX_DISAGREEMENT
from moopt.errors import WrongResult

if TYPE_CHECKING:
    from moopt.deploy.onnx_model import OnnxModel

_RELATIVE = 1e-3
_TIE = 1e-6


@dataclass(frozen=True, slots=True)
class Agreement:
    """What two models say of the same rows."""

    n_rows: int
    n_equal: int
    """Rows of the same label; of a number that differs by at most a thousandth of itself and of the spread."""
    probability: float | None = None
    """The largest difference between two probabilities; None where there are none."""
    n_ties: int = 0
    """Rows that are not equal, and whose two likeliest classes are equally likely for the original."""

    @property
    def share(self) -> float:
        """Of rows predicted alike."""
        return self.n_equal / self.n_rows

    def check(self, max_disagreement: float = MAX_DISAGREEMENT) -> None:
        """Raises WrongResult where they differ on more than this share of rows, rounded up to whole rows.

        Ties do not count: which class wins one is decided by rounding, also in the original.
        """
        different = self.n_rows - self.n_equal - self.n_ties
        if different > math.ceil(max_disagreement * self.n_rows):
            raise WrongResult(
                f"the ONNX model predicts otherwise than its original on {different} of {self.n_rows} rows; "
                f"at most {max_disagreement:.1%} may differ"
            )


def agreement(original: Any, converted: OnnxModel, X: Any) -> Agreement:
    """How far both predict alike on rows X (n, d)."""
    expected = np.asarray(original.predict(X))
    found, probabilities = converted.predict_with_proba(X)
    equal = expected == found if hasattr(converted, "classes_") else _close(expected, found)
    if probabilities is None:
        return Agreement(len(equal), int(np.sum(equal)))
    likely = np.asarray(original.predict_proba(X))
    second, first = np.sort(likely, axis=1)[:, -2:].T
    ties = ~equal & (first - second < _TIE)
    largest = float(np.max(np.abs(likely - probabilities)))
    return Agreement(len(equal), int(np.sum(equal)), largest, int(np.sum(ties)))


def _close(expected: Any, found: Any) -> Any:
    near = np.isclose(found, expected, rtol=_RELATIVE, atol=_RELATIVE * float(np.std(expected)))
    return near.reshape(len(near), -1).all(axis=1)

"""Scores of a fitted model on the test split, with intervals from resampled test rows.

A model predicts the test rows once. Each scorer is then asked again for every draw of rows, so that any score has an
interval; the draws are the same rows for every model of a study.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moopt import uncertainty
from moopt.confirm.counted import COUNTED, label_counts, of_counts
from moopt.confirmed import pack_draws
from moopt.data import Ints
from moopt.errors import ConfirmError
from moopt.measure import Measures
from moopt.measure.quality import Scorer, scores
from moopt.objectives import Floats
from moopt.trial import Json

FEWEST_ROWS = 30
FEWEST_OF_A_CLASS = 5
"""Test rows below which resampling them says nothing."""
_NO_DRAWS = np.empty((0, 0), dtype=np.int32)
_COMPARED = 8
"""So many draws are scored in both ways, before counting labels stands in for a scorer."""
_METHODS = ("predict", "predict_proba", "decision_function")


def no_interval(y: Any, classes: bool) -> str:
    """Why scores on these test labels (n,) have no interval, in words; empty where they have one."""
    if len(y) < FEWEST_ROWS:
        return f"the test split has {len(y)} rows, fewer than {FEWEST_ROWS}"
    if not classes:
        return ""
    labels, counts = np.unique(np.asarray(y), return_counts=True)
    if counts.min() < FEWEST_OF_A_CLASS:
        label = labels[counts.argmin()]
        return f"the test split has {counts.min()} rows of class {label!s}, fewer than {FEWEST_OF_A_CLASS}"
    return ""


def check_labels(y: Any) -> None:
    """Raises ConfirmError where test labels (n,) are of one class: no score could tell a good model by them."""
    labels = np.unique(np.asarray(y))
    if len(labels) == 1:
        raise ConfirmError(f"every test row is of class {labels[0]!s}; give test rows of every class")


def scored(
    measures: Measures,
    model: Any,
    X: Any,
    y: Any,
    *,
    seed: int,
    confidence: float = uncertainty.CONFIDENCE,
    n_draws: int = uncertainty.N_DRAWS,
    with_interval: bool = True,
) -> dict[str, Json]:
    """``scores``, ``n_rows`` and ``draws`` of a confirmation's measures, on X (n, d) and y (n,).

    Raises as :func:`moopt.measure.quality.scores`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a draw may lack a class; what scorers have to say was kept by the search
        values = measures.quality(model, X, y)
        rows = uncertainty.bootstrap_rows(len(y), n_draws, seed) if with_interval else _NO_DRAWS
        draws = _draws(measures.scorers, model, X, y, rows, list(values)) if len(rows) else np.empty((0, len(values)))
        intervals = _intervals(draws, confidence)
    found = {
        name: {"value": value, **interval, "confidence": confidence if with_interval else None}
        for (name, value), interval in zip(values.items(), intervals, strict=True)
    }
    return {"scores": found, "n_rows": len(y), "draws": pack_draws(draws)}


def _draws(
    scorers: Mapping[str, Scorer], model: Any, X: Any, y: Any, rows: NDArray[np.int32], names: Sequence[str]
) -> Floats:
    """Scores (n_draws, n_scores) on drawn rows (n_draws, n)."""
    predicted = _Predicted(model, X)
    found = _scored_draws(scorers, predicted, X, y, rows[:_COMPARED])
    counted = {
        name: all_draws for name in scorers if (all_draws := _counted(name, predicted, y, rows, found)) is not None
    }
    others = {name: scorer for name, scorer in scorers.items() if name not in counted}
    rest = _scored_draws(others, predicted, X, y, rows[_COMPARED:])
    columns = [counted[name] if name in counted else np.append(found[name], rest[name]) for name in names]
    return np.column_stack(columns)


def _counted(
    name: str, predicted: _Predicted, y: Any, rows: NDArray[np.int32], found: Mapping[str, Floats]
) -> Floats | None:
    """A score of all draws by counting labels, where that gives what the scorer found in the first of them."""
    if name not in COUNTED or name not in found:
        return None
    counts = label_counts(y, predicted.predict(np.arange(len(y))), rows)
    meanings = of_counts(name, counts)
    first = found[name]
    return next((one for one in meanings if np.allclose(one[: len(first)], first, rtol=0, atol=1e-12)), None)


def _scored_draws(
    scorers: Mapping[str, Scorer], predicted: _Predicted, X: Any, y: Any, rows: NDArray[np.int32]
) -> dict[str, Floats]:
    """Each score of each draw (n_draws,), by its scorer."""
    from sklearn.utils import _safe_indexing

    # scikit-learn's scorers see a model's predictions only; another one may look at the rows themselves.
    of_predictions = {name: one for name, one in scorers.items() if hasattr(one, "_accept_sample_weight")}
    of_rows = {name: one for name, one in scorers.items() if name not in of_predictions}
    found: dict[str, list[float]] = {}
    for chosen in rows:
        labels = _safe_indexing(y, chosen)
        values = scores(of_predictions, predicted, chosen, labels)
        if of_rows:
            values |= scores(of_rows, predicted.model, _safe_indexing(X, chosen), labels)
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    return {name: np.array(values) for name, values in found.items()}


def _intervals(draws: Floats, confidence: float) -> list[dict[str, float | None]]:
    """``low`` and ``high`` of each score; None without draws, and where a score is undefined in one of ten."""
    if not len(draws):
        return [{"low": None, "high": None} for _ in range(draws.shape[1])]
    tail = (1 - confidence) / 2
    intervals: list[dict[str, float | None]] = []
    for column in draws.T:
        defined = column[np.isfinite(column)]
        low, high = np.quantile(defined, [tail, 1 - tail]) if len(defined) >= 0.9 * len(column) else (None, None)
        intervals.append({"low": _plain(low), "high": _plain(high)})
    return intervals


def _plain(value: Any) -> float | None:
    return None if value is None else float(value)


class _Predicted:
    """A fitted model that has predicted its rows X (n, d) already, once: it is asked for rows by their numbers."""

    def __init__(self, model: Any, X: Any) -> None:
        self.model, self._X = model, X
        self._known: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.model, name)
        return self._known_rows(name, found) if name in _METHODS else found

    def _known_rows(self, name: str, method: Callable[[Any], Any]) -> Callable[[Ints], Any]:
        def predicted(rows: Ints) -> Any:
            if name not in self._known:
                self._known[name] = np.asarray(method(self._X))
            return self._known[name][rows]

        predicted.__name__ = name  # scikit-learn asks a method for its name
        return predicted

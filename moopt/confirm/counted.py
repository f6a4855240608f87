"""Scores that only depend on how often which label was predicted for which: of many draws of rows at once.

scikit-learn's scorers take about a millisecond a draw, whatever the rows. Counting labels takes a fraction of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moopt.objectives import Floats

Counts = NDArray[np.int64]


def label_counts(y: Any, predicted: Any, rows: NDArray[np.int32]) -> Counts:
    """How often label j was predicted for label i (n_draws, k, k), in each draw of rows (n_draws, n)."""
    labels, codes = np.unique(np.concatenate([np.asarray(y), np.asarray(predicted)]), return_inverse=True)
    k = len(labels)
    pairs = codes[: len(y)] * k + codes[len(y) :]
    counts = np.array([np.bincount(pairs[draw], minlength=k * k) for draw in rows], dtype=np.int64)
    return counts.reshape(len(rows), k, k)


def of_counts(name: str, counts: Counts) -> list[Floats]:
    """What a score of this name may mean, of each draw (n_draws,): about each label in turn, or their mean.

    Nothing for a score that counts do not decide. A share of nothing is 0, as in :mod:`moopt.measure.quality`.
    """
    if name == "accuracy":
        return [_share(np.trace(counts, axis1=1, axis2=2), counts.sum(axis=(1, 2)))]
    if name not in _BY_LABEL:
        return []
    hits = np.diagonal(counts, axis1=1, axis2=2)
    true, said = counts.sum(axis=2), counts.sum(axis=1)
    by_label = _BY_LABEL[name](hits, true, said)
    there = (true > 0) if name == "balanced_accuracy" else (true + said > 0)
    mean = _share((by_label * there).sum(axis=1), there.sum(axis=1))
    return [mean] if name == "balanced_accuracy" else [*by_label.T, mean]


def _share(part: Any, whole: Any) -> Floats:
    shares: Floats = np.divide(part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) > 0)
    return shares


_BY_LABEL: Mapping[str, Callable[[Counts, Counts, Counts], Floats]] = {
    "recall": lambda hits, true, _: _share(hits, true),
    "balanced_accuracy": lambda hits, true, _: _share(hits, true),
    "precision": lambda hits, _, said: _share(hits, said),
    "f1": lambda hits, true, said: _share(2 * hits, true + said),
    "jaccard": lambda hits, true, said: _share(hits, true + said - hits),
}

COUNTED = ("accuracy", *_BY_LABEL)
"""Scores that :func:`of_counts` knows."""

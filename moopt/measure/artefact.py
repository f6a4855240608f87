"""Load the model file that ships, with our own list of trusted types and never the file's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TRUSTED = (
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.metrics._dist_metrics.MinkowskiDistance64",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
)
"""Types of scikit-learn's and numpy's that skops does not trust by itself, and that the preset families hold."""


def load_model(source: bytes | Path) -> Any:
    """The estimator of a skops file. Nothing in the file can widen the list of trusted types.

    Raises skops' UntrustedTypesFoundException where it holds another type.
    """
    from skops.io import loads

    return loads(source if isinstance(source, bytes) else Path(source).read_bytes(), trusted=list(TRUSTED))

"""A forest whose trees disagree where little is known: mean and spread over the trees.

Hutter, Hoos and Leyton-Brown 2011, doi:10.1007/978-3-642-25566-3_40.
"""

from __future__ import annotations

import numpy as np

from moopt.objectives import Floats

TREES = 32
SHARE = 0.8
"""Of the columns that a split looks at."""


class Forest:
    """Trees on bootstrap samples of X (n, p) and Y (n, k), all columns at once."""

    def __init__(self, X: Floats, Y: Floats, rng: np.random.Generator) -> None:
        from sklearn.tree import DecisionTreeRegressor

        n = len(X)
        narrow = X.astype(np.float32)
        self._n_columns = Y.shape[1]
        self._trees = []
        for seed in rng.integers(2**31, size=TREES):
            counts = np.bincount(rng.integers(n, size=n), minlength=n).astype(np.float64)
            rows = np.flatnonzero(counts)
            tree = DecisionTreeRegressor(max_features=SHARE, random_state=int(seed))
            tree.fit(narrow[rows], Y[rows], sample_weight=counts[rows], check_input=False)
            self._trees.append(tree.tree_)

    def predict(self, Q: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation (q, k) over the trees at Q (q, p)."""
        narrow = np.ascontiguousarray(Q, dtype=np.float32)
        each = np.stack([tree.predict(narrow).reshape(len(Q), self._n_columns) for tree in self._trees])
        return each.mean(axis=0), each.std(axis=0)

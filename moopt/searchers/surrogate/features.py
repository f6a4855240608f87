"""Points of the unit cube as columns of numbers for a model: categories one column a choice, inactive values named."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moopt.objectives import Floats
from moopt.space import Space


class Features:
    """The encoding of one space; hyperparameters with a single value are left out."""

    groups: NDArray[np.intp]
    """Shape (p,): which hyperparameter each column belongs to, counted from 0 without gaps."""

    def __init__(self, space: Space) -> None:
        varied = space.n_values > 1
        self._numbers = np.flatnonzero(~space.categorical & varied)
        self._choices = [
            (int(place), int(space.n_values[place])) for place in np.flatnonzero(space.categorical & varied)
        ]
        n = len(self._numbers)
        blocks = [np.full(k, n + block) for block, (_, k) in enumerate(self._choices)]
        self.groups = np.concatenate([np.arange(n), *blocks]).astype(np.intp)

    def __call__(self, points: Floats, inactive: float) -> Floats:
        """Columns (n, p) of points (n, d): a number, ``inactive`` where it is NaN; a choice, all 0 where it is NaN."""
        numbers = points[:, self._numbers]
        columns = [np.where(np.isnan(numbers), inactive, numbers)]
        for place, n in self._choices:
            units = points[:, place]
            index = np.where(np.isnan(units), -1, np.floor(np.nan_to_num(units) * n))
            columns.append((np.minimum(index, n - 1)[:, None] == np.arange(n)).astype(np.float64))
        return np.hstack(columns)

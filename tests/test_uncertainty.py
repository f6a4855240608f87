"""Draws, intervals, probabilities and ties: what arrays say about how sure a front is."""

import numpy as np
import pytest

from moopt.errors import UsageError
from moopt.uncertainty import bootstrap_rows


def test_bootstrap_rows_are_drawn_with_replacement_and_always_the_same() -> None:
    rows = bootstrap_rows(40, 30, seed=3)
    assert rows.shape == (30, 40)
    assert rows.min() >= 0
    assert rows.max() == 39
    assert all(len(set(draw)) < 40 for draw in rows.tolist())
    assert np.array_equal(rows, bootstrap_rows(40, 30, seed=3))
    assert not np.array_equal(rows, bootstrap_rows(40, 30, seed=4))


@pytest.mark.parametrize(("n_rows", "n_draws"), [(0, 10), (10, 0)])
def test_a_bootstrap_needs_a_row_and_a_draw(n_rows: int, n_draws: int) -> None:
    with pytest.raises(UsageError, match=f"{n_draws} draws of {n_rows} rows; give at least one of each"):
        bootstrap_rows(n_rows, n_draws)

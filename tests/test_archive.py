"""The archive that normalises losses."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from moopt import pareto
from moopt.searchers.archive import Archive

ROWS = st.tuples(st.integers(1, 150), st.integers(1, 4)).flatmap(
    lambda shape: st.tuples(
        arrays(np.float64, shape, elements=st.integers(0, 6).map(float)),
        arrays(np.float64, shape[0], elements=st.sampled_from([0.0, 0.0, 0.5, 1.0])),
    )
)


def filled(losses, violation=None):
    archive = Archive(np.shape(losses)[1])
    for row, miss in zip(losses, np.zeros(len(losses)) if violation is None else violation, strict=True):
        archive.add(np.array(row, dtype=np.float64), miss)
    return archive


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_it_holds_the_front_of_all_that_was_added(rows):
    losses, violation = rows
    archive = filled(losses, violation)
    front = losses[pareto.nondominated(losses, violation)]
    assert np.array_equal(np.unique(archive.front, axis=0), np.unique(front, axis=0))
    assert len(archive) == len(np.unique(front, axis=0))
    ideal, nadir = pareto.ideal_nadir(front)
    assert np.array_equal(archive.ideal, ideal)
    ranged = nadir > ideal
    assert np.array_equal(archive.nadir[ranged], nadir[ranged])
    assert np.array_equal(archive.nadir[~ranged], losses.max(axis=0)[~ranged])


def test_the_ideal_is_at_zero_and_the_nadir_at_one():
    archive = filled([[1.0, 40], [3, 20], [5, 50]])
    assert archive.normalise(np.array([[1.0, 20], [3, 40], [2, 30]])).tolist() == [[0, 0], [1, 1], [0.5, 0.5]]


def test_a_front_of_one_point_is_measured_by_the_worst_result():
    archive = filled([[9.0, 5], [1, 1], [5, 9]])
    assert archive.normalise(np.array([[5.0, 1]])).tolist() == [[0.5, 0]]


def test_losses_far_away_stay_numbers():
    archive = filled([[0.0, 1e-300], [1e-300, 0]])
    assert np.isfinite(archive.normalise(np.array([[1e308, -1e308]]))).all()
    assert np.isfinite(Archive(2).normalise(np.array([[3.0, 4.0]]))).all()

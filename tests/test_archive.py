"""The archive that normalises losses."""

import numpy as np
import pytest
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


def test_a_point_that_pays_much_for_next_to_nothing_does_not_make_the_robust_nadir():
    plain, robust = Archive(2), Archive(2, robust=True)
    for archive in (plain, robust):
        for losses in [(0.0, 1.0), (0.3, 0.5), (1.0, 0.0), (-1e-6, 8.0), (-2e-6, 20.0)]:
            archive.add(np.array(losses), 0.0)
    assert plain.nadir.tolist() == [1.0, 20.0]
    assert robust.nadir.tolist() == [1.0, 1.0]
    assert robust.front.tolist() == plain.front.tolist()


@pytest.mark.parametrize("n_objectives", [1, 2, 3, 4])
def test_the_robust_nadir_is_that_of_the_front_where_no_point_is_like_that(n_objectives):
    directions = np.abs(np.random.default_rng(0).normal(size=(200, n_objectives)))
    plain, robust = Archive(n_objectives), Archive(n_objectives, robust=True)
    for archive in (plain, robust):
        for losses in directions / np.linalg.norm(directions, axis=1, keepdims=True):
            archive.add(losses, 0.0)
    assert np.array_equal(plain.nadir, robust.nadir)


def test_the_robust_nadir_of_huge_losses_is_a_number():
    robust = Archive(2, robust=True)
    for losses in [(1e308, -1e308), (-1e308, 1e308), (0.0, 0.0)]:
        robust.add(np.array(losses), 0.0)
    assert robust.nadir.tolist() == [1e308, 1e308]

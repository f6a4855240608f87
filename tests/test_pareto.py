"""Dominance, ranks, ideal and nadir, hypervolume and knee."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from moopt import pareto
from moopt.errors import UsageError

NAN = float("nan")


def coarse(n_objectives: int):
    """Losses on a coarse grid, so that ties and copies happen."""
    rows = st.integers(0, 25)
    values = st.integers(0, 4).map(float)
    return rows.flatmap(lambda n: arrays(np.float64, (n, n_objectives), elements=values))


def dominates(a: np.ndarray, b: np.ndarray) -> bool:
    return bool((a <= b).all() and (a < b).any())


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4).flatmap(coarse))
def test_the_front_holds_each_row_that_no_other_dominates(losses):
    expected = [not any(dominates(other, row) for other in losses) for row in losses]
    assert pareto.nondominated(losses).tolist() == expected


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4).flatmap(coarse))
def test_ranks_are_the_fronts_peeled_off_one_by_one(losses):
    left, expected, rank = np.arange(len(losses)), np.zeros(len(losses), dtype=int), 0
    while len(left):
        front = pareto.nondominated(losses[left])
        expected[left[front]] = rank
        left, rank = left[~front], rank + 1
    assert pareto.ranks(losses).tolist() == expected.tolist()


def test_copies_of_a_front_point_all_stay():
    assert pareto.nondominated(np.array([[1.0, 2], [1, 2], [2, 1], [2, 2]])).tolist() == [True, True, True, False]


def test_a_feasible_row_comes_before_a_better_one_that_misses_a_limit():
    losses, violation = np.array([[0.0, 0], [1, 1], [2, 0.5]]), np.array([0.1, 0, 0])
    assert pareto.nondominated(losses, violation).tolist() == [False, True, True]
    assert pareto.ranks(losses, violation).tolist() == [1, 0, 0]


def test_without_a_feasible_row_the_least_violation_is_the_front():
    losses, violation = np.array([[0.0, 0], [1, 1], [2, 2], [3, 0]]), np.array([0.3, 0.1, 0.1, 0.1])
    assert pareto.nondominated(losses, violation).tolist() == [False, True, False, True]
    assert pareto.ranks(losses, violation).tolist() == [2, 0, 1, 0]


def test_a_row_that_is_not_finite_is_never_on_the_front_and_ranks_last():
    losses = np.array([[NAN, -1], [1, 1], [2, 2], [-np.inf, 0], [0, 0]])
    violation = np.array([0, 0, 0, 0, NAN])
    assert pareto.nondominated(losses, violation).tolist() == [False, True, False, False, False]
    assert pareto.ranks(losses, violation).tolist() == [2, 0, 1, 2, 2]
    assert not pareto.nondominated(np.full((3, 2), NAN)).any()


def test_no_rows_give_an_empty_front_and_no_volume():
    none = np.empty((0, 3))
    assert pareto.nondominated(none).shape == pareto.ranks(none).shape == (0,)
    assert np.isnan(pareto.ideal_nadir(none)).all()
    assert pareto.hypervolume(none, np.zeros(3), np.ones(3)) == 0


def test_ideal_and_nadir_pass_over_what_is_not_finite():
    ideal, nadir = pareto.ideal_nadir(np.array([[1.0, 5], [NAN, 0], [3, 2]]))
    assert (ideal.tolist(), nadir.tolist()) == ([1, 2], [3, 5])


def test_an_objective_without_a_range_is_normalised_by_its_sign():
    scaled = pareto.normalise(np.array([[1.0, 7], [3, 8], [2, 6]]), np.array([1.0, 7]), np.array([3.0, 7]))
    assert scaled.tolist() == [[0, 0], [1, 1], [0.5, -1]]


def test_hypervolume_of_the_ideal_is_the_whole_box_and_of_a_failed_trial_none():
    ideal, nadir = np.array([-3.0, 10]), np.array([5.0, 30])
    assert pareto.hypervolume(ideal[None], ideal, nadir) == pytest.approx(1.1**2)
    assert pareto.hypervolume(np.array([[NAN, 0.0]]), ideal, nadir) == 0
    assert pareto.hypervolume(np.array([[5.0, 30.0]]), ideal, nadir) == pytest.approx(0.1**2)


def test_hypervolume_knows_no_scale():
    losses = np.random.default_rng(0).random((30, 3))
    ideal, nadir = pareto.ideal_nadir(losses[pareto.nondominated(losses)])
    factor = np.array([1e6, 1, 1e-6])
    assert pareto.hypervolume(losses * factor, ideal * factor, nadir * factor) == pytest.approx(
        pareto.hypervolume(losses, ideal, nadir)
    )


def test_the_knee_is_nearest_to_the_ideal_in_the_range_of_the_front():
    front = np.array([[0.0, 1000], [0.2, 200], [1, 0], [NAN, 0], [5, 5000]])
    assert pareto.knee(front) == 1
    assert pareto.knee(front * [1e6, 1e-6]) == 1
    assert pareto.knee(np.array([[3.0, 3.0]])) == 0


def test_a_knee_of_nothing_is_refused():
    with pytest.raises(UsageError, match="at least one finite row"):
        pareto.knee(np.full((2, 2), NAN))


def test_wrong_shapes_are_refused():
    with pytest.raises(UsageError, match=r"shape \(3,\); give one row a point"):
        pareto.nondominated(np.zeros(3))
    with pytest.raises(UsageError, match=r"shape \(2,\); give one number a row"):
        pareto.ranks(np.zeros((3, 2)), np.zeros(2))


def test_the_input_is_not_changed():
    losses = np.random.default_rng(1).random((20, 3))
    losses.flags.writeable = False
    pareto.nondominated(losses)
    pareto.ranks(losses)
    pareto.knee(losses)
    pareto.hypervolume(losses, *pareto.ideal_nadir(losses))


def test_each_of_a_common_subset_adds_most_volume_to_those_before():
    losses = np.random.default_rng(0).random((3, 12, 3))

    def volume(rows: list[int]) -> float:
        return float(np.mean([pareto.hypervolume(own[rows], np.zeros(3), np.ones(3)) for own in losses]))

    rows = [5]
    while len(rows) < 5:
        rows.append(max((row for row in range(12) if row not in rows), key=lambda row: volume([*rows, row])))
    assert pareto.common_subset(losses, 4, [5]) == rows[1:]


def test_a_common_subset_ends_where_no_row_adds_anything():
    losses = np.array([[[0.2, 0.2], [0.1, 0.1], [0.5, 0.5]]])
    assert pareto.common_subset(losses, 3) == [1]
    assert pareto.common_subset(losses, 3, [1]) == []
    assert pareto.common_subset(np.full((1, 2, 2), 9.0), 2) == []


# A subset


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4).flatmap(coarse), st.integers(1, 5))
def test_each_of_a_subset_adds_most_hypervolume_to_those_before(losses, k):
    scaled = losses / 4
    rows = pareto.subset(scaled, k)
    assert len(rows) == len(set(rows)) == min(k, len(losses))
    unit = np.zeros(losses.shape[1]), np.ones(losses.shape[1])
    for place in range(len(rows)):
        others = [row for row in range(len(losses)) if row not in rows[:place]]
        most = max(pareto.hypervolume(scaled[[*rows[:place], row]], *unit) for row in others)
        assert pareto.hypervolume(scaled[rows[: place + 1]], *unit) == pytest.approx(most)


def test_a_row_that_is_not_finite_is_in_no_subset():
    assert pareto.subset(np.array([[0.0, NAN], [0.2, 0.5]]), 2) == [1]


def test_the_first_row_that_dominates_a_target_is_found():
    losses = np.array([[3.0, 3.0], [1.0, 2.0], [1.0, 2.0], [0.0, 0.0]])
    assert pareto.first_dominators(losses, losses).tolist() == [1, 3, 3, 4]
    assert pareto.first_dominators(losses, np.array([[1.0, 2.5], [0.0, 5.0], [-1.0, 9.0]])).tolist() == [1, 3, 4]
    assert pareto.first_dominators(losses, np.empty((0, 2))).tolist() == []
    assert pareto.first_dominators(np.empty((0, 2)), losses).tolist() == [0] * 4


def test_the_first_dominators_of_many_are_those_of_one_by_one():
    rng = np.random.default_rng(0)
    losses = rng.integers(0, 12, size=(1_500, 3)).astype(float)
    targets = losses[::10]
    beats = (losses[None] <= targets[:, None]).all(axis=2) & (losses[None] < targets[:, None]).any(axis=2)
    expected = np.where(beats.any(axis=1), beats.argmax(axis=1), len(losses))
    np.testing.assert_array_equal(pareto.first_dominators(losses, targets), expected)


@pytest.mark.parametrize("m", [2, 4, 5])
def test_an_estimated_hypervolume_is_near_the_exact_one_and_never_falls(m):
    points = np.random.default_rng(1).uniform(0, 1.3, size=(300, m))
    ends = np.array([1, 40, 41, 200, 300])
    found = pareto.estimated_hypervolumes(points, ends)
    exact = [pareto.hypervolume(points[:end], np.zeros(m), np.ones(m)) for end in ends]
    np.testing.assert_allclose(found, exact, rtol=0.05, atol=0.01)
    assert (np.diff(found) >= 0).all()
    assert pareto.estimated_hypervolumes(points + 2, np.array([300])) == [0.0]

"""Draws, intervals, probabilities and ties: what arrays say about how sure a front is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from moopt import pareto
from moopt.errors import UsageError
from moopt.objectives import Floats
from moopt.uncertainty import (
    bootstrap_rows,
    corrected_interval,
    draw_interval,
    fold_draws,
    front_probability,
    hypervolume_gap,
    optimistic,
    pessimistic,
    tie_groups,
    tied,
)

numbers = st.integers(0, 20).map(float)
draws_of_trials = st.tuples(st.integers(1, 12), st.integers(1, 6), st.integers(1, 3)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=numbers)
)


def some_folds(n: int = 6, k: int = 5, m: int = 2, seed: int = 0) -> Floats:
    """Losses (n, k, m) with a fold effect that all trials share."""
    generator = np.random.default_rng(seed)
    return generator.normal(size=(n, 1, m)) + generator.normal(size=(1, k, m)) + 0.1 * generator.normal(size=(n, k, m))


# Draws


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


def test_draws_over_folds_spread_as_the_corrected_interval_says() -> None:
    losses = some_folds()
    low, high = draw_interval(fold_draws(losses, 20_000), 0.9)
    expected = corrected_interval(losses.swapaxes(0, 1), 0.9)
    assert low == pytest.approx(expected[0], abs=0.1)
    assert high == pytest.approx(expected[1], abs=0.1)


def test_differences_between_trials_are_paired_by_fold() -> None:
    losses = some_folds()
    draws = fold_draws(losses, 20_000)
    low, high = draw_interval(draws[:, 0] - draws[:, 1], 0.9)
    expected = corrected_interval(losses[0] - losses[1], 0.9)
    assert low == pytest.approx(expected[0], abs=0.02)
    assert high == pytest.approx(expected[1], abs=0.02)


def test_an_objective_that_is_the_same_in_every_fold_is_the_same_in_every_draw() -> None:
    losses = some_folds()
    losses[:, :, 1] = 3.0
    draws = fold_draws(losses, 50)
    assert (draws[:, :, 1] == 3.0).all()
    assert np.ptp(draws[:, 0, 0]) > 0


def test_a_loss_that_is_missing_in_a_fold_leaves_its_trial_without_draws() -> None:
    losses = some_folds()
    losses[2, 4, 0] = np.nan
    missing = np.isnan(fold_draws(losses, 10)).all(axis=0)
    assert missing.tolist() == [[row == 2, False] for row in range(6)]


def test_one_fold_has_no_spread() -> None:
    with pytest.raises(UsageError, match="asked of 1; give at least two folds"):
        fold_draws(some_folds(k=1))
    with pytest.raises(UsageError, match="asked of 1; give at least two folds"):
        corrected_interval(np.array([0.5]))


# Intervals


def test_the_corrected_interval_is_that_of_nadeau_and_bengio() -> None:
    # mean .8, sd .1 over 5 folds, t of 4 degrees at .95 is 2.1318; variance factor 1/5 + 1/4
    values = 0.8 + 0.1 * np.array([-1, -1, 0, 1, 1]) * np.sqrt(4 / 4)
    low, high = corrected_interval(values, 0.9)
    assert (low, high) == pytest.approx(
        (0.8 - 2.1318 * 0.1 * np.sqrt(0.45), 0.8 + 2.1318 * 0.1 * np.sqrt(0.45)), abs=1e-5
    )


def test_a_larger_share_held_out_makes_a_wider_interval() -> None:
    values = np.array([0.1, 0.2, 0.4])
    widths = [np.ptp(corrected_interval(values, 0.9, share)) for share in (0.05, 0.2, 0.5)]
    assert widths == sorted(widths)
    assert corrected_interval(values) == corrected_interval(values, 0.9, 1 / 3)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95])
def test_a_confidence_is_between_none_and_all(confidence: float) -> None:
    with pytest.raises(UsageError, match=f"confidence is {confidence}; give a number between 0 and 1"):
        corrected_interval(np.array([1.0, 2.0]), confidence)


# The front


def test_the_probability_is_the_share_of_draws_in_which_none_dominates() -> None:
    draws = np.array([[[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]], [[0.0, 0.0], [1.0, 1.0], [2.0, -1.0]]])
    assert front_probability(draws).tolist() == [1.0, 0.5, 0.5]


def test_a_trial_without_a_finite_loss_is_never_on_the_front() -> None:
    draws = np.zeros((4, 3, 2))
    draws[:, 1, 0] = np.nan
    assert front_probability(draws).tolist() == [1.0, 0.0, 1.0]
    assert tied(draws).tolist() == [[True, False, True], [False, True, False], [True, False, True]]


@given(draws_of_trials)
@settings(deadline=None)
def test_probabilities_are_shares_and_some_trial_is_on_every_front(draws: Floats) -> None:
    found = front_probability(draws)
    assert ((found >= 0) & (found <= 1)).all()
    assert found.sum() >= 1 - 1e-9


@given(draws_of_trials, st.integers(-20, 20), st.floats(-5, 5))
@settings(deadline=None)
def test_scale_and_shift_of_an_objective_change_no_probability_and_no_tie(
    draws: Floats, power: int, shift: float
) -> None:
    moved = draws.copy()
    moved[:, :, 0] = draws[:, :, 0] * 2.0**power
    moved[:, :, -1] += round(shift)
    assert np.array_equal(front_probability(moved), front_probability(draws))
    assert np.array_equal(tied(moved), tied(draws))


# Ties


def test_trials_tie_where_neither_is_better_in_nearly_all_draws() -> None:
    noise = np.random.default_rng(0).normal(size=(1000, 3, 1))
    draws = np.concatenate([noise + np.array([[0.0], [0.5], [9.0]]), np.zeros((1000, 3, 1))], axis=2)
    assert tied(draws).tolist() == [[True, True, False], [True, True, False], [False, False, True]]


def test_noise_that_two_trials_share_hides_no_difference() -> None:
    shared = np.random.default_rng(0).normal(size=(1000, 1, 1))
    assert not tied(shared + np.array([[0.0], [0.001]]))[0, 1]


def test_an_erratic_trial_does_not_tie_with_all_others() -> None:
    noise = np.random.default_rng(0).normal(size=(1000, 8, 1))
    noise[:, 0] *= 20.0
    means = np.array([[10.0], *([0.1 * row] for row in range(7))])
    within = tied(noise + means)
    assert within[1:, 1:].all()
    assert not within[0, 1:].any()


def test_equal_trials_tie() -> None:
    assert tied(np.zeros((10, 2, 1))).all()


def test_a_chain_of_small_steps_is_not_one_group() -> None:
    within = np.abs(np.subtract.outer(np.arange(5), np.arange(5))) <= 1
    assert tie_groups(within, np.arange(5.0)).tolist() == [1, 1, 2, 2, 0]


@given(draws_of_trials)
@settings(deadline=None)
def test_every_two_of_a_group_tie(draws: Floats) -> None:
    within = tied(draws)
    groups = tie_groups(within, draws.mean(axis=0)[:, 0])
    assert (within == within.T).all()
    for number in set(groups.tolist()) - {0}:
        members = np.flatnonzero(groups == number)
        assert len(members) > 1
        assert within[np.ix_(members, members)].all()


# Search against test

TEST = np.array([[0.0, 3.0], [1.0, 1.0], [2.0, 2.0], [3.0, 0.0]])  # the third is dominated by the second


def test_the_optimistic_front_is_what_test_leaves_and_the_pessimistic_what_beats_none() -> None:
    assert optimistic(TEST).tolist() == [True, True, False, True]
    assert pessimistic(TEST).tolist() == [True, False, True, True]


def test_the_gap_is_none_where_test_confirms_the_search() -> None:
    front = TEST[[0, 1, 3]]
    gap = hypervolume_gap(front, front)
    assert gap.search == gap.optimistic == gap.pessimistic > 0


def test_the_gap_is_what_the_search_promised_too_much() -> None:
    gap = hypervolume_gap(TEST[[0, 1, 3]] - 0.5, TEST[[0, 1, 3]])
    assert gap.search > gap.optimistic


@given(draws_of_trials)
@settings(deadline=None)
def test_the_pessimistic_front_is_never_above_the_optimistic_one(draws: Floats) -> None:
    front = draws[0][pareto.nondominated(draws[0])]
    gap = hypervolume_gap(front, draws[-1][: len(front)])
    assert gap.pessimistic <= gap.optimistic + 1e-9

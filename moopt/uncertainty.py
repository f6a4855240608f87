"""How sure a front is: resampling and what follows from it; arrays in, arrays out.

Losses have shape (n, m): n trials, m objectives, less is better. Draws have shape (d, n, m): d times what the losses
might as well have been. All trials of a draw stand on the same resampled folds or rows, so that what is hard for
every trial is no difference between them. No input is changed. A trial with a loss that is not finite is on no front
and ties with none.
"""

from __future__ import annotations

from dataclasses import dataclass

import moocore
import numpy as np
from numpy.typing import NDArray

from moopt import pareto
from moopt.errors import UsageError
from moopt.objectives import Floats
from moopt.pareto import Mask

N_DRAWS = 500
CONFIDENCE = 0.9
"""Of every interval, unless another is asked for."""


# Draws


def bootstrap_rows(n_rows: int, n_draws: int = N_DRAWS, seed: int = 0) -> NDArray[np.int32]:
    """Row numbers (n_draws, n_rows) drawn with replacement, always the same for the same arguments.

    Score every trial on the same draws: then their differences are paired. Efron 1979, doi:10.1214/aos/1176344552.
    Raises UsageError for no rows, no draws or more rows than an int32 counts.
    """
    if not 1 <= n_rows < 2**31 or n_draws < 1:
        raise UsageError(f"bootstrap_rows was asked for {n_draws} draws of {n_rows} rows; give at least one of each")
    return _generator(seed).integers(n_rows, size=(n_draws, n_rows), dtype=np.int32)


def fold_draws(losses: Floats, n_draws: int = N_DRAWS, seed: int = 0, test_share: float | None = None) -> Floats:
    """Draws (n_draws, n, m) of mean losses from losses (n, k, m) of k folds that all trials share.

    Each draw weighs the folds anew, by the same random weights for all trials and objectives (a multiplier
    bootstrap), so the differences between two trials stay paired by fold. The spread is that of the corrected
    resampled t-test, :func:`corrected_interval`, for every mean and every difference of means: plain resampling
    of folds takes their models for independent, and has no tails for the few folds there are.

    A loss that is missing in a fold (NaN) makes its trial's draws of that objective NaN. Raises UsageError for fewer
    than two folds, and as :func:`corrected_interval` for ``test_share``.
    """
    losses = np.asarray(losses, dtype=np.float64)
    k = _n_folds(losses, axis=1)
    generator = _generator(seed)
    normal = generator.standard_normal((n_draws, k))
    shrunk = np.sqrt((k - 1) / generator.chisquare(k - 1, n_draws))
    weights = normal * (shrunk * _widening(k, test_share) / np.sqrt(k - 1))[:, None]
    means = losses.mean(axis=1)
    return np.asarray(means + np.einsum("dk,nkm->dnm", weights, losses - means[:, None]))


# Intervals


def corrected_interval(
    values: Floats, confidence: float = CONFIDENCE, test_share: float | None = None
) -> tuple[Floats, Floats]:
    """The interval (low, high) of the mean of values (k, ...) that k folds gave, shape (...) each.

    A t-interval of k - 1 degrees whose variance is the folds' times 1/k + n_test/n_train, since the folds' training
    rows overlap: Nadeau and Bengio 2003, doi:10.1023/A:1024068626366. ``test_share`` is the share of the rows that
    a fold holds out, 1/k where it is not given. Raises UsageError for fewer than two values, and for a confidence
    or a share that is not between 0 and 1.
    """
    from scipy.stats import t

    values = np.asarray(values, dtype=np.float64)
    k = _n_folds(values, axis=0)
    quantile = float(t.ppf(0.5 + _checked("confidence", confidence) / 2, k - 1))
    mean, half = values.mean(axis=0), quantile * _widening(k, test_share) * values.std(axis=0, ddof=1)
    return mean - half, mean + half


def draw_interval(draws: Floats, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """The central interval of draws (d, ...) along their first axis, low and high, shape (...) each; NaN stays NaN."""
    tail = (1 - _checked("confidence", confidence)) / 2
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    return low, high


def _widening(k: int, test_share: float | None) -> float:
    """Standard error of a mean of k folds, in standard deviations of one."""
    share = 1 / k if test_share is None else _checked("test_share", test_share)
    return float(np.sqrt(1 / k + share / (1 - share)))


# The front


def front_probability(draws: Floats) -> Floats:
    """The share (n,) of draws (d, n, m) in which a trial is not dominated by any other of them."""
    counts = np.zeros(draws.shape[1])
    for losses in draws:
        rows = np.flatnonzero(np.isfinite(losses).all(axis=1))
        if rows.size:
            counts[rows] += moocore.is_nondominated(losses[rows], keep_weakly=True)
    return counts / max(1, len(draws))


def tied(draws: Floats, confidence: float = CONFIDENCE) -> Mask:
    """Which two trials (n, n) of draws (d, n, m) differ within noise in every objective.

    In an objective they do where neither is the better one in more than (1 + confidence) / 2 of the draws, and they
    are apart by no more than the noise of a typical pair: an erratic trial does not tie with all others for being so.
    Every trial ties with itself; without objectives all do.
    """
    known = np.asarray(np.isfinite(draws).all(axis=(0, 2)))
    within = np.eye(draws.shape[1], dtype=bool)
    within[np.ix_(known, known)] = _tied(draws[:, known], _checked("confidence", confidence))
    return within


def _tied(draws: Floats, confidence: float) -> Mask:
    most = (1 + confidence) / 2 * len(draws)
    centre = np.median(draws, axis=0)
    noise = _typical_noise(draws - centre, confidence)
    by_trial = np.ascontiguousarray(draws.transpose(1, 2, 0))
    within = np.eye(len(by_trial), dtype=bool)
    for row in range(len(by_trial)):
        near = row + 1 + np.flatnonzero((np.abs(centre[row] - centre[row + 1 :]) <= noise).all(axis=1))
        others = by_trial[near]
        better = np.count_nonzero(by_trial[row] < others, axis=2)
        worse = np.count_nonzero(by_trial[row] > others, axis=2)
        within[row, near] = ((better <= most) & (worse <= most)).all(axis=1)
    return within | within.T


def _typical_noise(deviations: Floats, confidence: float) -> Floats:
    """Half the width (m,) of the interval of a difference between two trials, the median over pairs of neighbours."""
    n = deviations.shape[1]
    widths = [
        np.quantile(np.abs(deviations - np.roll(deviations, step, axis=1)), confidence, axis=0)
        for step in range(1, min(n, 6))
    ]
    return np.asarray(np.median(np.concatenate(widths), axis=0)) if widths else np.zeros(deviations.shape[2])


def tie_groups(within: Mask, losses: Floats) -> NDArray[np.int64]:
    """Groups (n,) counted from 1 in which every two trials tie; 0 for a trial in no group of two or more.

    Trials go by their losses (n,) in one objective; each joins the first group all of whose members it ties with. So
    no chain of small steps joins trials that differ. A trial may tie with some members of another group as well.
    """
    home, sizes = np.full(len(losses), -1), np.zeros(len(losses), dtype=np.int64)
    n_groups = 0
    for row in np.argsort(losses, kind="stable"):
        tied = np.bincount(home[within[row] & (home >= 0)], minlength=n_groups)
        whole = np.flatnonzero(tied == sizes[:n_groups])
        home[row] = whole[0] if len(whole) else n_groups
        n_groups += not len(whole)
        sizes[home[row]] += 1
    shared = sizes[home] > 1
    numbers = np.zeros(len(losses), dtype=np.int64)
    _, first, which = np.unique(home[shared], return_index=True, return_inverse=True)
    numbers[shared] = 1 + np.argsort(np.argsort(first))[which]
    return numbers


# Search against test


def optimistic(test: Floats) -> Mask:
    """Of a front with losses (n, m) on test data, the trials (n,) that are still not dominated.

    Feurer, Eggensperger, Bergman, Pfisterer, Bischl and Hutter 2023, arXiv:2212.04183.
    """
    return pareto.nondominated(test)


def pessimistic(test: Floats) -> Mask:
    """Of a front with losses (n, m) on test data, the trials (n,) that dominate no other: the worst that a user
    could take from it. Source as :func:`optimistic`.
    """
    as_good = np.all(test[:, None] <= test[None], axis=2)
    better = np.any(test[:, None] < test[None], axis=2)
    return np.asarray(~np.any(as_good & better, axis=1)) & pareto.finite_rows(test)


@dataclass(frozen=True, slots=True)
class Gap:
    """Hypervolumes of one front, scaled alike: by the ideal and the nadir of its losses in search and on test."""

    search: float
    """By what the search measured."""
    optimistic: float
    """On test, of the trials that are not dominated there."""
    pessimistic: float
    """On test, of the trials that dominate none there."""


def hypervolume_gap(search: Floats, test: Floats) -> Gap:
    """The gap between what a search measured (n, m) of its front and what a test did (n, m), in losses."""
    ideal, nadir = pareto.ideal_nadir(np.vstack([search, test]))
    return Gap(
        pareto.hypervolume(search, ideal, nadir),
        pareto.hypervolume(test[optimistic(test)], ideal, nadir),
        pareto.hypervolume(test[pessimistic(test)], ideal, nadir),
    )


def _generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))


def _n_folds(values: Floats, axis: int) -> int:
    k = values.shape[axis] if values.ndim > axis else 0
    if k < 2:
        raise UsageError(f"a spread over folds was asked of {k}; give at least two folds")
    return k


def _checked(name: str, value: float) -> float:
    if not 0 < value < 1:
        raise UsageError(f"{name} is {value}; give a number between 0 and 1")
    return value

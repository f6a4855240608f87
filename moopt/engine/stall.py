"""Whether the front still grows: its hypervolume against the noise that the steps show. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from moopt import pareto
from moopt.frames import value_matrix
from moopt.objectives import Floats, Objective, loss_matrix, violations
from moopt.trial import Source, State, Trial

WINDOW = 30
"""Trials over which a front is watched, where no other number is given."""
LEAST_GAIN = 1e-3
"""Share of the hypervolume below which a gain is none, also where the steps show no noise."""


def gain_and_noise(objectives: Sequence[Objective], trials: Sequence[Trial], window: int) -> tuple[float, float] | None:
    """By how much the last ``window`` finished trials let the front's hypervolume grow, and the noise of that.

    Both in shares of the hypervolume, which is that of the complete trials within the limits, scaled by ideal and
    nadir of the present front. The noise is the jackknife's standard error over the steps (Efron and Stein 1981,
    doi:10.1214/aos/1176345462): steps that are hard for every config do not count as noise. It is at least
    ``LEAST_GAIN``. None before twice ``window`` trials are finished, and while none of the earlier ones is complete
    and within the limits. ``trials`` come with their steps; siblings count with the trial that paid for them.
    """
    ended = sorted((trial for trial in trials if trial.state.finished), key=_when)
    fits = [trial.number for trial in ended if trial.source is not Source.SIBLING]
    if len(fits) < 2 * window:
        return None
    fit = _usable(objectives, ended)
    late = set(fits[-window:])
    is_late = np.array([(trial.number if trial.fit is None else trial.fit) in late for trial in fit], dtype=bool)
    if is_late.all():
        return None
    losses = loss_matrix(objectives, value_matrix(objectives, fit))
    ideal, nadir = _scale(losses)
    matter = pareto.nondominated(losses)
    matter[~is_late] |= pareto.nondominated(losses[~is_late])
    losses, is_late = losses[matter], is_late[matter]
    total = pareto.hypervolume(losses, ideal, nadir)
    gain = _gain(losses, is_late, ideal, nadir)
    if gain <= LEAST_GAIN * total:
        return gain / total, LEAST_GAIN
    kept = [trial for trial, mattering in zip(fit, matter, strict=True) if mattering]
    without = [
        _gain(loss_matrix(objectives, values), is_late, ideal, nadir) for values in _without_a_step(objectives, kept)
    ]
    return gain / total, max(LEAST_GAIN, _jackknife(without) / total)


def _when(trial: Trial) -> tuple[float, int]:
    return (0.0 if trial.finished_at is None else trial.finished_at), trial.number


def _usable(objectives: Sequence[Objective], trials: Sequence[Trial]) -> list[Trial]:
    complete = [trial for trial in trials if trial.state is State.COMPLETE]
    missed = violations(objectives, value_matrix(objectives, complete))
    return [trial for trial, miss in zip(complete, missed, strict=True) if miss == 0]


def _scale(losses: Floats) -> tuple[Floats, Floats]:
    """Ideal and nadir of the front; where it is flat, as with one objective, the worst of all gives the unit."""
    ideal, nadir = pareto.ideal_nadir(losses[pareto.nondominated(losses)])
    return ideal, np.where(nadir > ideal, nadir, losses.max(axis=0))


def _gain(losses: Floats, is_late: pareto.Mask, ideal: Floats, nadir: Floats) -> float:
    return pareto.hypervolume(losses, ideal, nadir) - pareto.hypervolume(losses[~is_late], ideal, nadir)


def _without_a_step(objectives: Sequence[Objective], trials: Sequence[Trial]) -> list[Floats]:
    """For each step the trials' values (n, m) as means over the others; a trial's own values where none is left."""
    n_steps = max(trial.n_steps for trial in trials)
    by_step = np.full((n_steps, len(trials), len(objectives)), np.nan)
    for row, trial in enumerate(trials):
        for step, result in trial.steps.items():
            by_step[step, row] = [result.values.get(one.name, np.nan) for one in objectives]
    measured = np.isfinite(by_step)
    known = np.where(measured, by_step, 0.0)
    n_left = measured.sum(axis=0) - measured
    means = (known.sum(axis=0) - known) / np.maximum(n_left, 1)
    return list(np.where(n_left > 0, means, value_matrix(objectives, trials)))


def _jackknife(without: Sequence[float]) -> float:
    n = len(without)
    return math.sqrt((n - 1) / n * np.square(np.subtract(without, np.mean(without))).sum())

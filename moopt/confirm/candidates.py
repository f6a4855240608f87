"""Which trials are confirmed, and why: the front, its near misses, and each family's default.

A near miss is a complete trial off the front that the noise of its folds may have put there: in at least a tenth of
the draws over folds (:func:`moopt.uncertainty.fold_draws`) it is on the front. The ten most probable ones count, so
that a crowd of equal configs costs no more than the front itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from moopt import uncertainty
from moopt.choose.front import join_numbers
from moopt.errors import ConfirmError, UsageError
from moopt.frames import front_trials, value_matrix
from moopt.objectives import Floats, Objective, loss_matrix
from moopt.trial import Source, State, Trial

LEAST_PROBABILITY = 0.1
MOST_NEAR_MISSES = 10


class Role(StrEnum):
    """Why a trial is confirmed."""

    FRONT = "front"
    NEAR_MISS = "near miss"
    DEFAULT = "default"
    ASKED_FOR = "asked for"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A complete trial to confirm."""

    trial: Trial
    role: Role


def candidates(objectives: Sequence[Objective], trials: Sequence[Trial], seed: int = 0) -> list[Candidate]:
    """The front, nearest to its ideal point first, then near misses, most probable first, then the defaults.

    Trials are given with their steps. Raises ConfirmError where none is complete.
    """
    complete = [trial for trial in trials if trial.state is State.COMPLETE]
    if not complete:
        raise ConfirmError("no trial is complete, so there is nothing to confirm; search first")
    front = _nearest_first(objectives, front_trials(objectives, complete))
    chosen = [Candidate(trial, Role.FRONT) for trial in front]
    chosen += [Candidate(trial, Role.NEAR_MISS) for trial in _near_misses(objectives, complete, front, seed)]
    known = {one.trial.number for one in chosen}
    defaults = [trial for trial in complete if trial.source is Source.DEFAULT and trial.number not in known]
    return chosen + [Candidate(trial, Role.DEFAULT) for trial in defaults]


def asked_for(objectives: Sequence[Objective], trials: Sequence[Trial], numbers: Sequence[int]) -> list[Candidate]:
    """The trials of these numbers, each once. Raises UsageError for one that does not exist or is not complete."""
    by_number = {trial.number: trial for trial in trials}
    front = {trial.number for trial in front_trials(objectives, trials)}
    for number in numbers:
        if number not in by_number or by_number[number].state is not State.COMPLETE:
            wrong = f"is {by_number[number].state.value}, not complete" if number in by_number else "does not exist"
            raise UsageError(f"trial {number} {wrong}; on the front are: {join_numbers(sorted(front))}")
    return [
        Candidate(by_number[number], Role.FRONT if number in front else Role.ASKED_FOR)
        for number in dict.fromkeys(numbers)
    ]


def _nearest_first(objectives: Sequence[Objective], front: Sequence[Trial]) -> list[Trial]:
    losses = loss_matrix(objectives, value_matrix(objectives, front))
    span = np.ptp(losses, axis=0)
    scaled = (losses - losses.min(axis=0)) / np.where(span > 0, span, 1.0)
    return [front[row] for row in np.argsort(scaled.sum(axis=1), kind="stable")]


def _near_misses(
    objectives: Sequence[Objective], complete: Sequence[Trial], front: Sequence[Trial], seed: int
) -> list[Trial]:
    n_steps = max(trial.n_steps for trial in complete)
    if n_steps < 2:  # one step tells nothing of its noise
        return []
    whole = [trial for trial in complete if len(trial.steps) == n_steps]
    draws = uncertainty.fold_draws(_fold_losses(objectives, whole, n_steps), seed=seed)
    probability = uncertainty.front_probability(draws)
    on_front = {trial.number for trial in front}
    likely = [
        row
        for row in np.argsort(-probability, kind="stable")
        if probability[row] >= LEAST_PROBABILITY and whole[row].number not in on_front
    ]
    return [whole[row] for row in likely[:MOST_NEAR_MISSES]]


def _fold_losses(objectives: Sequence[Objective], trials: Sequence[Trial], n_steps: int) -> Floats:
    """Losses (n, k, m) of trials in each of their steps; NaN where a step did not measure an objective."""
    values = [
        [trial.steps[step].values.get(objective.name, np.nan) for objective in objectives]
        for trial in trials
        for step in range(n_steps)
    ]
    flat = np.array(values, dtype=np.float64).reshape(-1, len(objectives))
    return loss_matrix(objectives, flat).reshape(len(trials), n_steps, len(objectives))

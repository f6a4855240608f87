"""Scores on training rows beside those on validation rows: which trials over- or underfit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moopt.objectives import Floats, Objective
from moopt.trial import Trial
from moopt.uncertainty import CONFIDENCE, corrected_interval

OVER, UNDER, FINE = "overfits", "underfits", ""
MEMORISED = 0.5
"""A trial overfits where its error on the training rows is below this share of that on the validation rows."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One trial in one objective; both scores are means over the steps that have both."""

    number: int
    train: float
    validation: float
    reading: str
    """``overfits``, ``underfits`` or empty."""

    @property
    def size(self) -> float:
        """Validation less train, in the objective's unit."""
        return self.validation - self.train


def measured(objectives: Sequence[Objective], trials: Sequence[Trial]) -> list[Objective]:
    """The objectives that some trial has on training rows too."""
    names = {name for trial in trials for step in trial.steps.values() for name in step.train}
    return [one for one in objectives if one.name in names]


def gaps(objective: Objective, trials: Sequence[Trial]) -> list[Gap]:
    """The trials that have both scores, the largest gap first.

    Overfits: its error on the training rows is less than half of that on the validation rows, and by more than their
    difference varies from step to step. Underfits: on its own training rows it is worse than the best of these trials
    is on validation rows.
    """
    pairs = {trial.number: found for trial in trials if len(found := _pairs(objective, trial))}
    if not pairs:
        return []
    sign = -1.0 if objective.direction == "maximize" else 1.0
    means = {number: pair.mean(axis=0) for number, pair in pairs.items()}
    best = min(sign * mean[1] for mean in means.values())
    ideal = _ideal(objective, np.concatenate(list(pairs.values())))
    read: list[Gap] = []
    for number, (train, validation) in means.items():
        reading = FINE
        if _memorised(pairs[number], ideal):
            reading = OVER
        elif sign * train > best:
            reading = UNDER
        read.append(Gap(number, float(train), float(validation), reading))
    return sorted(read, key=lambda one: sign * (one.train - one.validation))


def _pairs(objective: Objective, trial: Trial) -> Floats:
    """Scores (k, 2) on training and on validation rows, of the steps that have both."""
    name = objective.name
    rows = [(s.train[name], s.values[name]) for s in trial.steps.values() if name in s.train and name in s.values]
    pair = np.array(rows, dtype=np.float64).reshape(-1, 2)
    return pair[np.isfinite(pair).all(axis=1)]


def _ideal(objective: Objective, scores: Floats) -> float:
    """The value without any error: 1 for a score; 0 for an error, and for one that was turned around."""
    return 1.0 if objective.direction == "maximize" and (scores > 0).any() else 0.0


def _memorised(pair: Floats, ideal: float) -> bool:
    train, validation = np.abs(pair - ideal).T
    if train.mean() >= MEMORISED * validation.mean():
        return False
    return len(pair) < 2 or bool(corrected_interval(validation - train, CONFIDENCE)[0] > 0)

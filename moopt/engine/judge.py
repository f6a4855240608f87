"""Which running trial need not go on, from the complete ones of its study."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from moopt import stopping
from moopt.objectives import Floats, Objective, loss, loss_matrix, value_of
from moopt.trial import STOPPED, Source, StepResult, Trial


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why a trial does not go on."""

    after: int
    """Steps done when that was known."""
    by: int | None = None
    """Number of the trial that beat it."""
    limit: Objective | None = None
    """Whose limit it misses."""


class Judge:
    """The losses of the complete trials by step, in the order in which they were told."""

    def __init__(self, objectives: Sequence[Objective], n_steps: int) -> None:
        self._objectives = objectives
        self._n_steps = n_steps
        self._exact = np.array([objective.is_exact for objective in objectives])
        limits = [np.inf if one.limit is None else loss(one, one.limit) for one in objectives]
        self._limits: Floats = np.array(limits)
        self._numbers: list[int] = []
        self._losses: Floats = np.empty((16, n_steps, len(objectives)))

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, trial: Trial) -> None:
        """Take in a complete trial; one that did not measure every objective in every step compares with none."""
        losses = self._by_step(trial.steps)
        if not np.isfinite(losses).all():
            return
        n = len(self._numbers)
        if n == len(self._losses):
            self._losses = np.concatenate([self._losses, np.empty_like(self._losses)])
        self._losses[n] = losses
        self._numbers.append(trial.number)

    def verdict(self, trial: Trial, forgiving: float, n_known: int | None = None) -> Stopped | None:
        """Why a trial does not go on after its steps so far, judged by the first ``n_known`` trials, or all.

        Default configs always go on, since others are compared with them; so does a trial that was resumed, and one
        with a sibling that may still be worth its steps.
        """
        if trial.source is Source.DEFAULT or STOPPED in trial.attributes:
            return None
        known = self._known(n_known)
        found = self._verdict(trial.steps, known, forgiving)
        if found is None or any(self._verdict(one, known, forgiving) is None for one in _siblings(trial)):
            return None
        if found.limit is not None:
            return Stopped(len(trial.steps), limit=self._objectives[found.limit])
        return Stopped(len(trial.steps), by=None if found.by is None else self._numbers[found.by])

    def expected(self, trial: Trial, n_known: int | None = None) -> dict[str, float]:
        """The values to expect of a trial over all its steps."""
        mean = stopping.outlook(self._by_step(trial.steps), self._known(n_known), self._exact).mean
        return {one.name: value_of(one, float(lost)) for one, lost in zip(self._objectives, mean, strict=True)}

    def _verdict(self, steps: Mapping[int, StepResult], known: Floats, forgiving: float) -> stopping.Verdict | None:
        return stopping.verdict(self._by_step(steps), known, self._exact, self._limits, forgiving)

    def _known(self, n: int | None) -> Floats:
        return self._losses[: len(self) if n is None else n]

    def _by_step(self, steps: Mapping[int, StepResult]) -> Floats:
        """Losses (K, m), NaN where not measured."""
        values = np.full((self._n_steps, len(self._objectives)), np.nan)
        for step, result in steps.items():
            values[step] = [result.values.get(one.name, np.nan) for one in self._objectives]
        return loss_matrix(self._objectives, values)


def _siblings(trial: Trial) -> list[dict[int, StepResult]]:
    """The steps of each sibling that has not failed in one of them."""
    found: dict[frozenset[object], dict[int, StepResult]] = defaultdict(dict)
    for step, result in trial.steps.items():
        for one in result.siblings:
            found[frozenset(one.changes.items())][step] = one
    return [steps for steps in found.values() if not any(one.failure for one in steps.values())]

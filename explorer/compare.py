"""Trials side by side: their values with intervals, and which differences are within noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from moopt.frames import value_matrix
from moopt.objectives import Floats, Objective, format_value, loss_matrix, values_of
from moopt.trial import Trial
from moopt.uncertainty import CONFIDENCE, corrected_interval
from moopt_explorer.evidence import Told

_MARGIN = 0.04
"""Of a line's length."""
SEARCHED, CONFIRMED = "by the search", "confirmed"
"""What a row of a comparison's frame tells."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Trials (n) with their values in each objective (m)."""

    objectives: tuple[Objective, ...]
    trials: tuple[Trial, ...]
    values: Floats
    """Shape (n, m)."""
    low: Floats
    """Shape (n, m): where the interval of the mean over the folds begins; NaN where there are fewer than two folds."""
    high: Floats
    """Shape (n, m)."""
    told: tuple[Mapping[str, Told], ...] = ()
    """What is known of each trial beyond that, by objective; empty where nobody asked."""

    @property
    def has_noise(self) -> bool:
        """Whether any interval is known: trials of one step have none."""
        return bool(np.isfinite(self.low).any())

    def within_noise(self, objective: int) -> list[tuple[int, int]]:
        """Pairs of trials, by number, whose difference in an objective is no larger than its noise."""
        by_fold = _by_fold(self.objectives, self.trials)[:, :, objective]
        pairs = []
        for one, other in combinations(range(len(self.trials)), 2):
            differences = by_fold[one] - by_fold[other]
            differences = differences[np.isfinite(differences)]
            if len(differences) < 2:
                continue
            low, high = corrected_interval(differences, CONFIDENCE)
            if low <= 0 <= high:
                pairs.append((self.trials[one].number, self.trials[other].number))
        return pairs

    @property
    def has_confirmed(self) -> bool:
        """Whether any of the trials is confirmed."""
        return any(np.isfinite(one.confirmed) for told in self.told for one in told.values())

    @property
    def n_pairs(self) -> int:
        """Of how many pairs of trials the differences are judged."""
        return len(self.trials) * (len(self.trials) - 1) // 2

    def frame(self) -> pd.DataFrame:
        """A row a trial and objective, and one more where it is confirmed: ``objective`` (its place), ``trial``,
        ``kind``, ``row`` (the two of them), ``value``, ``low``, ``high``, ``text``.
        """
        rows = []
        for row, trial in enumerate(self.trials):
            known = self.told[row] if self.told else {}
            for column, one in enumerate(self.objectives):
                at = (column, f"#{trial.number}")
                rows.append(
                    (*at, SEARCHED, self.values[row, column], *self._reach(row, column), self._text(row, column))
                )
                if one.name in known and (text := known[one.name].confirmed_text(one)):
                    rows.append((*at, CONFIRMED, known[one.name].confirmed, *known[one.name].reach(), text))
        frame = pd.DataFrame(rows, columns=["objective", "trial", "kind", "value", "low", "high", "text"])
        return frame.assign(row=frame["trial"] + " " + frame["kind"])

    def window(self) -> pd.DataFrame:
        """The two ``ends`` of each ``objective``'s line, a little beyond its outermost mark, so that none is cut."""
        frame, rows = self.frame(), []
        for column, one in enumerate(self.objectives):
            drawn = frame.loc[frame["objective"] == column, ["value", "low", "high"]].to_numpy(np.float64)
            places = loss_matrix([one], drawn.reshape(-1, 1))
            places = places[np.isfinite(places)]
            if places.size:
                low, high = places.min(), places.max()
                margin = _MARGIN * (high - low or max(abs(high), 1.0))
                rows += [(column, end) for end in values_of(one, np.array([low - margin, high + margin]))]
        return pd.DataFrame(rows, columns=["objective", "ends"])

    def _reach(self, row: int, column: int) -> tuple[float, float]:
        value = self.values[row, column]
        low, high = self.low[row, column], self.high[row, column]
        return (low, high) if np.isfinite(low) else (value, value)

    def _text(self, row: int, column: int) -> str:
        one = self.objectives[column]
        value = format_value(one, float(self.values[row, column]))
        if not np.isfinite(self.low[row, column]):
            return value
        low, high = (format_value(one, float(side[row, column])) for side in (self.low, self.high))
        return f"{value}, {100 * CONFIDENCE:.0f} % interval {low} to {high}"


def compare(
    objectives: Sequence[Objective], trials: Sequence[Trial], told: Sequence[Mapping[str, Told]] = ()
) -> Comparison:
    """Complete trials with their steps, side by side, with what is known beyond that of each."""
    by_fold = _by_fold(objectives, trials)
    low = np.full((len(trials), len(objectives)), np.nan)
    high = low.copy()
    for row in range(len(trials)):
        for column, one in enumerate(objectives):
            folds = by_fold[row, :, column]
            folds = folds[np.isfinite(folds)]
            if len(folds) > 1:
                ends = values_of(one, np.array(corrected_interval(folds, CONFIDENCE)))
                low[row, column], high[row, column] = ends.min(), ends.max()
    return Comparison(tuple(objectives), tuple(trials), value_matrix(objectives, trials), low, high, tuple(told))


def _by_fold(objectives: Sequence[Objective], trials: Sequence[Trial]) -> Floats:
    """Losses (n, k, m) of each trial in each step; NaN where a step is missing."""
    n_steps = max((max(one.steps, default=-1) + 1 for one in trials), default=0)
    values = np.full((len(trials), n_steps, len(objectives)), np.nan)
    for row, trial in enumerate(trials):
        for step, result in trial.steps.items():
            values[row, step] = [result.values.get(one.name, np.nan) for one in objectives]
    return np.stack([loss_matrix(objectives, of_trial) for of_trial in values]) if len(trials) else values

"""What the search measured of a trial beside what was confirmed, by objective; as values and as a frame."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moopt import confirmed
from moopt.confirmed import Measured, Scored
from moopt.frames import front_trials
from moopt.objectives import Objective
from moopt.trial import Confirmation, Trial

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Value:
    """One objective of a trial, in its own unit; NaN where it is not known."""

    search: float
    """The mean over the steps of the search."""
    confirmed: float = math.nan
    low: float = math.nan
    """Of the interval: of a score over test rows, of a latency over rounds."""
    high: float = math.nan


@dataclass(frozen=True, slots=True)
class Row:
    """A confirmed trial."""

    trial: Trial
    on_front: bool
    values: Mapping[str, Value]
    """Objective -> its values."""
    look: int
    """How often the test split was scored, when it was; 0 where it was not."""
    machine: str
    """Where it was timed last, as :func:`moopt.confirmed.machine_name` calls it."""
    flagged: bool
    """Whether that machine was busy."""
    percentiles: Mapping[str, Mapping[str, float]]
    """Latency -> those that its calls allow, such as ``p90``, in ms."""
    failure: str = ""
    """Why it could not be confirmed last."""

    @property
    def number(self) -> int:
        """The trial's."""
        return self.trial.number


def rows(objectives: Sequence[Objective], trials: Sequence[Trial], confirmations: Sequence[Confirmation]) -> list[Row]:
    """The confirmed trials by number, with their latest scores and what they cost on the machine that timed last."""
    scored = confirmed.scored(confirmations)
    last = {one.number: one for one in confirmations}
    on_front = {trial.number for trial in front_trials(objectives, trials)}
    by_number = {trial.number: trial for trial in trials}
    found = []
    for number, confirmation in sorted(last.items()):
        machine = confirmed.machine_name(confirmation.machine)
        cost = confirmed.measured([confirmation])[machine][number]
        trial, scores = by_number[number], scored.get(number)
        found.append(
            Row(
                trial,
                number in on_front,
                {one.name: _value(one, trial, scores, cost) for one in objectives},
                scores.look if scores else 0,
                machine,
                any(timing.flagged for timing in cost.latency.values()),
                {name: timing.percentiles for name, timing in cost.latency.items()},
                str(confirmation.measures.get("failure", "")),
            )
        )
    return found


def confirmed_frame(
    objectives: Sequence[Objective], trials: Sequence[Trial], confirmations: Sequence[Confirmation]
) -> pd.DataFrame:
    """One row a confirmed trial, by number.

    Columns: ``number, front`` (whether it is on the search's front), of each objective ``<name>`` (of the search),
    ``confirmed_<name>``, ``low_<name>`` and ``high_<name>``, then ``look, machine, flagged, failure``, see
    :class:`Row`. Values that are not known are missing.
    """
    import pandas as pd

    found = rows(objectives, trials, confirmations)
    columns: dict[str, Any] = {
        "number": [row.number for row in found],
        "front": [row.on_front for row in found],
    }
    for objective in objectives:
        values = [row.values[objective.name] for row in found]
        columns |= {
            objective.name: [one.search for one in values],
            f"confirmed_{objective.name}": [one.confirmed for one in values],
            f"low_{objective.name}": [one.low for one in values],
            f"high_{objective.name}": [one.high for one in values],
        }
    columns |= {name: [getattr(row, name) for row in found] for name in ("look", "machine", "flagged", "failure")}
    return pd.DataFrame(columns)


def _value(objective: Objective, trial: Trial, scores: Scored | None, cost: Measured) -> Value:
    name = objective.name
    search = trial.values.get(name, math.nan)
    if scores and name in scores.scores:
        score = scores.scores[name]
        return Value(search, score.value, _known(score.low), _known(score.high))
    if name in cost.latency:
        timing = cost.latency[name]
        return Value(search, timing.median_ms, timing.low_ms, timing.high_ms)
    if name == "size_kb":
        return Value(search, _known(cost.size_kb))
    return Value(search)


def _known(value: float | None) -> float:
    return math.nan if value is None else value

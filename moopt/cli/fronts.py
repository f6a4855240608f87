"""A front for people and for programs: values, how sure they are, and where the default configs stand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from moopt.certainty import Certainty, stored_certainty
from moopt.choose.swaps import join
from moopt.cli.output import config_text, results
from moopt.frames import front_trials
from moopt.objectives import Objective, format_value, violation
from moopt.standing import Standing, default_standings
from moopt.store.base import Store, StudyRecord
from moopt.trial import Json, Trial
from moopt.uncertainty import CONFIDENCE

_ROOM_FOR_INTERVALS = 140
"""Characters a line from which intervals are shown."""


def front_json(store: Store, record: StudyRecord, trials: Sequence[Trial]) -> dict[str, Json]:
    """A study with its front, for programs; trials were read without their steps."""
    known = stored_certainty(store, record.name, record.objectives, trials)
    front = front_trials(record.objectives, trials)
    groups = known.groups([trial.number for trial in front]) if known else [0] * len(front)
    return {
        "study": record.name,
        "objectives": [{**one.as_json(), "unit": one.unit} for one in record.objectives],
        "front": [
            {**trial_json(record, trial, known), "tie": int(group) or None}
            for trial, group in zip(front, groups, strict=True)
        ],
        "defaults": [
            {**trial_json(record, one.trial, known), "on_front": one.on_front, "dominated_by": list(one.beaten_by)}
            for one in default_standings(record.objectives, trials)
        ],
        "on_test": None if known is None or known.on_test is None else asdict(known.on_test),
    }


def trial_json(record: StudyRecord, trial: Trial, known: Certainty | None = None) -> dict[str, Json]:
    """A complete trial, for programs."""
    return {
        "number": trial.number,
        "values": dict(trial.values),
        "meets_limits": violation(record.objectives, trial.values) == 0,
        "config": dict(trial.config),
        **_certainty_json(trial.number, known),
    }


def _certainty_json(number: int, known: Certainty | None) -> dict[str, Json]:
    row = None if known is None else known.row(number)
    if known is None or row is None:
        return {"front_probability": None, "basis": None, "intervals": {}}
    intervals = {
        one.name: {"value": value, "low": low, "high": high, "confidence": CONFIDENCE}
        for one, value, low, high in zip(
            known.objectives, *(ends[row].tolist() for ends in (known.values, known.low, known.high)), strict=True
        )
        if math.isfinite(low)
    }
    return {
        "front_probability": known.probability_of(number),
        "basis": known.basis(row),
        "intervals": intervals,
    }


def print_front(store: Store, record: StudyRecord, trials: Sequence[Trial]) -> None:
    """The front as a table, then the default configs that are not on it; trials were read without their steps."""
    known = stored_certainty(store, record.name, record.objectives, trials)
    front = front_trials(record.objectives, trials)
    title = f"The front of {record.name}: {len(front)} trials"
    print_trials(record, front, known, title, default_standings(record.objectives, trials))


def print_trials(
    record: StudyRecord,
    trials: Sequence[Trial],
    known: Certainty | None,
    title: str,
    standings: Sequence[Standing] = (),
) -> None:
    """Complete trials as a table: number, objectives, how sure, limits, config; then the defaults not among them.

    Intervals are shown where there is room.
    """
    console = results()
    numbers = [trial.number for trial in trials]
    rows = _Rows(record.objectives, numbers, known, standings, with_intervals=console.width >= _ROOM_FOR_INTERVALS)
    shown = Table(title=title, box=None, padding=(0, 2, 0, 0), caption=rows.caption())
    shown.title_justify = shown.caption_justify = "left"
    shown.title_style, shown.caption_style = "bold", "dim"
    for name, justify in rows.header():
        shown.add_column(name, justify=justify, no_wrap=name not in ("default", "config"))
    groups = known.groups(numbers) if known else [0] * len(trials)
    for trial, group in zip(trials, groups, strict=True):
        shown.add_row(*rows.cells(trial, int(group)))
    for one in standings:
        if not one.on_front:
            shown.add_row(*rows.cells(one.trial, 0), style="dim")
    console.print(shown)


class _Rows:
    """The columns of a front's table, and what a trial has to say in each."""

    def __init__(
        self,
        objectives: Sequence[Objective],
        numbers: Sequence[int],
        known: Certainty | None,
        standings: Sequence[Standing],
        *,
        with_intervals: bool,
    ) -> None:
        self.objectives, self.known, self.numbers = objectives, known, numbers
        self.standings = {one.trial.number: one for one in standings}
        self.limited = any(one.limit is not None for one in objectives)
        self.intervals = [one for one in objectives if known and one.name in known.noisy] if with_intervals else []

    def header(self) -> list[tuple[str, Any]]:
        """Names of the columns, and how they are justified."""
        numbers = ["trial", *(one.name for one in self.objectives)]
        if self.known is not None:
            numbers += ["on front", *(f"{one.name} {100 * CONFIDENCE:.0f} %" for one in self.intervals), "tie"]
        texts = ["limits"] * self.limited + ["default"] * bool(self.standings) + ["config"]
        return [(name, "right") for name in numbers] + [(name, "left") for name in texts]

    def cells(self, trial: Trial, group: int) -> list[str]:
        """One row."""
        cells = [str(trial.number), *(format_value(one, trial.values[one.name]) for one in self.objectives)]
        if self.known is not None:
            row = self.known.row(trial.number)
            cells.append("" if row is None else probability_text(self.known, row))
            cells += ["" if row is None else _interval(self.known, row, one) for one in self.intervals]
            cells.append(str(group) if group else "")
        if self.limited:
            cells.append("missed" if violation(self.objectives, trial.values) > 0 else "met")
        if self.standings:
            cells.append(self.standings[trial.number].text if trial.number in self.standings else "")
        return [*cells, config_text(trial.config)]

    def caption(self) -> str:
        """What the columns mean."""
        known = self.known
        if known is None:
            return ""
        confirmed = known.confirmed[[row for row in map(known.row, self.numbers) if row is not None]]
        parts = []
        if not confirmed.all():
            parts.append(f"~ an estimate from {known.n_folds} folds")
        if confirmed.any():
            parts.append("without ~ confirmed on test rows")
        if known.noisy:
            parts.append(f"trials of the same tie differ within noise in {join(known.noisy)}")
        said = "; ".join(parts)
        return f"{said}. {known.on_test.text}." if known.on_test is not None else f"{said}."


def probability_text(known: Certainty, row: int) -> str:
    """``~83 %`` where it is an estimate, ``97 %`` where it is confirmed."""
    if math.isnan(known.probability[row]):
        return "–"
    return f"{'' if known.sure_of_place(row) else '~'}{100 * known.probability[row]:.0f} %"


def _interval(known: Certainty, row: int, objective: Objective) -> str:
    at = known.objectives.index(objective)
    low, high = known.low[row, at], known.high[row, at]
    if not math.isfinite(low):
        return "–"
    tilde = "" if known.confirmed[row] else "~"
    return f"{tilde}{low:.3g} to {high:.3g}"

"""What the commands print: tables for people, JSON for programs, messages on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from moopt.frames import front_trials
from moopt.objectives import Objective, format_value, violation
from moopt.store.base import StudyRecord
from moopt.trial import Config, Json, Trial

_PIPED_WIDTH = 160


def messages() -> Console:
    """Standard error, as it is at this moment."""
    return Console(stderr=True)


def results() -> Console:
    """Standard output; wide where it is no terminal, so that a table keeps its lines."""
    return Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH)


def say(text: str) -> None:
    """A message for people."""
    typer.echo(text, err=True)


def print_json(value: Json) -> None:
    """Pure JSON on standard output."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def front_table(objectives: Sequence[Objective], front: Sequence[Trial], title: str) -> Table:
    """A row a trial: its number, the objectives with their units, and its config."""
    shown = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    shown.add_column("trial", justify="right")
    for objective in objectives:
        shown.add_column(objective.name, justify="right", no_wrap=True)
    if any(one.limit is not None for one in objectives):
        shown.add_column("limits")
    shown.add_column("config")
    for trial in front:
        shown.add_row(*_cells(objectives, trial))
    return shown


def _cells(objectives: Sequence[Objective], trial: Trial) -> list[str]:
    cells = [str(trial.number), *(format_value(one, trial.values[one.name]) for one in objectives)]
    if any(one.limit is not None for one in objectives):
        cells.append("missed" if violation(objectives, trial.values) > 0 else "met")
    return [*cells, config_text(trial.config)]


def config_text(config: Config) -> str:
    """A config in a line: the family first, then its hyperparameters without the family's name before each."""
    family = config.get("family")
    rest = {name.removeprefix(f"{family}:"): value for name, value in config.items() if name != "family"}
    pairs = ", ".join(f"{name}={_number(value)}" for name, value in rest.items())
    return f"{family}: {pairs}" if family is not None else pairs


def _number(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def study_json(record: StudyRecord, trials: Sequence[Trial]) -> dict[str, Json]:
    """A study with its front, for programs."""
    return {
        "study": record.name,
        "objectives": [{**one.as_json(), "unit": one.unit} for one in record.objectives],
        "front": [trial_json(record, trial) for trial in front_trials(record.objectives, trials)],
    }


def trial_json(record: StudyRecord, trial: Trial) -> dict[str, Json]:
    """A complete trial, for programs."""
    return {
        "number": trial.number,
        "values": dict(trial.values),
        "meets_limits": violation(record.objectives, trial.values) == 0,
        "config": dict(trial.config),
    }

"""``moopt confirm``: what the search found, measured as it would ship."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from moopt.beside import Row, Value, rows
from moopt.cli.output import config_text, print_json, results, say
from moopt.cli.results import AsJson, StoreFile, StudyName
from moopt.confirm import Options, Report, subject_of
from moopt.confirm import confirm as confirm_study
from moopt.errors import UsageError
from moopt.objectives import Objective, format_value
from moopt.store import Store, open_store
from moopt.store.base import StudyRecord
from moopt.trial import Json


def confirm(
    store: StoreFile,
    study: StudyName = None,
    trials: Annotated[
        str | None,
        typer.Option(metavar="N,N", help="Trials to confirm. Default: the front, near misses and the defaults."),
    ] = None,
    rounds: Annotated[int, typer.Option(help="Rounds of timing.")] = Options.rounds,
    repeats: Annotated[
        float, typer.Option(help="Share of the search's folds for repeats with other splits.")
    ] = Options.repeats,
    confidence: Annotated[float, typer.Option(help="Of the intervals.")] = Options.confidence,
    score_again: Annotated[
        bool, typer.Option("--score-again", help="Score on the test split though it was looked at before.")
    ] = False,
    workers: Annotated[int | None, typer.Option(help="Processes that fit. Default: one a core.")] = None,
    data: Annotated[Path | None, typer.Option(help="The data file, where it is not where it was.")] = None,
    json: AsJson = False,
) -> None:
    """Refit the front on all search data, score it on the test split, time it on this machine, keep the models.

    moopt confirm churn.db
    moopt confirm churn.db --trials 12,40 --rounds 9 --json

    Let nothing else run on the machine meanwhile. The test split is scored once a study.
    """
    opened = open_store(store, read_only=True, create=False)
    record = opened.study(study)
    options = Options(rounds, repeats, confidence, score_again, workers or -1)
    numbers = None if trials is None else _numbers(trials)
    show_confirmed(opened, record, options, numbers=numbers, data=data, json=json)


def show_confirmed(
    opened: Store,
    record: StudyRecord,
    options: Options,
    *,
    numbers: list[int] | None = None,
    data: Path | None = None,
    json: bool = False,
) -> None:
    """Confirm a study and print what was found."""
    report = confirm_study(opened, record, subject_of(record, data), options, trials=numbers, watch=say)
    chosen = {one.trial.number for one in report.candidates}
    trials = opened.trials(record.name, with_steps=False)
    found = [row for row in rows(record.objectives, trials, opened.confirmations(record.name)) if row.number in chosen]
    for note in report.notes:
        say(f"note: {note}")
    if json:
        print_json(_as_json(record, report, found))
    else:
        results().print(_table(record.objectives, report, found, record.name))


def _numbers(text: str) -> list[int]:
    try:
        return [int(one) for one in text.split(",")]
    except ValueError:
        raise UsageError(f"--trials is {text!r}; give numbers with commas between, such as 12,40") from None


def _table(objectives: tuple[Objective, ...], report: Report, found: list[Row], name: str) -> Table:
    looked = f", look {report.look} at the test split" if report.look else ""
    shown = Table(
        title=f"{name} confirmed on {found[0].machine}{looked}",
        title_justify="left",
        title_style="bold",
        box=None,
        padding=(0, 2, 0, 0),
    )
    shown.add_column("trial", justify="right")
    shown.add_column("why", no_wrap=True)
    for objective in objectives:
        shown.add_column(objective.name, justify="right", no_wrap=True)
        shown.add_column("confirmed", no_wrap=True)
    shown.add_column("config")
    roles = {one.trial.number: one.role.value for one in report.candidates}
    for row in found:
        cells = [_cell for one in objectives for _cell in _cells(one, row.values[one.name], flagged=row.flagged)]
        shown.add_row(str(row.number), roles[row.number], *cells, row.failure or config_text(row.trial.config))
    return shown


def _cells(objective: Objective, value: Value, *, flagged: bool) -> tuple[str, str]:
    """The search's value, and the confirmed one with its interval; a latency of a busy machine has a mark."""
    interval = "" if math.isnan(value.low) else f" [{value.low:.4g}, {value.high:.4g}]"
    mark = " (busy)" if flagged and objective.unit == "ms" else ""
    return format_value(objective, value.search), format_value(objective, value.confirmed) + interval + mark


def _as_json(record: StudyRecord, report: Report, found: list[Row]) -> dict[str, Json]:
    roles = {one.trial.number: one.role.value for one in report.candidates}
    return {
        "study": record.name,
        "look": report.look,
        "machine": found[0].machine,
        "notes": list(report.notes),
        "trials": [
            {
                "number": row.number,
                "role": roles[row.number],
                "values": {name: _plain(value) for name, value in row.values.items()},
                "percentiles": {name: dict(found) for name, found in row.percentiles.items()},
                "flagged": row.flagged,
                "failure": row.failure or None,
                "config": dict(row.trial.config),
            }
            for row in found
        ],
    }


def _plain(value: Value) -> dict[str, Json]:
    numbers = {"search": value.search, "confirmed": value.confirmed, "low": value.low, "high": value.high}
    return {name: None if math.isnan(number) else number for name, number in numbers.items()}

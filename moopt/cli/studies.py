"""``moopt studies``: what a store holds, and renaming, deleting and exporting a study."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from moopt.cli.output import print_json, results, say
from moopt.cli.results import AsJson, StoreFile, StudyName
from moopt.errors import UsageError
from moopt.frames import front_trials
from moopt.requests import STOPPED
from moopt.store import Store, open_store
from moopt.store.base import StudyRecord
from moopt.store.transfer import export_file
from moopt.trial import Json, State


def studies(
    store: StoreFile,
    rename: Annotated[
        tuple[str, str] | None, typer.Option(metavar="OLD NEW", help="Give a study another name.")
    ] = None,
    delete: Annotated[str | None, typer.Option(metavar="NAME", help="Delete a study with all its trials.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a study whole as .jsonl, its trials as .csv or .parquet.")
    ] = None,
    study: StudyName = None,
    json: AsJson = False,
) -> None:
    """List the studies of a store; rename, delete or export one.

    moopt studies churn.db
    moopt studies churn.db --rename churn churn-2025
    moopt studies churn.db --export trials.csv --study churn
    """
    if sum(one is not None for one in (rename, delete, export)) > 1:
        raise UsageError("--rename, --delete and --export are given together; do one at a time")
    changes = rename is not None or delete is not None
    opened = open_store(store, read_only=not changes, create=False)
    if rename is not None:
        opened.rename_study(*rename)
        say(f"study {rename[0]} is now called {rename[1]}")
    elif delete is not None:
        _delete(opened, delete, yes=yes)
    elif export is not None:
        name = opened.study(study).name
        export_file(opened, name, export)
        say(f"study {name} is in {export}")
        if kept := opened.artefacts(name):
            say(f"note: {len(kept)} model files are left out; they lie in {opened.artefact_folder}")
    else:
        _list([_summary(opened, record) for record in opened.studies()], opened.location, json=json)


def _delete(opened: Store, name: str, *, yes: bool) -> None:
    n_trials = len(opened.trials(name, with_steps=False))
    if not yes and not typer.confirm(f"Delete study {name} with its {n_trials} trials?", err=True):
        say("Nothing is deleted.")
        raise typer.Exit(1)
    opened.delete_study(name)
    say(f"study {name} is deleted")


def _summary(opened: Store, record: StudyRecord) -> dict[str, Json]:
    trials = opened.trials(record.name, with_steps=False)
    states = Counter(trial.state for trial in trials)
    return {
        "study": record.name,
        "algorithm": record.search.get("algorithm"),
        "objectives": [one.name for one in record.objectives],
        "n_trials": len(trials),
        "n_complete": states[State.COMPLETE],
        "n_failed": states[State.FAILED],
        "n_stopped": states[State.STOPPED],
        "n_front": len(front_trials(record.objectives, trials)),
        "running": opened.is_running(record.name),
        "stopped": record.attributes.get(STOPPED),
        "created_at": record.created_at,
    }


def _list(found: list[dict[str, Json]], location: str, *, json: bool) -> None:
    if json:
        print_json(found)
        return
    if not found:
        say(f"{location} holds no study.")
        return
    shown = Table(box=None, padding=(0, 2, 0, 0))
    for heading in (
        "study",
        "algorithm",
        "trials",
        "complete",
        "failed",
        "stopped",
        "front",
        "running",
        "ended",
        "made",
        "objectives",
    ):
        shown.add_column(heading)
    for one in found:
        counts = [str(one[key]) for key in ("n_trials", "n_complete", "n_failed", "n_stopped", "n_front")]
        made = time.strftime("%Y-%m-%d %H:%M", time.localtime(one["created_at"]))
        running = "yes" if one["running"] else "no"
        ended = (one["stopped"] or {}).get("why", "")
        shown.add_row(one["study"], one["algorithm"], *counts, running, ended, made, ", ".join(one["objectives"]))
    results().print(shown)

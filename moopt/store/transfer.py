"""A study as a file: JSON lines, from which it can be taken in again whole, or its trials as CSV or Parquet."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from moopt.errors import StoreError
from moopt.frames import trials_frame
from moopt.objectives import Objective
from moopt.store.base import Store, StudyRecord, Writer
from moopt.store.rows import from_text, to_text
from moopt.trial import Decision, EventKind, Failure, Json, Source, State, StepResult, Trial

FORMAT = "moopt study, 1"


def export_lines(store: Store, name: str) -> Iterator[str]:
    """The study as lines of JSON: the record first, then a line for each event, trial and decision."""
    record = dataclasses.asdict(store.study(name))
    record["objectives"] = [objective.as_json() for objective in store.study(name).objectives]
    yield to_text({"format": FORMAT, "study": record})
    for trial in store.trials(name):
        yield to_text({"trial": {**dataclasses.asdict(trial), "steps": _steps(trial)}})
    for event in store.events(name):
        yield to_text({"event": [event.kind, event.number]})
    for decision in store.decisions(name):
        yield to_text({"decision": dataclasses.asdict(decision)})


def _steps(trial: Trial) -> list[Json]:
    return [[step, dataclasses.asdict(result)] for step, result in sorted(trial.steps.items())]


def import_lines(store: Store, lines: Iterable[str], name: str | None = None) -> StudyRecord:
    """Take in a study from its lines, under another ``name`` where one is given; gives its record.

    Raises StoreError where the lines are no study or end too early, StudyExists where the name is taken. Then
    nothing of it stays.
    """
    parsed = _parsed(lines)
    head = next(parsed, {})
    if head.get("format") != FORMAT:
        raise StoreError(f"the lines are no study of moopt: the first should say {FORMAT!r}")
    record = _record(head["study"], name)
    kinds = {kind: [line[kind] for line in group] for kind, group in groupby(parsed, key=lambda line: next(iter(line)))}
    trials = [_trial(fields) for fields in kinds.get("trial", [])]
    store.create_study(record)
    try:
        with store.write(record.name) as writer:
            _replay(writer, trials, kinds.get("event", []))
        for trial in trials:
            for note in trial.notes:
                store.add_note(record.name, trial.number, note)
        for fields in kinds.get("decision", []):
            store.add_decision(record.name, Decision(**fields))
    except BaseException:
        store.delete_study(record.name)
        raise
    return record


def _parsed(lines: Iterable[str]) -> Iterator[dict[str, Json]]:
    for number, line in enumerate(lines, start=1):
        try:
            found = from_text(line)
        except ValueError:
            raise StoreError(f"line {number} is no JSON; was the file cut off or edited?") from None
        if not isinstance(found, dict) or not found:
            raise StoreError(f"line {number} is no part of a study; was the file edited?")
        yield found


def _record(fields: dict[str, Json], name: str | None) -> StudyRecord:
    objectives = tuple(Objective(**objective) for objective in fields["objectives"])
    return StudyRecord(**{**fields, "objectives": objectives, "name": name or fields["name"]})


def _trial(fields: dict[str, Any]) -> Trial:
    parsed: dict[str, Any] = {
        "source": Source(fields["source"]),
        "state": State(fields["state"]),
        "failure": Failure(fields["failure"]) if fields["failure"] else None,
        "steps": {step: StepResult(**result) for step, result in fields["steps"]},
        "notes": tuple(fields["notes"]),
    }
    return Trial(**{**fields, **parsed})


def _replay(writer: Writer, trials: list[Trial], events: list[list[Json]]) -> None:
    """Write trials and events in the order in which they came, so that the study goes on as it would have."""
    for trial in trials:
        writer.queue(dataclasses.replace(trial, state=State.QUEUED, notes=()))
    for kind, number in events:
        if kind == EventKind.STARTED:
            writer.start(dataclasses.replace(trials[number], state=State.RUNNING, notes=()))
        else:
            writer.finish(trials[number], trials[number].steps)
    told = {number for kind, number in events if kind == EventKind.TOLD}
    for trial in trials:
        if trial.number not in told:
            for step, result in trial.steps.items():
                writer.step(trial.number, step, result)


def export_file(store: Store, name: str, out: Path) -> None:
    """Write a study to ``out``: whole as ``.jsonl``, its trials as ``.csv`` or ``.parquet``.

    Raises StoreError for another ending, or where the file is there already.
    """
    if out.suffix not in (".jsonl", ".csv", ".parquet"):
        raise StoreError(f"{out} ends in {out.suffix or 'nothing'}; give a name that ends in .jsonl, .csv or .parquet")
    if out.exists():
        raise StoreError(f"{out} is there already; give another name")
    if out.suffix == ".jsonl":
        out.write_text("".join(f"{line}\n" for line in export_lines(store, name)), encoding="utf-8")
        return
    frame = trials_frame(store.study(name).objectives, store.trials(name))
    if out.suffix == ".csv":
        frame.to_csv(out, index=False)
    else:
        # A column of Parquet has one type: mixed values of a hyperparameter become texts.
        for column in frame.columns[frame.dtypes == object]:
            frame[column] = frame[column].map(_text, na_action="ignore")
        frame.to_parquet(out, index=False)


def _text(value: object) -> str:
    return str(value)

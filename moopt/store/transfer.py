"""A study as a file: JSON lines, from which it can be taken in again whole, or its trials as CSV or Parquet."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moopt.errors import MooptError, StoreError
from moopt.frames import trials_frame
from moopt.objectives import Objective
from moopt.store.base import Store, StudyRecord
from moopt.store.rows import from_text, step_of, to_text
from moopt.trial import STOPPED, Confirmation, Decision, Event, EventKind, Failure, Json, Source, State, Trial

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "moopt study, 1"

_ENDINGS = (".jsonl", ".csv", ".parquet")
_NO_PART = "is no part of a study; was the file edited?"


def export_lines(store: Store, name: str) -> Iterator[str]:
    """The study as lines of JSON: its record, then a line for each trial, event, decision and confirmation.

    Of a study that is running it is the whole as it stood at one moment. Artefact files are left out.
    """
    record, trials = store.study(name), store.trials(name)
    # What came after the trials were read is left out: a trial and its event are always written together.
    events = [event for event in store.events(name) if _is_of(event, trials)]
    decisions = [decision for decision in store.decisions(name) if decision.number < len(trials)]
    confirmations = [one for one in store.confirmations(name) if one.number < len(trials)]
    head = {**dataclasses.asdict(record), "objectives": [objective.as_json() for objective in record.objectives]}
    counts = {
        "trial": len(trials),
        "event": len(events),
        "decision": len(decisions),
        "confirmation": len(confirmations),
    }
    yield to_text({"format": FORMAT, "study": head, "lines": counts})
    for trial in trials:
        steps = [[step, dataclasses.asdict(result)] for step, result in sorted(trial.steps.items())]
        yield to_text({"trial": {**dataclasses.asdict(trial), "steps": steps}})
    for event in events:
        yield to_text({"event": [event.kind, event.number]})
    for decision in decisions:
        yield to_text({"decision": dataclasses.asdict(decision)})
    for confirmation in confirmations:
        yield to_text({"confirmation": dataclasses.asdict(confirmation)})


def _is_of(event: Event, trials: Sequence[Trial]) -> bool:
    if event.number >= len(trials):
        return False
    trial = trials[event.number]
    if event.kind is EventKind.STARTED:
        return trial.state is not State.QUEUED
    return trial.state.finished or STOPPED in trial.attributes


def import_study(store: Store, lines: Iterable[str], name: str | None = None) -> StudyRecord:
    """Take in a study from its lines, under another ``name`` where one is given; gives its record.

    Raises StoreError where the lines are no study or some are missing, StudyExists where the name is taken. Then
    nothing of it is kept.
    """
    numbered = enumerate(lines, start=1)
    head = next((_line(number, line) for number, line in numbered), {})
    if head.get("format") != FORMAT:
        raise StoreError(f"the lines are no study of moopt: the first should say {FORMAT!r}")
    record = _record(head, name)
    found: dict[str, list[Any]] = {"trial": [], "event": [], "decision": [], "confirmation": []}
    for number, line in numbered:
        kind, part = _part(number, _line(number, line))
        found[kind].append(part)
    for kind, parts in found.items():
        said = head["lines"].get(kind, 0)
        if len(parts) != said:
            raise StoreError(f"the lines hold {len(parts)} of {said} {kind}s; was the file cut off?")
    trials, *others = found.values()
    numbers = range(len(trials))
    if [trial.number for trial in trials] != list(numbers) or any(e.number not in numbers for e in chain(*others)):
        raise StoreError("the lines name trials that are not among them; was the file edited?")
    store.create_study(record, trials, *others)
    return record


def _line(number: int, line: str) -> dict[str, Json]:
    try:
        found = from_text(line)
    except ValueError:
        raise StoreError(f"line {number} is no JSON; was the file cut off or edited?") from None
    if not isinstance(found, dict) or not found:
        raise StoreError(f"line {number} {_NO_PART}")
    return found


def _record(head: Mapping[str, Json], name: str | None) -> StudyRecord:
    try:
        fields = head["study"]
        objectives = tuple(Objective(**objective) for objective in fields["objectives"])
        dict(head["lines"])
        return StudyRecord(**{**fields, "objectives": objectives, "name": name or fields["name"]})
    except (LookupError, TypeError, ValueError, MooptError):
        raise StoreError(f"line 1 {_NO_PART}") from None


def _part(number: int, line: Mapping[str, Json]) -> tuple[str, Trial | Event | Decision | Confirmation]:
    """What a line holds, and its kind."""
    kind, fields = next(iter(line.items()))
    try:
        if kind == "trial":
            return kind, _trial(fields)
        if kind == "event":
            return kind, Event(EventKind(fields[0]), fields[1])
        if kind == "decision":
            return kind, Decision(**fields)
        if kind == "confirmation":
            return kind, Confirmation(**fields)
    except (LookupError, TypeError, ValueError):
        pass
    raise StoreError(f"line {number} {_NO_PART}")


def _trial(fields: Mapping[str, Any]) -> Trial:
    parsed: dict[str, Any] = {
        "source": Source(fields["source"]),
        "state": State(fields["state"]),
        "failure": Failure(fields["failure"]) if fields["failure"] else None,
        "steps": {step: step_of(result) for step, result in fields["steps"]},
        "notes": tuple(fields["notes"]),
    }
    return Trial(**{**fields, **parsed})


def import_file(store: Store, path: Path, name: str | None = None) -> StudyRecord:
    """:func:`import_study` from a file of JSON lines; raises StoreError where it cannot be read, too."""
    try:
        with path.open(encoding="utf-8") as file:
            return import_study(store, file, name)
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}); check the path") from None
    except UnicodeDecodeError:
        raise StoreError(f"{path} is no text in UTF-8; give a file that moopt wrote, ending in .jsonl") from None


def export_file(store: Store, name: str, out: Path) -> None:
    """Write a study to ``out``: whole as ``.jsonl``, its trials as ``.csv`` or ``.parquet``.

    Raises StoreError for another ending, where the file is there already, or where it cannot be written.
    """
    if out.suffix not in _ENDINGS:
        raise StoreError(f"{out} ends in {out.suffix or 'nothing'}; give a name that ends in .jsonl, .csv or .parquet")
    if out.exists():
        raise StoreError(f"{out} is there already; give another name")
    if not out.absolute().parent.is_dir():
        raise StoreError(f"there is no folder {out.parent} for {out.name}; make it first")
    part = out.with_name(f"{out.name}.part")  # a file of the asked name is always whole
    try:
        _write(store, name, part, out.suffix)
        part.rename(out)
    except OSError as error:
        raise StoreError(f"{out} could not be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _write(store: Store, name: str, out: Path, ending: str) -> None:
    if ending == ".jsonl":
        with out.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in export_lines(store, name))
        return
    objectives = store.study(name).objectives
    frame = trials_frame(objectives, store.trials(name, with_steps=False), store.steps_done(name))
    if ending == ".csv":
        frame.to_csv(out, index=False)
    else:
        frame.apply(one_type).to_parquet(out, index=False)


def one_type(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column of Parquet has one type: whole numbers stay whole where some are missing, mixed values become texts."""
    if column.dtype.kind != "O":
        return column
    kinds = {type(value) for value in column if value is not None}
    try:
        if kinds == {int}:
            return column.astype("Int64")
        if kinds == {bool}:
            return column.astype("boolean")
        if kinds == {float}:
            return column.astype("float64")
    except OverflowError:  # beyond 64 bits
        pass
    return column.map(_text, na_action="ignore")


def _text(value: object) -> str:
    return str(value)

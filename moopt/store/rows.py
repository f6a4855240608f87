"""Records <-> rows: what of a trial, a step, a study or a decision stands in which column, and as what text."""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from enum import StrEnum
from functools import partial
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np

from moopt.columns import Trials
from moopt.errors import UsageError
from moopt.objectives import Objective
from moopt.store.base import StudyRecord
from moopt.trial import Artefact, Confirmation, Decision, EventKind, Failure, Json, Source, State, StepResult, Trial

Row: TypeAlias = dict[str, Any]

_NOT_FINITE = "$float"
_TEXTS_OF_FLOATS = ("nan", "inf", "-inf")
# ASCII only: whatever a text of Python holds, half a surrogate pair too, comes back from its escapes.
_to_text = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode

STARTED = ("config", "origin", "source", "state", "n_steps", "created_at")
"""Columns of a queued trial that may change when it starts."""
ENDED = ("state", "objectives", "failure", "message", "fit", "finished_at", "attributes")
"""Columns that change when a trial ends."""
RESUMED = ("state", "objectives", "message", "finished_at")
"""Columns that change when a trial that was stopped runs again."""


def to_text(value: Json) -> str:
    """JSON; a number that is not finite, which JSON cannot say, becomes ``{"$float": "nan"}``.

    Raises UsageError for a value that is no plain data.
    """
    try:
        return _to_text(value)
    except ValueError:
        return _to_text(_without_non_finite(value))
    except TypeError as error:
        raise UsageError(f"{value!r:.80} cannot be kept ({error}); give numbers, texts, lists and dicts") from None


def _without_non_finite(value: Json) -> Json:
    if isinstance(value, float) and not math.isfinite(value):
        return {_NOT_FINITE: str(float(value))}
    if isinstance(value, Mapping):
        return {key: _without_non_finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_non_finite(one) for one in value]
    return value


def from_text(text: str) -> Json:
    """What :func:`to_text` was given."""
    return json.loads(text, object_hook=_number) if _NOT_FINITE in text else json.loads(text)


def _number(found: dict[str, Json]) -> Json:
    is_number = found.keys() == {_NOT_FINITE} and found[_NOT_FINITE] in _TEXTS_OF_FLOATS
    return float(found[_NOT_FINITE]) if is_number else found


def plain_text(text: str) -> str:
    """A text for people as every database keeps it: what is no character becomes its escape."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _or_null(value: Any) -> str | None:
    return to_text(value) if value else None


def trial_row(trial: Trial) -> Row:
    """The trial's own columns; steps and notes have tables of their own."""
    return {
        "number": trial.number,
        "config": to_text(dict(trial.config)),
        "origin": None if trial.origin is None else to_text(trial.origin),
        "source": trial.source.value,
        "n_steps": trial.n_steps,
        "created_at": trial.created_at,
        **result_row(trial),
    }


def result_row(trial: Trial) -> Row:
    """The columns :data:`ENDED`."""
    return {
        "state": trial.state.value,
        "objectives": _or_null(dict(trial.values)),
        "failure": trial.failure.value if trial.failure else None,
        "message": plain_text(trial.message) or None,
        "fit": trial.fit,
        "finished_at": trial.finished_at,
        "attributes": _or_null(dict(trial.attributes)),
    }


TRIAL = (
    *("number", "config", "origin", "source", "state", "n_steps"),
    *("objectives", "failure", "message", "fit", "created_at", "finished_at", "attributes"),
)
"""Columns from which :func:`trials_of` makes trials, in their order."""


def trials_of(
    found: Sequence[Sequence[Any]], steps: Mapping[int, Mapping[int, StepResult]], notes: Mapping[int, tuple[str, ...]]
) -> list[Trial]:
    """The trials of rows of :data:`TRIAL`, with their steps and notes by number. Made by columns: there may be many."""
    if not found:
        return []
    number, config, origin, source, state, n_steps, values, failure, message, fit, created, finished, attributes = zip(
        *found, strict=True
    )
    fields = {
        "number": number,
        "config": _parsed(config),
        "origin": _parsed(origin, "null"),
        "source": _members(Source, source),
        "state": _members(State, state),
        "n_steps": n_steps,
        "steps": [steps.get(one, {}) for one in number],
        "values": _parsed(values),
        "failure": _members(Failure, failure),
        "message": [text or "" for text in message],
        "fit": fit,
        "created_at": created,
        "finished_at": finished,
        "attributes": _parsed(attributes),
        "notes": [notes.get(one, ()) for one in number],
    }
    return list(map(Trial, *(fields[name] for name in Trial.__dataclass_fields__)))


def columns_of(found: Sequence[Sequence[Any]], names: Sequence[str], notes: Mapping[int, tuple[str, ...]]) -> Trials:
    """The trials of rows of :data:`TRIAL`, with their values in the objectives of these names as numbers.

    Only the values are read from their text; the rest of a trial when it is asked for.
    """

    def column(name: str) -> list[Any]:
        return list(map(itemgetter(TRIAL.index(name)), found))

    values = _parsed(column("objectives"))
    return Trials(
        number=np.array(column("number"), dtype=np.int64),
        state=np.array(column("state"), dtype=np.str_),
        source=np.array(column("source"), dtype=np.str_),
        finished_at=np.array(column("finished_at"), dtype=np.float64),
        values={name: np.array([one.get(name) for one in values], dtype=np.float64) for name in names},
        kept=np.fromiter(found, dtype=np.object_, count=len(found)),
        make=partial(trials_of, steps={}, notes=notes),
    )


def _parsed(texts: Sequence[str | None], empty: str = "{}") -> list[Any]:
    """:func:`from_text` of each, in one call: a call a text costs more than the text."""
    parsed: list[Any] = from_text(f"[{','.join([text or empty for text in texts])}]")
    return parsed


def _members(kind: type[StrEnum], texts: Sequence[str | None]) -> list[Any]:
    by_text: dict[str | None, Any] = {None: None, **{one.value: one for one in kind}}
    return [by_text[text] for text in texts]


def step_row(number: int, step: int, result: StepResult) -> Row:
    """One step of a trial."""
    return {
        "number": number,
        "step": step,
        "objectives": to_text(dict(result.values)),
        "train": _or_null(dict(result.train)),
        "seconds": result.seconds,
        "changes": _or_null(dict(result.changes)),
        "details": _or_null(dict(result.details)),
        "failure": result.failure or None,
        "siblings": _or_null([asdict(one) for one in result.siblings]),
    }


STEP = ("number", "step", "objectives", "train", "seconds", "changes", "details", "failure", "siblings")
"""Columns from which :func:`steps_of` makes steps, in their order."""


def steps_of(found: Sequence[Sequence[Any]]) -> dict[int, dict[int, StepResult]]:
    """The steps of rows of :data:`STEP`, by the number of their trial and their own."""
    steps: dict[int, dict[int, StepResult]] = defaultdict(dict)
    if found:
        numbers, places, values, train, seconds, changes, details, failures, siblings = zip(*found, strict=True)
        said = (failure or "" for failure in failures)
        own = map(StepResult, _parsed(values), _parsed(train), seconds, _parsed(changes), _parsed(details), said)
        for number, place, result, others in zip(numbers, places, own, siblings, strict=True):
            steps[number][place] = replace(result, siblings=_siblings(from_text(others))) if others else result
    return steps


def step_of(fields: Mapping[str, Any]) -> StepResult:
    """A step from its fields as plain data; raises TypeError for others."""
    return StepResult(**{**fields, "siblings": _siblings(fields.get("siblings", ()))})


def _siblings(found: Sequence[Mapping[str, Any]]) -> tuple[StepResult, ...]:
    return tuple(map(step_of, found))


def study_row(record: StudyRecord) -> Row:
    """A study's own columns, without its lease."""
    return {
        "name": record.name,
        "record": to_text(
            {
                "space": record.space,
                "objectives": [objective.as_json() for objective in record.objectives],
                "search": record.search,
                "seed": record.seed,
                "n_steps": record.n_steps,
                "spec": record.spec,
                "versions": record.versions,
            }
        ),
        "attributes": to_text(dict(record.attributes)),
        "created_at": record.created_at,
        "revision": 0,
    }


def study_of(row: Any) -> StudyRecord:
    """The study of a row of the table."""
    kept = from_text(row.record)
    kept["objectives"] = tuple(Objective(**objective) for objective in kept["objectives"])
    return StudyRecord(name=row.name, created_at=row.created_at, attributes=from_text(row.attributes), **kept)


def event_row(kind: EventKind, number: int) -> Row:
    """An event's columns."""
    return {"kind": kind.value, "number": number}


def note_row(number: int, text: str) -> Row:
    """The columns of a note on a trial, written at this moment."""
    return {"number": number, "text": plain_text(text), "written_at": time.time()}


def decision_row(decision: Decision) -> Row:
    """A decision's columns."""
    return {
        "number": decision.number,
        "limits": to_text(dict(decision.limits)),
        "preference": decision.preference,
        "reason": plain_text(decision.reason),
        "decided_at": decision.decided_at,
    }


def decision_of(row: Any) -> Decision:
    """The decision of a row of the table."""
    return Decision(row.number, from_text(row.limits), row.preference, row.reason, row.decided_at)


def confirmation_row(confirmation: Confirmation) -> Row:
    """A confirmation's columns."""
    return {
        "number": confirmation.number,
        "machine": to_text(dict(confirmation.machine)),
        "measures": to_text(dict(confirmation.measures)),
        "confirmed_at": confirmation.confirmed_at,
    }


def confirmation_of(row: Any) -> Confirmation:
    """The confirmation of a row of the table."""
    return Confirmation(row.number, from_text(row.machine), from_text(row.measures), row.confirmed_at)


def artefact_row(artefact: Artefact) -> Row:
    """An artefact's columns."""
    return {
        "number": artefact.number,
        "kind": artefact.kind,
        "path": artefact.path,
        "sha256": artefact.sha256,
        "bytes": artefact.n_bytes,
        "made_at": artefact.made_at,
    }


def artefact_of(row: Any) -> Artefact:
    """The artefact of a row of the table."""
    return Artefact(row.number, row.kind, row.path, row.sha256, row.bytes, row.made_at)

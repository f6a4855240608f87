"""The coordinator's door to a study in a SQL database: each call is one commit and renews the lease."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from sqlite3 import Cursor
from types import TracebackType
from typing import Any, NoReturn, Self

from sqlalchemy import ColumnElement, Insert, Table, Update, bindparam, insert, literal_column, null, select, update

from moopt.errors import StoreError, StudyBusy
from moopt.store import rows, schema
from moopt.store.database import Database
from moopt.trial import EventKind, StepResult, Trial

_STUDIES, _TRIALS, _STEPS = schema.studies, schema.trials, schema.steps
_NEXT: ColumnElement[int] = _STUDIES.c.revision + literal_column("1")


def _add(table: Table) -> Insert:
    """A row with all its columns; the database counts the ``id`` itself."""
    return insert(table).values(
        {column.name: bindparam(column.name) for column in table.columns if column.name != "id"}
    )


def _change(columns: Sequence[str]) -> Update:
    """New values of a trial's columns."""
    place = (_TRIALS.c.study_id == bindparam("of_study"), _TRIALS.c.number == bindparam("of_number"))
    return update(_TRIALS).where(*place).values({name: bindparam(name) for name in columns})


_LEASED = update(_STUDIES).where(_STUDIES.c.id == bindparam("of_study"), _STUDIES.c.lease_token == bindparam("token"))
_BEAT = _LEASED.values(lease_beat_at=bindparam("now"))
_RENEW = _BEAT.values(revision=_NEXT)
_FREE = _LEASED.values(lease_token=null(), revision=_NEXT)
_RUN, _END, _RESUME = _change(rows.STARTED), _change(rows.ENDED), _change(rows.RESUMED)
_ATTRIBUTES = select(_TRIALS.c.attributes).where(
    _TRIALS.c.study_id == bindparam("of_study"), _TRIALS.c.number == bindparam("of_number")
)
_PART_WITH_SIBLINGS = (
    update(_STEPS)
    .where(_STEPS.c.study_id == bindparam("of_study"), _STEPS.c.number == bindparam("of_number"))
    .values(siblings=null())
)
_ADD_TRIAL, _ADD_STEP, _ADD_EVENT = _add(_TRIALS), _add(_STEPS), _add(schema.events)


class SqlWriter:
    """Holds the lease of one study until ``close``. It belongs to the process that made it."""

    def __init__(self, database: Database, name: str, study: int, token: str) -> None:
        self._database, self._name = database, name
        self._study, self._token = study, token
        self._pid = os.getpid()
        self._closed = False

    def __reduce__(self) -> NoReturn:
        raise StoreError(
            f"study {self._name!r} is being written here and cannot be sent to another process; "
            "leave the study out of the function that the workers run"
        )

    def queue(self, trial: Trial) -> None:
        """Keep a trial that will run later."""
        with self._commit() as cursor:
            self._add(cursor, trial)

    def start(self, trial: Trial) -> None:
        """The trial and its ``started`` event."""
        with self._commit() as cursor:
            row = rows.trial_row(trial)
            # A queued one is there already. What the user wrote to it stays.
            if self._database.run(cursor, _RUN, {**self._place(trial.number), **row}).rowcount == 0:
                self._database.run(cursor, _ADD_TRIAL, {"study_id": self._study, **row})
            self._event(cursor, EventKind.STARTED, trial.number)

    def step(self, number: int, step: int, result: StepResult) -> None:
        """One finished step of a running trial."""
        with self._commit() as cursor:
            self._steps(cursor, number, {step: result})

    def finish(
        self, trial: Trial, steps: Mapping[int, StepResult] | None = None, siblings: Sequence[Trial] = ()
    ) -> None:
        """A finished trial with its ``told`` event, and the steps not yet stored."""
        with self._commit() as cursor:
            self._steps(cursor, trial.number, steps or {})
            place = self._place(trial.number)
            result = rows.result_row(trial)
            # The user may have written attributes while the trial ran: they stay.
            stored = self._database.run(cursor, _ATTRIBUTES, place).fetchone()[0]
            if stored:
                result["attributes"] = rows.to_text({**rows.from_text(stored), **trial.attributes})
            self._database.run(cursor, _END, {**place, **result})
            self._event(cursor, EventKind.TOLD, trial.number)
            if siblings:
                self._database.run(cursor, _PART_WITH_SIBLINGS, place)
            for sibling in siblings:
                self._add(cursor, sibling)
                self._steps(cursor, sibling.number, sibling.steps)
                self._event(cursor, EventKind.STARTED, sibling.number)
                self._event(cursor, EventKind.TOLD, sibling.number)

    def resume(self, trial: Trial) -> None:
        """A stopped trial that runs again."""
        with self._commit() as cursor:
            self._database.run(cursor, _RESUME, {**self._place(trial.number), **rows.result_row(trial)})

    def heartbeat(self) -> None:
        """Renew the lease."""
        with self._commit(_BEAT):
            pass

    def close(self) -> None:
        """Give the lease back; doing so twice does nothing, and neither does a forked copy of the process."""
        if self._closed or os.getpid() != self._pid:
            return
        with self._database.committing() as cursor:
            self._database.run(cursor, _FREE, {"of_study": self._study, "token": self._token})
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _commit(self, renewal: Update = _RENEW) -> Iterator[Cursor]:
        """One transaction; raises StudyBusy, and writes nothing, where the lease is another's."""
        if self._closed:
            raise StudyBusy(f"the lease of study {self._name!r} was given back; take it again to write")
        if os.getpid() != self._pid:
            raise StudyBusy(f"study {self._name!r} is being written by process {self._pid}, of which this is a copy")
        with self._database.committing() as cursor:
            lease = {"of_study": self._study, "token": self._token, "now": time.time()}
            if self._database.run(cursor, renewal, lease).rowcount != 1:
                raise StudyBusy(
                    f"study {self._name!r} was taken over by another process, or deleted; nothing was written"
                )
            yield cursor

    def _place(self, number: int) -> dict[str, Any]:
        return {"of_study": self._study, "of_number": number}

    def _add(self, cursor: Cursor, trial: Trial) -> None:
        self._database.run(cursor, _ADD_TRIAL, {"study_id": self._study, **rows.trial_row(trial)})

    def _steps(self, cursor: Cursor, number: int, steps: Mapping[int, StepResult]) -> None:
        for step, result in steps.items():
            self._database.run(cursor, _ADD_STEP, {"study_id": self._study, **rows.step_row(number, step, result)})

    def _event(self, cursor: Cursor, kind: EventKind, number: int) -> None:
        self._database.run(cursor, _ADD_EVENT, {"study_id": self._study, **rows.event_row(kind, number)})

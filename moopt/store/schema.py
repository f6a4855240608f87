"""The tables of a store, their version, and how an older version becomes the present one.

Rows of a study are found by its number, so that renaming one writes one row. Structured values are JSON texts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Column, Connection, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

VERSION = 1
APPLICATION_ID = 0x6D6F6F70  # "moop": how a SQLite file is known as a store of moopt

metadata = MetaData()


def _of_study(primary_key: bool = False) -> Column[int]:
    return Column("study_id", ForeignKey("studies.id", ondelete="CASCADE"), primary_key=primary_key, nullable=False)


meta = Table("meta", metadata, Column("key", String(40), primary_key=True), Column("value", Text, nullable=False))

studies = Table(
    "studies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(300), nullable=False, unique=True),
    Column("record", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("revision", Integer, nullable=False),
    # The lease of the one coordinator; empty where nobody holds it.
    Column("lease_token", String(40)),
    Column("lease_host", String(255)),
    Column("lease_pid", Integer),
    Column("lease_process_started", Float),
    Column("lease_beat_at", Float),
)

trials = Table(
    "trials",
    metadata,
    _of_study(primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("config", Text, nullable=False),
    Column("origin", Text),
    Column("source", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("n_steps", Integer, nullable=False),
    Column("objectives", Text),
    Column("failure", String(20)),
    Column("message", Text),
    Column("fit", Integer),  # the number of the trial that paid: a sibling's is another's
    Column("created_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("attributes", Text),
)

steps = Table(
    "steps",
    metadata,
    _of_study(primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("objectives", Text, nullable=False),
    Column("train", Text),
    Column("seconds", Float, nullable=False),
    Column("changes", Text),
    Column("details", Text),
    Column("failure", Text),
    Column("siblings", Text),  # until the trial has ended and they are trials of their own
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    _of_study(),
    Column("kind", String(20), nullable=False),
    Column("number", Integer, nullable=False),
    Index("events_of_study", "study_id", "id"),
)

notes = Table(
    "notes",
    metadata,
    Column("id", Integer, primary_key=True),
    _of_study(),
    Column("number", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("written_at", Float, nullable=False),
    Index("notes_of_study", "study_id"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    _of_study(),
    Column("number", Integer, nullable=False),
    Column("limits", Text, nullable=False),
    Column("preference", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("decided_at", Float, nullable=False),
    Index("decisions_of_study", "study_id"),
)

confirmations = Table(
    "confirmations",
    metadata,
    Column("id", Integer, primary_key=True),
    _of_study(),
    Column("number", Integer, nullable=False),
    Column("machine", Text, nullable=False),
    Column("measures", Text, nullable=False),
    Column("confirmed_at", Float, nullable=False),
    Index("confirmations_of_study", "study_id", "number"),
)

artefacts = Table(
    "artefacts",
    metadata,
    Column("id", Integer, primary_key=True),
    _of_study(),
    Column("number", Integer, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("path", Text, nullable=False),  # within the folder of artefacts
    Column("sha256", String(64), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("made_at", Float, nullable=False),
    Index("artefacts_of_study", "study_id", "number"),
)

OF_A_STUDY: Sequence[Table] = (trials, steps, events, notes, decisions, confirmations, artefacts)
"""Tables whose rows belong to a study and go with it."""

MIGRATIONS: Sequence[Callable[[Connection], None]] = ()
"""MIGRATIONS[k] turns a store of version k + 1 into one of version k + 2."""

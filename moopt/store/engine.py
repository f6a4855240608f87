"""Opening a database as a store: connections and their settings, the check of what is there, errors in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select
from sqlalchemy.exc import DBAPIError

from moopt.errors import StoreError
from moopt.store import schema

_HEADER = b"SQLite format 3\x00"
_BUSY_S = 10


def sqlite_engine(path: Path, *, read_only: bool) -> Engine:
    """An engine on one SQLite file; writes are durable when they are committed, and never block readers."""
    mode = "ro" if read_only else "rwc"
    address = f"file:{quote(str(path.absolute()))}?mode={mode}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(address, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA foreign_keys=ON")
        if not read_only:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=None)
    # A writer takes the lock when it begins: begun as a reader it could not wait for another's lock later.
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def check_file(path: Path, *, create: bool) -> None:
    """Raise StoreError, in words, where a path cannot be a store; nothing is opened."""
    if path.is_dir():
        raise StoreError(f"{path} is a folder; a store is one file, such as {path / 'study.db'}")
    if not path.exists():
        if not create:
            raise StoreError(
                f"there is no store at {path}; check the path, or make one with 'moopt run ... --store {path}'"
            )
        if not path.absolute().parent.is_dir():
            raise StoreError(f"there is no folder {path.parent} for the store {path.name}; make it first")
        return
    with in_words(path), path.open("rb") as file:
        header = file.read(len(_HEADER))
    if header != _HEADER and (header or not create):
        raise StoreError(f"{path} is not a store of moopt (no SQLite database); give another file")


def prepare(engine: Engine, path: Path, *, create: bool) -> None:
    """Make the tables where there are none, else check that they are moopt's and of this version.

    Raises StoreError for another kind of database, for a store made by a newer moopt, and for an empty one
    that may not be made.
    """
    with in_words(path), engine.begin() as connection:
        tables = inspect(connection).get_table_names()
        if not tables and create:
            _make(connection)
            return
        known = (
            "meta" in tables and connection.exec_driver_sql("PRAGMA application_id").scalar() == schema.APPLICATION_ID
        )
        if not known:
            raise StoreError(f"{path} is a database, but not a store of moopt; give another file")
        made_by = int(
            connection.execute(select(schema.meta.c.value).where(schema.meta.c.key == "version")).scalar_one()
        )
        if made_by > schema.VERSION:
            raise StoreError(
                f"{path} was made by a newer moopt (its tables have version {made_by}, this one knows "
                f"{schema.VERSION}); upgrade moopt to open it"
            )
        if made_by < schema.VERSION and create:
            _migrate(connection, made_by)


def _make(connection: Connection) -> None:
    schema.metadata.create_all(connection)
    connection.exec_driver_sql(f"PRAGMA application_id={schema.APPLICATION_ID}")
    connection.execute(schema.meta.insert(), {"key": "version", "value": str(schema.VERSION)})


def _migrate(connection: Connection, version: int) -> None:
    for migration in schema.MIGRATIONS[version - 1 :]:
        migration(connection)
    connection.execute(schema.meta.update().where(schema.meta.c.key == "version"), {"value": str(schema.VERSION)})


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turn what a database or the system says into a StoreError that says what to do."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, OSError) as error:
        raise StoreError(_words(path, error)) from error


def _words(path: Path, error: Exception) -> str:
    cause: Any = error.orig if isinstance(error, DBAPIError) else error
    text = str(cause)
    if "disk is full" in text or "No space left" in text:
        return f"the disk is full: {path} could not be written; what was stored is safe. Free some space and run again"
    if "readonly" in text or "read-only" in text or "Permission denied" in text or isinstance(cause, PermissionError):
        return f"no permission to write {path}; change its permissions or give another file"
    if "unable to open" in text:
        return f"{path} cannot be opened; check that it is there and that its folder may be written"
    if "locked" in text or "busy" in text:
        return f"{path} is locked by another program for more than {_BUSY_S} s; close that program and try again"
    if "not a database" in text or "malformed" in text:
        return f"{path} is not a store of moopt, or is damaged ({text}); give another file"
    return f"{path}: {text}"

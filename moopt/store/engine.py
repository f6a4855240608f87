"""Opening a database as a store: a connection's settings, the check of what is there, errors in words."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, NullPool, QueuePool, create_engine, event, inspect, select
from sqlalchemy.exc import DBAPIError

from moopt.errors import StoreError
from moopt.store import lease, schema

Mode = Literal["ro", "rw"]
"""How a file is opened."""

BEGIN = {"ro": "BEGIN", "rw": "BEGIN IMMEDIATE"}
"""A writer takes the lock when it begins: begun as a reader it could not wait for another's lock later."""

_HEADER = b"SQLite format 3\x00"
_BUSY_S = 10


def sqlite_engine(path: Path, mode: Mode) -> Engine:
    """An engine on one SQLite file; writes are durable when they are committed, and never block readers."""
    address = f"{path.absolute().as_uri()}?mode={mode}"
    log = path.with_name(f"{path.name}-wal")
    only_looked_at = mode == "ro" and not os.access(path.absolute().parent, os.W_OK)

    def connect() -> sqlite3.Connection:
        # A reader joins in a shared file beside the store. Where it may make none and nobody writes, it needs none.
        alone = "&immutable=1" if only_looked_at and not log.exists() else ""
        connection = sqlite3.connect(
            address + alone, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection, path, mode)
        except BaseException:
            connection.close()
            raise
        return connection

    # The pool is named: for an address without a file SQLAlchemy takes one that closes other threads' connections.
    pool = {"poolclass": NullPool} if only_looked_at else {"poolclass": QueuePool, "max_overflow": -1}
    engine = create_engine("sqlite://", creator=connect, **pool)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(BEGIN[mode]))
    return engine


def _prepare(connection: sqlite3.Connection, path: Path, mode: Mode) -> None:
    connection.execute("PRAGMA foreign_keys=ON")
    if mode == "ro":
        return
    (found,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if found != "wal":
        raise StoreError(
            f"{path} lies where SQLite can keep no write-ahead log (a network drive?); give a file on a local disk"
        )
    connection.execute("PRAGMA synchronous=FULL")


def check_path(path: Path, *, create: bool) -> bool:
    """Whether a SQLite database is at a path, for a new store an empty file; nothing is opened as a database.

    Raises StoreError, in words, where the path cannot be a store.
    """
    with in_words(path):
        if path.is_dir():
            raise StoreError(f"{path} is a folder; a store is one file, such as {path / 'study.db'}")
        if not path.exists():
            _make_file(path, create=create)
        header = _header(path)
    if header != _HEADER and (header or not create):
        raise StoreError(f"{path} is not a store of moopt (no SQLite database); give another file")
    return header == _HEADER


def _make_file(path: Path, *, create: bool) -> None:
    if not create:
        raise StoreError(
            f"there is no store at {path}; check the path, or make one with 'moopt run ... --store {path}'"
        )
    if not path.absolute().parent.is_dir():
        raise StoreError(f"there is no folder {path.parent} for the store {path.name}; make it first")
    path.touch()


def _header(path: Path) -> bytes:
    if not path.is_file():
        raise StoreError(f"{path} is no file; a store is one file, such as study.db")
    try:
        with path.open("rb") as file:
            return file.read(len(_HEADER))
    except PermissionError:
        raise StoreError(f"no permission to read {path}; change its permissions or give another file") from None


def version(connection: Connection, path: Path) -> int | None:
    """The version of a store's tables; None where a database holds nothing at all.

    Raises StoreError for another kind of database, and for a store made by a newer moopt.
    """
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    application = connection.exec_driver_sql("PRAGMA application_id").scalar()
    found = None
    if "meta" in tables and application == schema.APPLICATION_ID:
        found = connection.execute(select(schema.meta.c.value).where(schema.meta.c.key == "version")).scalar()
    if found is None:
        raise StoreError(f"{path} is a database, but not a store of moopt; give another file")
    if int(found) > schema.VERSION:
        raise StoreError(
            f"{path} was made by a newer moopt (its tables have version {found}, this one knows "
            f"{schema.VERSION}); upgrade moopt to open it"
        )
    return int(found)


def bring_up_to_date(connection: Connection, found: int | None) -> None:
    """Make the tables where there are none, else take them from an older version to the present one.

    Raises StudyBusy while a process of that older version writes a study.
    """
    if found is None:
        schema.metadata.create_all(connection)
        connection.exec_driver_sql(f"PRAGMA application_id={schema.APPLICATION_ID}")
        connection.execute(schema.meta.insert(), {"key": "version", "value": str(schema.VERSION)})
        return
    for row in connection.execute(select(*lease.COLUMNS)):
        lease.refuse_held(row)
    for migration in schema.MIGRATIONS[found - 1 :]:
        migration(connection)
    connection.execute(schema.meta.update().where(schema.meta.c.key == "version").values(value=str(schema.VERSION)))


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turn what a database or the system says into a StoreError that says what to do."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, OSError) as error:
        raise StoreError(_words(path, error)) from error
    except UnicodeEncodeError as error:
        raise StoreError(
            f"{path} cannot keep {error.object!r:.80}: it is no text; was it in another encoding?"
        ) from error


def _words(path: Path, error: Exception) -> str:
    cause: Any = error.orig if isinstance(error, DBAPIError) else error
    text = str(cause)
    number = getattr(cause, "errno", None)
    if "disk is full" in text or number in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full: {path} could not be written; what was stored is safe. Free some space and run again"
    if "readonly" in text or number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no permission to write {path}; change its permissions or give another file"
    if "unable to open" in text:
        return f"{path} cannot be opened; check that it is there and that its folder may be written"
    if "locked" in text or "busy" in text:
        return f"{path} is locked by another program for more than {_BUSY_S} s; close that program and try again"
    if "not a database" in text or "malformed" in text:
        return f"{path} is not a store of moopt, or is damaged ({text}); give another file"
    return f"{path}: {text}"

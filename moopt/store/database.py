"""A store's database as one process sees it: its connections, its transactions, and the file behind them."""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Executable
from sqlalchemy.sql import ClauseElement

from moopt.errors import StoreError
from moopt.store import schema
from moopt.store.engine import BEGIN, Mode, bring_up_to_date, check_path, in_words, sqlite_engine, version


class Database:
    """Connections to one SQLite file. They are never shared with a forked process: each opens its own.

    Raises StoreError where the path is no store, was made by another version, or cannot be read or written.
    """

    def __init__(self, path: Path, *, read_only: bool, create: bool) -> None:
        self.path = path
        self._read_only = read_only
        self._engines: dict[tuple[int, Mode], Engine] = {}
        self._texts: dict[Executable, tuple[str, list[str] | None]] = {}
        weakref.finalize(self, _close, self._engines)  # whoever only reads need not remember to close
        self._open(create=create)

    def _open(self, *, create: bool) -> None:
        found = None
        is_database = check_path(self.path, create=create)
        self._file = _file(self.path)
        if is_database:
            with self.reading() as connection:
                found = version(connection, self.path)
        if found == schema.VERSION:
            return
        if found is None and not create:
            raise StoreError(f"{self.path} is a database, but not a store of moopt; give another file")
        if self._read_only:
            raise StoreError(
                f"{self.path} was made by an older moopt (its tables have version {found}, this one reads "
                f"{schema.VERSION}); open it once to write, for instance with 'moopt run', and it is brought up to date"
            )
        with self.writing() as connection:
            found = version(connection, self.path)  # another process may have been faster
            if found != schema.VERSION:
                bring_up_to_date(connection, found)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One look at the database as it stands, whatever is written meanwhile."""
        self._check_file()
        with in_words(self.path), self._engine("ro").connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction; nothing is written where it raises."""
        self._check_file()
        with in_words(self.path), self._engine("rw").begin() as connection:
            yield connection

    @contextmanager
    def committing(self) -> Iterator[sqlite3.Cursor]:
        """As :meth:`writing` for statements that are :meth:`run` again and again, at a fraction of its cost."""
        self._check_file()
        with in_words(self.path), closing(self._engine("rw").raw_connection()) as connection:
            cursor: Any = connection.cursor()
            cursor.execute(BEGIN["rw"])
            yield cursor
            connection.commit()

    def run(self, cursor: sqlite3.Cursor, statement: Executable, values: Mapping[str, Any]) -> sqlite3.Cursor:
        """Execute a statement whose parameters are all bound by name; it is turned into text once."""
        if statement not in self._texts:
            self._texts[statement] = self._text(statement)
        text, order = self._texts[statement]
        return cursor.execute(text, values if order is None else [values[name] for name in order])

    def all_rows(
        self, connection: Connection, statement: Executable, values: Mapping[str, Any]
    ) -> list[tuple[Any, ...]]:
        """What a :meth:`run` statement gives as plain tuples: a row's wrapping costs as much as the row."""
        raw: Any = connection.connection
        with closing(raw.cursor()) as cursor:
            return self.run(cursor, statement, values).fetchall()

    def _text(self, statement: Executable) -> tuple[str, list[str] | None]:
        if not isinstance(statement, ClauseElement):
            raise TypeError(f"{statement!r} cannot be turned into text")
        compiled: Any = statement.compile(dialect=self._engine("rw").dialect)
        return str(compiled), compiled.positiontup

    def close(self) -> None:
        """Close this process's connections; doing so twice does nothing."""
        _close(self._engines)

    def _engine(self, mode: Mode) -> Engine:
        key = os.getpid(), mode
        if key not in self._engines:
            self._engines[key] = sqlite_engine(self.path, mode)
        return self._engines[key]

    def _check_file(self) -> None:
        """An open connection would go on with a file that was deleted, and what it writes would be lost."""
        found = _file(self.path)
        if found is None:
            raise StoreError(f"the store {self.path} is gone; was it moved or deleted?")
        if found != self._file:
            self.close()
            self._open(create=False)


def _close(engines: dict[tuple[int, Mode], Engine]) -> None:
    """Close this process's own: those that it got from its parent by a fork are the parent's."""
    for key in [key for key in engines if key[0] == os.getpid()]:
        engines.pop(key).dispose()


def _file(path: Path) -> tuple[int, int] | None:
    """Which file lies at a path; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino

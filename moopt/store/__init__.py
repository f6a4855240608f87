"""Where studies live: one SQLite file, or memory."""

from __future__ import annotations

from pathlib import Path

from moopt.errors import StoreError
from moopt.store.base import Store, StudyRecord
from moopt.store.memory import MemoryStore

__all__ = ["Store", "StudyRecord", "open_store"]


def open_store(location: str | Path | None, *, read_only: bool = False, create: bool = True) -> Store:
    """The store at a path, made where there is none and ``create`` allows it; None is a new one in memory.

    A reader opens it with ``read_only``; recording a decision, a note or an attribute is possible all the same.
    Raises StoreError where the path is no store, was made by a newer moopt, or cannot be read or written.
    """
    if location is None:
        return MemoryStore()
    if "://" in str(location):
        raise StoreError(f"{location} is an address; this version keeps a store in one file, such as study.db")
    from moopt.store.sql import SqlStore

    return SqlStore(Path(location), read_only=read_only, create=create)

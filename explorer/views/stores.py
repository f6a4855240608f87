"""The open stores and the snapshots of their studies, shared by all sessions of the server."""

from __future__ import annotations

import time

import streamlit as st

from moopt.store import open_store
from moopt.store.base import Store
from moopt_explorer import data

_KEPT_SNAPSHOTS = 4


def store_at(location: str) -> Store:
    """The store, open for reading. Raises StoreError."""
    return _opened(location, data.identity(location))


def snapshot_at(location: str, name: str) -> tuple[data.Snapshot, float]:
    """A study of the store as it stands, and when it was read, in Unix seconds. Raises StoreError."""
    store = store_at(location)
    return _snapshot(location, data.identity(location), name, store.revision(name), store.is_running(name))


@st.cache_resource(max_entries=8, show_spinner=False)
def _opened(location: str, identity: int) -> Store:  # noqa: ARG001 - another file is another store
    return open_store(location, read_only=True)


@st.cache_resource(max_entries=_KEPT_SNAPSHOTS, show_spinner=False)
def _snapshot(
    location: str,
    identity: int,
    name: str,
    revision: int,  # noqa: ARG001 - a study that has gone on, or has ended, is read anew
    running: bool,  # noqa: ARG001
) -> tuple[data.Snapshot, float]:
    last = _last(location, identity, name)
    last["snapshot"] = data.read(store_at(location), name, last.get("snapshot"))
    return last["snapshot"], time.time()


@st.cache_resource(max_entries=_KEPT_SNAPSHOTS, show_spinner=False)
def _last(location: str, identity: int, name: str) -> dict[str, data.Snapshot]:  # noqa: ARG001 - a place for each
    return {}

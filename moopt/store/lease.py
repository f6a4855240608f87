"""The lease of a study: which process may write it, and whether that process still lives."""

from __future__ import annotations

import os
import secrets
import socket
import time
from functools import cache
from typing import Any

import psutil
from sqlalchemy import Connection, update

from moopt.errors import StudyBusy
from moopt.store.schema import studies

LEASE_S = 60.0
"""After this long without a sign of life a lease from another machine is lost."""

_START_TOLERANCE_S = 2.0


def take(connection: Connection, study: int) -> str:
    """Write this process's lease of a study; gives its token."""
    token = secrets.token_hex(16)
    connection.execute(
        update(studies)
        .where(studies.c.id == study)
        .values(
            lease_token=token,
            lease_host=socket.gethostname(),
            lease_pid=os.getpid(),
            lease_process_started=_started(os.getpid()),
            lease_beat_at=time.time(),
        )
    )
    return token


def is_held(row: Any) -> bool:
    """Whether a living process holds the lease of a study's row.

    On this machine a process is asked for; elsewhere its last sign of life counts.
    """
    if row.lease_token is None:
        return False
    if row.lease_host == socket.gethostname():
        started = _process_started(row.lease_pid)
        return started is not None and abs(started - row.lease_process_started) < _START_TOLERANCE_S
    return bool(time.time() - row.lease_beat_at < LEASE_S)


def refuse_held(row: Any) -> None:
    """Raise StudyBusy where the lease of a study's row is held."""
    if is_held(row):
        seconds = max(0, round(time.time() - row.lease_beat_at))
        raise StudyBusy(
            f"study {row.name!r} is being written by process {row.lease_pid} on {row.lease_host} "
            f"(last sign of life {seconds} s ago); wait for it or stop it"
        )


def _process_started(pid: int) -> float | None:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


@cache
def _started(pid: int) -> float:
    return float(psutil.Process(pid).create_time())

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

COLUMNS = (
    studies.c.name,
    studies.c.lease_token,
    studies.c.lease_host,
    studies.c.lease_pid,
    studies.c.lease_process_started,
    studies.c.lease_beat_at,
)
"""What of a study's row tells who holds it."""

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
            lease_process_started=_own_start(os.getpid()),
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
        return _lives(row.lease_pid, row.lease_process_started)
    return bool(time.time() - row.lease_beat_at < LEASE_S)


def refuse_held(row: Any) -> None:
    """Raise StudyBusy where the lease of a study's row is held."""
    if not is_held(row):
        return
    if row.lease_host == socket.gethostname() and row.lease_pid == os.getpid():
        raise StudyBusy(f"study {row.name!r} is being written by this process; close that study first")
    seconds = max(0, round(time.time() - row.lease_beat_at))
    raise StudyBusy(
        f"study {row.name!r} is being written by process {row.lease_pid} on {row.lease_host} "
        f"(last sign of life {seconds} s ago); wait for it or stop it"
    )


def _lives(pid: int, started: float) -> bool:
    """Whether the process that started then (Unix seconds) still runs; another one may have its number by now."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return bool(abs(process.create_time() - started) < _START_TOLERANCE_S)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


@cache
def _own_start(pid: int) -> float:
    return float(psutil.Process(pid).create_time())

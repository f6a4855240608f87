"""What a reader asks of a running search: to end, to pause, to go on.

A request is an attribute of the study, so whoever may read a store may write it, from another process or
another machine. The coordinator looks for it between steps; its running steps are finished first, as after one Ctrl+C.
"""

from __future__ import annotations

import time
from enum import StrEnum

from moopt.errors import StudyNotFound
from moopt.store.base import Store, StudyRecord

ASKED_TO = "asked_to"
"""The study's attribute that holds the request; None or absent where nothing is asked."""
WANTED = "wanted"
"""The study's attribute that tells what its last search was to do: ``n_trials`` (fits in total; None without such
an end), and ``at`` (when it began, Unix seconds)."""
STOPPED = "stopped"
"""The study's attribute that tells why (``why``, and ``reason`` in words) and when (``at``) its last search ended."""
COMMAND = "command"
"""The study's attribute with the command line that ran it last, where it was one."""
LOOK_S = 0.5
"""A coordinator looks for a request at most this often: a look is one read of one row."""


class Request(StrEnum):
    """What may be asked."""

    STOP = "stop"
    PAUSE = "pause"


def ask(store: Store, name: str, request: Request | None) -> None:
    """Ask the search of a study to stop or to pause; None takes a request back, so that a paused one goes on."""
    store.set_attribute(name, ASKED_TO, request)


def asked(record: StudyRecord) -> Request | None:
    """What is asked of a study's search; anything unknown is no request."""
    stated = record.attributes.get(ASKED_TO)
    return Request(stated) if stated in tuple(Request) else None


class Requests:
    """The coordinator's look at what is asked of its study."""

    def __init__(self, store: Store, name: str) -> None:
        self._store, self._name = store, name
        self._next_look = 0.0
        self._asked: Request | None = None

    def clear(self) -> None:
        """Forget what was asked of an earlier search."""
        if asked(self._store.study(self._name)) is not None:
            ask(self._store, self._name, None)
        self._asked = None

    def asked(self) -> Request | None:
        """What is asked, at most LOOK_S seconds old. A stop that was seen once is never taken back."""
        if self._asked is not Request.STOP and time.monotonic() >= self._next_look:
            try:
                self._asked = asked(self._store.study(self._name))
            except StudyNotFound:  # the writer says so in its own words
                self._asked = None
            self._next_look = time.monotonic() + LOOK_S
        return self._asked

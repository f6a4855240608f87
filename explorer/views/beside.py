"""Work that takes long goes on beside the pages, in a thread that ends with the server."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from moopt_explorer.views import session

Result = TypeVar("Result")
_STEP_S = 0.1


def start(work: Callable[[], Result]) -> Future[Result]:
    """Start it."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def result(future: Future[Result]) -> Result:
    """What became of it, waited for; a reader who goes on meanwhile is let go, and the work goes on."""
    while wait([future], _STEP_S).not_done:
        session.has_spoken()  # a look into the session: there Streamlit ends a run for the next one
    return future.result()

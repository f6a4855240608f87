"""A running study in the terminal: a live table where there is one, else a plain line every few seconds.

It reads the store, as any other reader would, from a thread of its own; the search knows nothing of it.
"""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moopt.errors import StoreError
from moopt.frames import front_trials
from moopt.store import Store, open_store
from moopt.study import Study
from moopt.trial import Source, State, Trial

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

LIVE_S = 0.5
PLAIN_S = 5.0
_SHARE = 0.02  # of the time may go into looking

_END = b"\0"
_INTERRUPTED = "Ctrl+C: the running steps are finished first, and everything is kept. Ctrl+C again stops at once."


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How far a study is."""

    n_trials: int
    """Asked for in total."""
    n_done: int
    """Finished fits."""
    n_failed: int
    n_stopped: int
    """Early."""
    n_front: int
    hypervolume: float
    """Of the front, within its own ideal and nadir."""
    elapsed_s: float
    """Of this run."""
    remaining_s: float | None
    """At this run's pace; None before its first trial is done."""


def snapshot(study: Study, trials: Sequence[Trial], n_trials: int, n_before: int, elapsed_s: float) -> Snapshot:
    """How far a study is, from its trials; ``n_before`` were done before this run."""
    fits = [trial for trial in trials if trial.source is not Source.SIBLING]
    states = Counter(trial.state for trial in fits)
    done = sum(states[state] for state in states if state.finished)
    now = done - n_before
    return Snapshot(
        n_trials=n_trials,
        n_done=done,
        n_failed=states[State.FAILED],
        n_stopped=states[State.STOPPED],
        n_front=len(front_trials(study.objectives, trials)),
        hypervolume=study.hypervolume(),
        elapsed_s=elapsed_s,
        remaining_s=elapsed_s / now * max(0, n_trials - done) if now > 0 else None,
    )


def line(now: Snapshot) -> str:
    """A snapshot as one plain line."""
    parts = [f"{now.n_done}/{now.n_trials} trials", f"{now.n_front} on the front", f"hypervolume {now.hypervolume:.3f}"]
    parts += [f"{now.n_failed} failed"] if now.n_failed else []
    parts += [f"{now.n_stopped} stopped early"] if now.n_stopped else []
    parts += [f"about {clock(now.remaining_s)} left"] if now.remaining_s else []
    return ", ".join(parts)


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def table(name: str, now: Snapshot) -> RenderableType:
    """A snapshot as a table of one row."""
    from rich.table import Table

    shown = Table(title=f"study {name}", title_justify="left", title_style="bold", box=None, padding=(0, 3, 0, 0))
    row = {
        "trials": f"{now.n_done} of {now.n_trials}",
        "front": str(now.n_front),
        "hypervolume": f"{now.hypervolume:.3f}",
        "failed": str(now.n_failed),
        "stopped": str(now.n_stopped),
        "elapsed": clock(now.elapsed_s),
        "left": "–" if now.remaining_s is None else clock(now.remaining_s),
    }
    for heading in row:
        shown.add_column(heading, justify="right")
    shown.add_row(*row.values())
    return shown


@contextmanager
def watching(study: Study, n_trials: int, console: Console) -> Iterator[None]:
    """Show how far a study is while the block runs, and say what Ctrl+C does when it is pressed."""
    reader = _reader(study)
    trials = reader.trials(study.name, with_steps=False)
    display = _Live(study.name, console) if console.is_terminal else _Plain(console)
    n_before = sum(trial.state.finished and trial.source is not Source.SIBLING for trial in trials)
    watcher = _Watcher(study, reader, n_trials, n_before, display)
    with display, _bell() as bell:
        thread = threading.Thread(target=watcher.run, args=(bell.reader,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            bell.writer.send(_END)
            thread.join()
    if reader is not study.store:
        reader.close()


def _reader(study: Study) -> Store:
    """The store opened again, for reading from another thread; one in memory is read as it is."""
    if study.store.artefact_folder is None:
        return study.store
    return open_store(study.store.location, read_only=True)


class _Plain:
    """Lines, as a log wants them."""

    interval_s = PLAIN_S

    def __init__(self, console: Console) -> None:
        self._console = console
        self._n_shown = -1

    def __enter__(self) -> _Plain:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, now: Snapshot) -> None:
        """Print a line, if more trials are done than at the one before."""
        if now.n_done != self._n_shown:
            self.say(line(now))
        self._n_shown = now.n_done

    def say(self, text: str) -> None:
        """Print a message."""
        self._console.print(text, highlight=False, soft_wrap=True)


class _Live:
    """A table that is drawn again in its place."""

    interval_s = LIVE_S

    def __init__(self, name: str, console: Console) -> None:
        from rich.live import Live

        self._name = name
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> _Live:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, now: Snapshot) -> None:
        """Draw the table again."""
        self._live.update(table(self._name, now), refresh=True)

    def say(self, text: str) -> None:
        """Print a message above the table."""
        self._live.console.print(text, style="yellow", highlight=False)


class _Watcher:
    """Looks at the study from time to time, seldom enough to cost next to nothing."""

    def __init__(self, study: Study, reader: Store, n_trials: int, n_before: int, display: _Plain | _Live) -> None:
        self._study = study
        self._reader = reader
        self._n_trials = n_trials
        self._n_before = n_before
        self._display = display
        self._started = time.monotonic()

    def run(self, bell: socket.socket) -> None:
        """Until the bell rings the end. A look that fails, as on a full disk, is the search's to tell."""
        pause = 0.0
        while True:
            if select.select([bell], [], [], pause)[0]:
                rung = bell.recv(64)
                if _END in rung:
                    break
                if signal.SIGINT in rung:
                    self._display.say(_INTERRUPTED)
            pause = max(self._display.interval_s, self._look() / _SHARE)
        self._look()

    def _look(self) -> float:
        """Show how far the study is; the seconds that took."""
        started = time.monotonic()
        with contextlib.suppress(StoreError):
            trials = self._reader.trials(self._study.name, with_steps=False)
            elapsed = time.monotonic() - self._started
            self._display.show(snapshot(self._study, trials, self._n_trials, self._n_before, elapsed))
        return time.monotonic() - started


@dataclass(frozen=True, slots=True)
class _Bell:
    """Wakes the watcher: at the end, and when a signal came."""

    reader: socket.socket
    writer: socket.socket


@contextmanager
def _bell() -> Iterator[_Bell]:
    """Signals ring it too, without touching their handlers, which are the search's."""
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        if threading.current_thread() is not threading.main_thread():
            yield _Bell(reader, writer)
            return
        before = signal.set_wakeup_fd(writer.fileno())
        try:
            yield _Bell(reader, writer)
        finally:
            signal.set_wakeup_fd(before)

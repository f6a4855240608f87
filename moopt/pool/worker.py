"""The process at the other end of the pool's pipe: takes tasks from standard input, answers on standard output.

Both carry pickled plain tuples, one after another. In: first a :class:`Setup`, then a :class:`Task` each. Out: an
:class:`Answer` to each. Functions, arguments and values travel as bytes inside the tuples, so that one that cannot be
read is an error of its own task and never of the pipe.

This file is run by its path, and imports nothing of moopt: a process is ready in a tenth of a second, and imports
what its tasks need.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, BinaryIO, NamedTuple

import cloudpickle

_GRACE_S = 1.0
_PR_SET_PDEATHSIG = 1


READY, RESULT, ERROR, OUT_OF_MEMORY = "ready", "result", "error", "out of memory"
"""What an answer is about."""


class Setup(NamedTuple):
    """What a worker must know before its first task."""

    initializer: bytes | None
    memory_limit_mb: float | None


class Task(NamedTuple):
    """One call."""

    function: bytes | None
    """None: the function of the task before."""
    arguments: bytes
    """The pair of args and kwargs."""


class Answer(NamedTuple):
    """What became of a task."""

    kind: str
    value: bytes = b""
    """The result or the exception; empty where it cannot be pickled."""
    text: str = ""
    """The exception in one line."""
    traceback: str = ""


def main() -> None:
    """Serve tasks until the pool closes the pipe, or its process is gone. ``sys.argv[1]`` is its ``sys.path``."""
    sys.path[:] = json.loads(sys.argv.pop())
    inbox, outbox = _take_pipe()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the coordinator's to decide
    _end_with_parent()
    setup = Setup(*pickle.load(inbox))
    answer = _guarded(partial(_set_up, setup), READY, setup.memory_limit_mb)
    _send(outbox, answer)
    if answer.kind == READY:
        _serve(inbox, outbox, setup.memory_limit_mb)


def _take_pipe() -> tuple[BinaryIO, BinaryIO]:
    """The pipe to the pool, out of reach of what the tasks print, read or fork."""
    inbox, outbox = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=outbox.raw.close)
    return inbox, outbox


def _end_with_parent() -> None:
    """Have Linux kill this process when the pool's is gone: a task in native code may let no thread here notice."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _set_up(setup: Setup) -> None:
    if setup.memory_limit_mb is not None:
        _limit_memory(setup.memory_limit_mb)
    if setup.initializer is not None:
        pickle.loads(setup.initializer)()


def _limit_memory(megabytes: float) -> None:
    """Make allocations beyond the limit fail at once.

    RLIMIT_DATA counts the private writable memory of the process. RLIMIT_AS would also count mapped libraries and
    reserved address space, gigabytes for numerical libraries that use almost nothing.
    """
    import resource

    size, used = int(megabytes * 1e6), _used_bytes()
    if used >= size:
        raise MemoryError(f"a worker takes {used / 1e6:.0f} MB before its first task")
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))


def _used_bytes() -> int:
    """What RLIMIT_DATA counts."""
    with open("/proc/self/status", encoding="ascii") as status:
        fields = dict(line.split(":", 1) for line in status)
    return int(fields["VmData"].split()[0]) * 1024


def _serve(inbox: BinaryIO, outbox: BinaryIO, memory_limit_mb: float | None) -> None:
    tasks: SimpleQueue[Task | None] = SimpleQueue()
    threading.Thread(target=_read, args=(inbox, tasks), daemon=True).start()
    calls = _Calls()
    while (task := tasks.get()) is not None:
        _send(outbox, _guarded(partial(calls.run, task), RESULT, memory_limit_mb))


def _read(inbox: BinaryIO, tasks: SimpleQueue[Task | None]) -> None:
    """Pass tasks on; at the pipe's end stop this process, also in the middle of a task."""
    try:
        while True:
            tasks.put(Task(*pickle.load(inbox)))
    except (EOFError, pickle.UnpicklingError):
        tasks.put(None)
    threading.Event().wait(_GRACE_S)
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)  # with what the task started
    os._exit(1)


class _Calls:
    """Remembers the last function, so that it travels once."""

    def __init__(self) -> None:
        self._pickled = b""
        self._function: Callable[..., Any] | None = None

    def run(self, task: Task) -> Any:
        if task.function is not None:
            self._pickled, self._function = task.function, None
        if self._function is None:
            self._function = pickle.loads(self._pickled)
        args, kwargs = pickle.loads(task.arguments)
        return self._function(*args, **kwargs)


def _guarded(call: Callable[[], Any], kind: str, memory_limit_mb: float | None) -> Answer:
    """The call's answer, whatever it does. A result that cannot be pickled is an error of the call."""
    try:
        result = call()
    except MemoryError as error:
        text = " ".join(f"{error}".split()) or "an allocation failed"
        limit = "" if memory_limit_mb is None else f" (memory_limit_mb is {memory_limit_mb:g})"
        return Answer(OUT_OF_MEMORY, text=f"{text}{limit}", traceback=traceback.format_exc())
    except BaseException as error:
        return Answer(ERROR, _pickled(error), _line(error), traceback.format_exc())
    try:
        return Answer(kind, cloudpickle.dumps(result))
    except Exception as error:
        text = f"the result of type {type(result).__name__} cannot be sent back: {_line(error)}"
        return Answer(ERROR, text=text, traceback=traceback.format_exc())


def _pickled(error: BaseException) -> bytes:
    """Empty where it cannot be pickled, and for SystemExit and its like, which would end the coordinator."""
    if not isinstance(error, Exception):
        return b""
    try:
        data: bytes = cloudpickle.dumps(error)
    except Exception:
        return b""
    return data


def _line(error: BaseException) -> str:
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _send(outbox: BinaryIO, answer: Answer) -> None:
    try:
        pickle.dump(tuple(answer), outbox, pickle.HIGHEST_PROTOCOL)
        outbox.flush()
    except BrokenPipeError:  # the pool is gone
        sys.exit(1)


if __name__ == "__main__":
    main()

"""One worker process and the pipe to it, from its start to its end.

It is a fresh interpreter that never runs the user's ``__main__``: what lives there travels by value, through
cloudpickle.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from typing import IO

from moopt.errors import StepTimeout, WorkerDied
from moopt.pool import worker
from moopt.pool.worker import READY, Answer, Setup, Task

WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "BLIS_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
}
"""One native thread a worker. Set when the process starts, since the libraries read them once."""

_DEATH_S = 5.0


class Process:
    """One fresh interpreter and the pipe to it."""

    def __init__(self) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-P", worker.__file__, json.dumps([str(folder) for folder in sys.path])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **WORKER_ENVIRONMENT},
            process_group=0 if os.name == "posix" else None,  # out of reach of the terminal's Ctrl+C
        )
        self._function = b""

    def set_up(self, setup: Setup) -> None:
        """Raises WorkerDied where the process does not get ready."""
        answer = self._exchange(setup)
        if answer.kind != READY:
            raise WorkerDied(f"a worker process could not be set up: {answer.text}")

    def call(self, called: bytes, arguments: bytes, timeout_s: float | None) -> Answer:
        """Call what is pickled. Raises WorkerDied, or StepTimeout once the process is killed."""
        function = None if called == self._function else called
        self._function = called
        message = Task(function, arguments)
        if timeout_s is None:
            return self._exchange(message)
        expired = threading.Event()
        timer = threading.Timer(timeout_s, self._expire, (expired,))
        timer.daemon = True
        timer.start()
        try:
            return self._exchange(message)
        finally:
            timer.cancel()
            timer.join()  # from here on it kills nothing
            if expired.is_set():
                raise StepTimeout(f"the step ran longer than step_timeout_s={timeout_s:g} and was killed") from None

    def _expire(self, expired: threading.Event) -> None:
        expired.set()
        self.kill()

    def _exchange(self, message: Setup | Task) -> Answer:
        try:
            pickle.dump(tuple(message), self._pipe(self._popen.stdin), pickle.HIGHEST_PROTOCOL)
            self._pipe(self._popen.stdin).flush()
            answer = Answer(*pickle.load(self._pipe(self._popen.stdout)))
        except (EOFError, OSError):
            raise WorkerDied(f"the worker process died: {self._death()}") from None
        except Exception:
            self.kill()
            raise WorkerDied("the task wrote into the pipe of its worker process, which was killed") from None
        return answer

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        if pipe is None:
            raise OSError("the process has no pipe")
        return pipe

    def _death(self) -> str:
        try:
            code = self._popen.wait(_DEATH_S)
        except subprocess.TimeoutExpired:
            return "it closed its pipe"
        if code >= 0:
            return f"exit code {code}"
        name = signal.Signals(-code).name if -code in {*signal.Signals} else f"signal {-code}"
        hint = "; out of memory is a common cause" if name == "SIGKILL" else ""
        return f"killed by {name}{hint}"

    def kill(self) -> None:
        """End the process and what it started."""
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, signal.SIGKILL)
        else:
            self._popen.kill()

    def close(self) -> None:
        """End an idle process in good order, any other at once."""
        for pipe in (self._popen.stdin, self._popen.stdout):
            with contextlib.suppress(OSError):
                self._pipe(pipe).close()
        try:
            self._popen.wait(_DEATH_S)
        except subprocess.TimeoutExpired:
            self.kill()
            self._popen.wait()
        self.kill()

"""Local processes survive what they run; every executor against the contract."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import types
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cloudpickle
import psutil
import pytest

from moopt.errors import SpecError, StepTimeout, UsageError, WorkerDied
from moopt.pool import WORKER_ENVIRONMENT, ProcessPool, SerialExecutor
from tests.contracts import executors
from tests.contracts.executors import CarriesOddErrors, ExecutorContract

ROOT = Path(__file__).resolve().parents[1]

# As a notebook's functions: so the workers need not import pytest and moopt, which takes longer than the tests.
for module in (sys.modules[__name__], executors):
    cloudpickle.register_pickle_by_value(module)


class TestSerialExecutor(CarriesOddErrors, ExecutorContract):
    @classmethod
    def make(cls) -> Executor:
        return SerialExecutor()


class TestProcessPool(CarriesOddErrors, ExecutorContract):
    @classmethod
    def make(cls) -> Executor:
        return ProcessPool(2)


class TestProcessPoolWithLimits(ExecutorContract):
    @classmethod
    def make(cls) -> Executor:
        return ProcessPool(1, step_timeout_s=60, memory_limit_mb=4000 if sys.platform == "linux" else None)


class TestThreadPoolOfTheStandardLibrary(ExecutorContract):
    @classmethod
    def make(cls) -> Executor:
        return ThreadPoolExecutor(2)


class TestProcessPoolOfTheStandardLibrary(ExecutorContract):
    carries_closures = False

    @classmethod
    def make(cls) -> Executor:
        return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPool]:
    with ProcessPool(1) as pool:
        yield pool


def crash() -> None:
    ctypes.string_at(0)


def ignore_sigterm_and_spin() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        pass


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def gone(pids: set[int], seconds: float = 10) -> bool:
    """Whether the processes end within the time."""
    deadline = time.monotonic() + seconds
    while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def run_script(text: str, *arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, *arguments] if folder else [sys.executable, "-c", text, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(program, env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


# A worker that dies


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda: os._exit(3), "exit code 3"),
        (lambda: os._exit(0), "exit code 0"),
        (crash, "SIGSEGV"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "SIGKILL"),
    ],
)
def test_a_worker_that_dies_fails_its_own_task_and_is_replaced(
    pool: ProcessPool, function: Callable[[], Any], told: str
) -> None:
    dying, next_one = pool.submit(function), pool.submit(os.getpid)
    with pytest.raises(WorkerDied, match=told):
        dying.result(30)
    assert next_one.result(30) != os.getpid()


def test_a_worker_that_is_killed_between_tasks_fails_one_task_at_most(pool: ProcessPool) -> None:
    os.kill(pool.submit(os.getpid).result(30), signal.SIGKILL)
    pool.submit(os.getpid).exception(30)
    assert pool.submit(abs, -1).result(30) == 1


def test_the_other_worker_goes_on_while_one_dies() -> None:
    with ProcessPool(2) as two:
        slow = two.submit(lambda: sum(range(3_000_000)))
        dying = two.submit(os._exit, 1)
        assert isinstance(dying.exception(30), WorkerDied)
        assert slow.result(30) == sum(range(3_000_000))


# Time and memory


def test_a_task_deaf_to_sigterm_is_killed_when_its_time_is_up() -> None:
    with ProcessPool(1, step_timeout_s=0.3) as limited:
        deaf, next_one = limited.submit(ignore_sigterm_and_spin), limited.submit(abs, -2)
        with pytest.raises(StepTimeout, match=r"longer than step_timeout_s=0\.3"):
            deaf.result(30)
        assert next_one.result(30) == 2


def test_what_a_killed_task_started_is_killed_with_it(tmp_path: Path) -> None:
    note = tmp_path / "pid"

    def start_another() -> None:
        note.write_text(str(subprocess.Popen(["sleep", "60"]).pid))
        time.sleep(60)

    with ProcessPool(1, step_timeout_s=0.5) as limited:
        assert isinstance(limited.submit(start_another).exception(30), StepTimeout)
    assert gone({int(note.read_text())})


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_an_allocation_over_the_limit_is_a_memory_error_and_the_worker_goes_on() -> None:
    with ProcessPool(1, memory_limit_mb=600) as limited:
        before = limited.submit(os.getpid).result(30)
        for hog in (lambda: bytearray(10**9), lambda: __import__("numpy").ones(10**9)):
            with pytest.raises(MemoryError, match="memory_limit_mb is 600"):
                limited.submit(hog).result(30)
        assert limited.submit(os.getpid).result(30) == before


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_a_limit_below_what_a_worker_takes_is_told() -> None:
    with ProcessPool(1, memory_limit_mb=1) as limited, pytest.raises(WorkerDied, match="MB before its first task"):
        limited.submit(abs, 1).result(30)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"n_workers": 0}, "n_workers is 0; give a number of processes from 1"),
        ({"n_workers": 1, "step_timeout_s": 0}, "step_timeout_s is 0; give a number above 0"),
        ({"n_workers": 1, "memory_limit_mb": -1}, "memory_limit_mb is -1; give a number above 0"),
    ],
)
def test_limits_that_cannot_be_are_refused(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        ProcessPool(**arguments)


# What is carried


def test_a_function_that_a_worker_cannot_read_is_told_each_time(
    pool: ProcessPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("only_here")
    exec("def function(): pass", module.__dict__)
    monkeypatch.setitem(sys.modules, "only_here", module)
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="only_here"):
            pool.submit(module.function).result(30)


def test_a_task_that_spoils_the_pipe_fails_alone(pool: ProcessPool) -> None:
    def write_everywhere() -> None:
        for number in range(3, 20):
            with contextlib.suppress(OSError):
                os.write(number, b"spoilt")

    with pytest.raises(WorkerDied, match="wrote into the pipe"):
        pool.submit(write_everywhere).result(30)
    assert pool.submit(abs, -3).result(30) == 3


def test_a_result_that_cannot_be_pickled_is_an_error_of_its_task(pool: ProcessPool) -> None:
    worker = pool.submit(os.getpid).result(30)
    with pytest.raises(RuntimeError, match="the result of type lock cannot be sent back"):
        pool.submit(threading.Lock).result(30)
    assert pool.submit(os.getpid).result(30) == worker


def test_a_function_that_cannot_be_pickled_is_refused_at_once(pool: ProcessPool) -> None:
    lock = threading.Lock()
    with pytest.raises(UsageError, match=r"the function cannot be sent to a worker process: .*lock"):
        pool.submit(lambda: lock)


def test_an_argument_that_cannot_be_pickled_is_refused_at_once(pool: ProcessPool) -> None:
    with pytest.raises(UsageError, match="an argument cannot be sent"):
        pool.submit(id, threading.Lock())


def test_an_error_brings_the_traceback_of_the_worker(pool: ProcessPool) -> None:
    def outer() -> float:
        return 1 / 0

    error = pool.submit(outer).exception(30)
    assert isinstance(error, ZeroDivisionError)
    assert "in outer" in error.__notes__[0]


def test_a_function_travels_once_and_again_when_it_changed() -> None:
    class Counter:
        calls = 0

        def __init__(self, start: int) -> None:
            self.start = start

        def __call__(self) -> int:
            self.calls += 1
            return self.start + self.calls

    with ProcessPool(1) as one:
        counter = Counter(0)
        assert [one.submit(counter).result(30) for _ in range(3)] == [1, 2, 3]
        counter.start = 10
        assert one.submit(counter).result(30) == 11


def test_workers_see_one_native_thread_and_this_process_is_left_alone(pool: ProcessPool) -> None:
    before = dict(os.environ)
    seen = pool.submit(lambda: dict(os.environ)).result(30)
    assert {name: seen.get(name) for name in WORKER_ENVIRONMENT} == WORKER_ENVIRONMENT
    assert dict(os.environ) == before


def test_the_initializer_runs_once_in_each_process() -> None:
    def prepare() -> None:
        os.environ["PREPARED"] = os.environ.get("PREPARED", "") + "x"

    with ProcessPool(1, initializer=prepare) as one:
        assert [one.submit(os.getenv, "PREPARED").result(30) for _ in range(2)] == ["x", "x"]


def test_an_initializer_that_raises_is_told() -> None:
    with ProcessPool(1, initializer=raise_key_error) as one, pytest.raises(WorkerDied, match="KeyError: 'lost'"):
        one.submit(abs, 1).result(30)


def raise_key_error() -> None:
    raise KeyError("lost")


# The end


def test_shutdown_leaves_no_process() -> None:
    before = children()
    pool = ProcessPool(2)
    pids = {future.result(30) for future in [pool.submit(os.getpid) for _ in range(4)]}
    pool.shutdown()
    assert pids
    assert children() == before


def test_waiting_tasks_can_be_cancelled_and_the_running_one_ends(tmp_path: Path) -> None:
    pool = ProcessPool(1)
    started = tmp_path / "started"
    running = pool.submit(spin_until_told, started, tmp_path / "go")
    waiting = [pool.submit(abs, 1) for _ in range(3)]
    wait_for(started)
    (tmp_path / "go").touch()
    pool.shutdown(wait=True, cancel_futures=True)
    assert running.result(0) == "done"
    assert all(future.cancelled() for future in waiting)


def test_a_shutdown_that_neither_waits_nor_wants_results_kills_at_once(tmp_path: Path) -> None:
    before = children()
    pool = ProcessPool(2)
    started = tmp_path / "started"
    running = pool.submit(spin_until_told, started, tmp_path / "never")
    waiting = [pool.submit(spin_until_told, started, tmp_path / "never") for _ in range(3)]
    wait_for(started)
    pool.shutdown(wait=False, cancel_futures=True)
    assert isinstance(running.exception(10), WorkerDied)
    assert not wait(waiting, timeout=10).not_done
    assert gone(children() - before)


def spin_until_told(started: Path, go: Path) -> str:
    started.touch()
    while not go.exists():
        time.sleep(0.01)
    return "done"


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


ORPHANS = """
import os, sys, time
from moopt.pool import ProcessPool

def busy():
    print("worker", os.getpid(), file=sys.stderr, flush=True)
    sum(range(10**12))

pool = ProcessPool(2)
pool.submit(os.getpid).result()
pool.submit(busy); pool.submit(busy)
time.sleep(60)
"""


def test_workers_end_in_the_middle_of_a_task_when_their_parent_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHANS], env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True
    )
    assert parent.stderr is not None
    with parent, parent.stderr:
        pids = {int(parent.stderr.readline().split()[1]) for _ in range(2)}
        assert all(psutil.pid_exists(pid) for pid in pids)
        parent.kill()
        parent.wait()
        assert gone(pids)


def test_ctrl_c_does_not_reach_the_workers(pool: ProcessPool) -> None:
    worker = pool.submit(os.getpid).result(30)
    assert os.getpgid(worker) != os.getpgid(0)
    os.kill(worker, signal.SIGINT)
    assert pool.submit(os.getpid).result(30) == worker


def test_a_program_may_end_without_shutting_its_pool_down() -> None:
    text = "from moopt.pool import ProcessPool; pool = ProcessPool(1); print(pool.submit(abs, -5).result())"
    ended = run_script(text)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "5\n", "")


def test_a_script_without_a_guard_is_not_run_again_by_its_workers(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        textwrap.dedent("""
        import dataclasses
        import os
        from moopt.pool import ProcessPool

        with open("runs", "a") as runs:
            runs.write("x")

        class Refused(Exception):
            pass

        @dataclasses.dataclass
        class Point:
            x: int

        def double(point):
            if point.x < 0:
                raise Refused(point.x)
            return Point(2 * point.x)

        pool = ProcessPool(2)
        print(pool.submit(double, Point(4)).result() == Point(8))
        try:
            pool.submit(double, Point(-1)).result()
        except Refused as error:
            print("refused", error)
        pool.submit(print, "said by a worker").result()
        pool.shutdown()
        """)
    )
    ended = run_script("", "script.py", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "True\nrefused -1\n")
    assert (tmp_path / "runs").read_text() == "x"


def test_what_a_task_prints_goes_to_standard_error() -> None:
    text = "from moopt.pool import ProcessPool\nwith ProcessPool(1) as p: p.submit(print, 'said', flush=True).result()"
    ended = run_script(text)
    assert (ended.stdout, ended.stderr) == ("", "said\n")

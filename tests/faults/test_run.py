"""A real ``moopt run`` that is interrupted or killed: nothing finished is lost, nothing stays, and it goes on."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from moopt.errors import StoreError
from moopt.store import open_store
from moopt.trial import State, Trial
from tests.tables import write_table

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 90.0
STUDY = """
[study]
name = "t"
[data]
file = "t.csv"
target = "y"
positive = "yes"
[models]
families = ["{family}"]
[search]
n_trials = 1000
folds = 3
workers = 2
"""


class Running:
    """A ``moopt run`` in its own process group, as a shell starts it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.store = folder / "t.db"
        command = [sys.executable, "-m", "moopt", "run", "t.toml", "--store", "t.db", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        self.said = ""
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said += line

    def trials(self) -> list[Trial]:
        return stored(self.store)

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def ctrl_c(self) -> None:
        """As a terminal does: to every process of the group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> int:
        code = self.process.wait(PATIENCE_S)
        self._listener.join(PATIENCE_S)
        return code

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)


def stored(path: Path) -> list[Trial]:
    """The study's trials; none before the run has made its store."""
    try:
        store = open_store(path, read_only=True, create=False)
    except StoreError:
        return []
    try:
        return store.trials("t") if store.studies() else []
    finally:
        store.close()


def finished(trials: list[Trial]) -> dict[int, Trial]:
    return {trial.number: trial for trial in trials if trial.state.finished}


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts a run in a folder with data and a study file; what still runs at the end is killed."""
    runs: list[Running] = []

    def start(*arguments: str, family: str = "tree", n_rows: int = 90) -> Running:
        write_table(tmp_path / "t.csv", n_rows)
        (tmp_path / "t.toml").write_text(STUDY.format(family=family))
        runs.append(Running(tmp_path, *arguments))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.process.kill()
        run.end()
        for pipe in (run.process.stdout, run.process.stderr):
            assert pipe is not None
            pipe.close()


def go_on(started: Callable[..., Running], before: dict[int, Trial], **table: object) -> None:
    """The same command finishes what was begun, and leaves what was finished as it was."""
    again = started("--trials", str(len(before) + 2), "--json", **table)
    assert again.process.stdout is not None
    shown = json.loads(again.process.stdout.read())
    assert again.end() == 0, again.said
    after = finished(again.trials())
    assert shown["n_done"] == len(after) >= len(before)
    assert {number: after[number] for number in before} == before
    assert all(trial.state is State.COMPLETE for trial in after.values())


def test_ctrl_c_once_finishes_the_running_steps_and_the_same_command_goes_on(started: Callable[..., Running]) -> None:
    run = started()
    run.until(lambda: len(finished(run.trials())) >= 2)
    workers = run.workers()
    run.ctrl_c()
    assert run.end() == 130
    assert "the running steps are finished first" in run.said
    assert "the same command goes on" in run.said
    assert "Traceback" not in run.said
    assert workers
    assert not any(worker.is_running() for worker in workers)
    before = finished(run.trials())
    assert all(trial.state is State.COMPLETE for trial in before.values())
    go_on(started, before)


def test_ctrl_c_twice_stops_at_once_and_the_same_command_goes_on(started: Callable[..., Running]) -> None:
    slow = {"family": "mlp", "n_rows": 6000}
    run = started(**slow)
    run.until(lambda: any(trial.state is State.RUNNING for trial in run.trials()) and len(run.workers()) == 2)
    workers = run.workers()
    run.ctrl_c()
    run.until(lambda: "again stops at once" in run.said)
    run.ctrl_c()
    assert run.end() == 130
    assert "Stopped at once" in run.said
    assert "Traceback" not in run.said
    assert not any(worker.is_running() for worker in workers)
    go_on(started, finished(run.trials()), **slow)


def test_after_a_kill_no_process_stays_and_the_same_command_goes_on(started: Callable[..., Running]) -> None:
    run = started()
    run.until(lambda: len(finished(run.trials())) >= 2)
    workers = run.workers()
    run.process.kill()
    run.end()
    assert psutil.wait_procs(workers, timeout=PATIENCE_S)[1] == []
    go_on(started, finished(run.trials()))

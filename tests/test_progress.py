"""What is shown while a study runs, and that looking changes nothing."""

import io
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

import moopt
from moopt.progress import Snapshot, clock, line, snapshot, table, watching

NOW = Snapshot(
    n_trials=100, n_done=34, n_failed=1, n_stopped=0, n_front=12, hypervolume=0.8131, elapsed_s=62.0, remaining_s=120.4
)  # fmt: skip


def made(store: Path | None = None) -> moopt.Study:
    objectives = [moopt.Objective("a"), moopt.Objective("b")]
    return moopt.create_study("s", {"x": (0.0, 1.0)}, objectives, store=store, algorithm="random", seed=0)


def values(config: dict[str, float]) -> dict[str, float]:
    if config["x"] > 0.9:
        raise ValueError("too large")
    return {"a": config["x"], "b": 1 - config["x"]}


def console(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=100, color_system=None)


def shown(on: Console) -> str:
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue()


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (3599, "59:59"), (3600, "1:00:00")])
def test_times_are_minutes_and_seconds(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_a_line_says_how_far_the_study_is() -> None:
    assert line(NOW) == "34/100 trials, 12 on the front, hypervolume 0.813, 1 failed, about 2:00 left"


def test_a_line_counts_the_trials_that_were_stopped() -> None:
    assert "1 failed, 5 stopped early, about" in line(replace(NOW, n_stopped=5))


def test_a_table_says_the_same() -> None:
    on = console(terminal=False)
    on.print(table("churn", NOW))
    for text in ("study churn", "34 of 100", "12", "0.813", "1:02", "2:00"):
        assert text in shown(on)


def test_a_snapshot_counts_and_expects_the_rest_at_this_runs_pace() -> None:
    study = made()
    study.optimize(values, n_trials=10)
    trials = study.store.trials("s")
    now = snapshot(study, trials, n_trials=16, n_before=7, elapsed_s=30.0)
    assert (now.n_done, now.n_failed + now.n_front) == (10, 10)
    assert now.remaining_s == 60.0
    assert snapshot(study, trials, n_trials=16, n_before=10, elapsed_s=1.0).remaining_s is None


@pytest.mark.parametrize("in_a_file", [False, True])
@pytest.mark.parametrize("terminal", [False, True])
def test_a_study_is_watched_to_its_end(tmp_path: Path, in_a_file: bool, terminal: bool) -> None:
    study = made(tmp_path / "s.db" if in_a_file else None)
    on = console(terminal=terminal)
    with watching(study, 6, on):
        study.optimize(values, n_trials=6)
    text = shown(on)
    assert ("6 of 6" if terminal else "6/6 trials") in text
    assert "Ctrl+C" not in text


def test_the_first_ctrl_c_is_told_and_left_to_the_search(tmp_path: Path) -> None:
    def interrupted(config: dict[str, float]) -> dict[str, float]:
        os.kill(os.getpid(), signal.SIGINT)
        return {"a": config["x"], "b": 1.0}

    study = made(tmp_path / "s.db")
    on = console(terminal=False)
    with watching(study, 50, on):
        stop = study.optimize(interrupted, n_trials=50)
    assert stop.value == "interrupted"
    assert "Ctrl+C again stops at once" in shown(on)
    assert len(study.store.trials("s")) < 50


def test_an_error_of_the_search_passes_through() -> None:
    with pytest.raises(KeyError), watching(made(), 5, console(terminal=True)):
        raise KeyError("lost")

"""What a reader asks of a running search, through the store, is what the search does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import moopt
from moopt import requests
from moopt.engine.loop import Stop
from moopt.requests import Request
from moopt.store import open_store
from moopt.store.base import Store
from moopt.study import Study
from moopt.trial import Config, State, StepResult

PATIENCE_S = 30.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for requests all the time."""
    monkeypatch.setattr("moopt.requests.LOOK_S", 0.005)
    monkeypatch.setattr("moopt.engine.loop.LOOK_S", 0.005)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s.db"


def made(path: Path, n_steps: int = 1) -> Study:
    objectives = [moopt.Objective("a"), moopt.Objective("b")]
    return moopt.create_study(
        "s", {"x": (0.0, 1.0)}, objectives, algorithm="random", store=path, seed=0, n_steps=n_steps
    )


def values(config: dict[str, Any]) -> dict[str, float]:
    return {"a": config["x"], "b": 1 - config["x"]}


@contextmanager
def searching(path: Path, function: Callable[[dict[str, Any]], dict[str, float]], n: int) -> Iterator[list[Stop]]:
    """A search of the study in a thread of its own; what it says at its end is put into the list."""
    ends: list[Stop] = []
    thread = threading.Thread(target=lambda: ends.append(moopt.load_study(path).optimize(function, n_trials=n)))
    thread.start()
    try:
        yield ends
    finally:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def until(happened: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(3000):
        if happened():
            return
        waiting.wait(0.01)
    pytest.fail("it never happened")


def n_done(store: Store) -> int:
    return sum(trial.state.finished for trial in store.trials("s", with_steps=False))


def test_a_search_that_is_asked_to_stop_ends_keeps_all_and_goes_on_when_run_again(path: Path) -> None:
    made(path)
    reader = open_store(path, read_only=True)

    def asks_in_its_third_trial(config: dict[str, Any]) -> dict[str, float]:
        if n_done(reader) == 2:
            requests.ask(reader, "s", Request.STOP)
        return values(config)

    study = moopt.load_study(path)
    assert study.optimize(asks_in_its_third_trial, n_trials=500) is Stop.ASKED
    n_kept = n_done(reader)
    assert 3 <= n_kept < 500
    assert study.stopped is not None
    assert (study.stopped["why"], study.stopped["reason"]) == ("asked", "stopped on request")
    assert not reader.is_running("s")

    assert study.optimize(values, n_trials=n_kept + 3) is Stop.TRIALS
    assert n_done(reader) == n_kept + 3
    assert requests.asked(reader.study("s")) is None


def test_a_paused_search_starts_nothing_until_the_pause_is_lifted(path: Path) -> None:
    made(path)
    reader = open_store(path, read_only=True)

    def asks_once(config: dict[str, Any]) -> dict[str, float]:
        if n_done(reader) == 2:
            requests.ask(reader, "s", Request.PAUSE)
        return values(config)

    with searching(path, asks_once, 200) as ends:
        until(lambda: requests.asked(reader.study("s")) is Request.PAUSE)
        threading.Event().wait(0.2)
        n_paused = n_done(reader)
        threading.Event().wait(0.2)
        assert n_done(reader) == n_paused < 200
        assert reader.is_running("s")
        assert not ends
        requests.ask(reader, "s", None)
    assert ends == [Stop.TRIALS]
    assert n_done(reader) == 200


def test_a_paused_search_can_be_stopped(path: Path) -> None:
    made(path)
    reader = open_store(path, read_only=True)

    def pauses(config: dict[str, Any]) -> dict[str, float]:
        if n_done(reader) == 1:
            requests.ask(reader, "s", Request.PAUSE)
        return values(config)

    with searching(path, pauses, 500) as ends:
        until(lambda: requests.asked(reader.study("s")) is Request.PAUSE)
        requests.ask(reader, "s", Request.STOP)
    assert ends == [Stop.ASKED]


def test_steps_that_were_not_done_at_a_stop_are_done_when_it_goes_on(path: Path) -> None:
    study = made(path, n_steps=3)
    reader = open_store(path, read_only=True)

    class Folds:
        n_steps = 3

        def __call__(self, config: Config, step: int) -> tuple[StepResult, ...]:
            if n_done(reader) == 1 and step == 0:
                requests.ask(reader, "s", Request.STOP)
            return (StepResult(values(dict(config))),)

    assert study.optimize(Folds(), n_trials=4) is Stop.ASKED
    assert len(reader.trials("s")) < 4
    assert study.optimize(Folds(), n_trials=4) is Stop.TRIALS
    assert [(trial.state, len(trial.steps)) for trial in reader.trials("s")] == [(State.COMPLETE, 3)] * 4


def test_a_request_of_before_the_search_is_none(path: Path) -> None:
    study = made(path)
    requests.ask(study.store, "s", Request.STOP)
    assert study.optimize(values, n_trials=3) is Stop.TRIALS
    assert study.store.study("s").attributes["wanted"]["n_trials"] == 3


def test_what_is_no_request_is_none(path: Path) -> None:
    study = made(path)
    for stated in ("explode", 3, None, ["stop"], {"stop": 1}):
        study.store.set_attribute("s", requests.ASKED_TO, stated)
        assert requests.asked(study.store.study("s")) is None


def test_a_study_in_memory_hears_too() -> None:
    objectives = [moopt.Objective("a"), moopt.Objective("b")]
    study = moopt.create_study("s", {"x": (0.0, 1.0)}, objectives, algorithm="random", seed=0)

    def asks(config: dict[str, Any]) -> dict[str, float]:
        requests.ask(study.store, "s", Request.STOP)
        return values(config)

    assert study.optimize(asks, n_trials=500) is Stop.ASKED

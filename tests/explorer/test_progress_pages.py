"""The pages Progress and Studies, notes and files: what stands on them, and what their widgets do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import moopt
from moopt import requests
from moopt.engine.loop import Stop
from moopt.requests import Request
from moopt.store import artefacts, open_store
from moopt.store.base import Store
from moopt.trial import Config, StepResult
from moopt_explorer import influence
from moopt_explorer.data import Snapshot
from moopt_explorer.influence import Influence
from tests.explorer import synthetic
from tests.explorer.pages import Open, offered, take, turned, words

OBJECTIVES = (moopt.Objective("accuracy", "maximize"), moopt.Objective("latency_ms"))
ODD = "<img src=x onerror=alert(1)>'\"🙂 _*`"


class Folds:
    """Two folds, with scores on training rows; what a test wants to happen in a step happens first."""

    n_steps = 2

    def __init__(self, first: Callable[[], object] = lambda: None) -> None:
        self._first = first

    def __call__(self, config: Config, step: int) -> tuple[StepResult, ...]:
        self._first()
        x = float(config["x"] or 0)
        scores = {"accuracy": 0.7 + 0.2 * x - 0.01 * step, "latency_ms": 1 + 5 * x}
        return (StepResult(scores, {"accuracy": 1.0}),)


def searched(path: Path, n_trials: int, name: str = "s", algorithm: str = "random") -> moopt.Study:
    """A small study that was searched."""
    space = {"x": (0.0, 1.0), "y": (0.0, 1.0)}
    study = moopt.create_study(name, space, OBJECTIVES, algorithm=algorithm, store=path, seed=0, n_steps=2)
    if n_trials:
        study.optimize(Folds(), n_trials=n_trials)
    return study


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "study.db"


def labels(app: AppTest) -> list[str]:
    return [one.label for one in app.button]


def press(app: AppTest, label: str) -> AppTest:
    return next(one for one in app.button if one.label == label).click().run()


def found_out(app: AppTest) -> AppTest:
    """The page with all that is found out beside it."""
    while "Being found out" in words(app):
        app.run()
    return app


# Progress


def test_the_page_tells_how_far_a_study_is_and_what_moves_it(explorer: Open, path: Path) -> None:
    searched(path, 30)
    app = found_out(turned(explorer(path), "progress"))
    told = words(app)
    assert "<b>30</b><small>of 30</small>" in told
    assert "of the present hypervolume was reached after" in told
    assert "Its search ended: all trials are done." in told
    assert "call optimize (or fit)" in told
    assert "overfit" in told
    assert "Learned from 30 complete trials." in told
    app.selectbox(key="moopt explained").set_value("latency_ms").run()
    assert app.query_params["explain"] == "latency_ms"
    app.selectbox(key="moopt along").set_value("y").run()
    assert app.query_params["along"] == "y"
    words(app)


def test_the_page_stands_while_importance_is_being_found_out(
    explorer: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched(path, 12)
    may_go_on, found = threading.Event(), influence.find_out

    def held(snapshot: Snapshot) -> Influence:
        may_go_on.wait(60)
        return found(snapshot)

    monkeypatch.setattr(influence, "find_out", held)
    app = turned(explorer(path), "progress")
    told = words(app)
    assert "Being found out from 12 complete trials" in told
    assert "of the present hypervolume was reached after" in told
    assert "Learned from" not in told
    may_go_on.set()
    assert "Learned from 12 complete trials." in words(found_out(app))


def test_what_cannot_be_found_out_is_an_error_on_the_page(
    explorer: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched(path, 12)

    def broken(_: Snapshot) -> Influence:
        raise ValueError("no forest stands here")

    monkeypatch.setattr(influence, "find_out", broken)
    app = turned(explorer(path), "progress")
    while not app.exception:
        app.run()
    assert app.exception[0].message == "no forest stands here"


def test_failures_are_listed_by_what_they_say(explorer: Open, filled: Callable[..., Path]) -> None:
    app = turned(explorer(filled(60, failures=0.2)), "progress")
    opened = next(one for one in app.expander if "failed trial" in one.label)
    table = opened.dataframe[0].value
    assert table["trials"].sum() == int(opened.label.split()[0])
    assert table["message"].str.contains("<b>", regex=False).all()
    assert "Nothing was measured on training rows" in words(app)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_small_study_has_a_page_too(explorer: Open, filled: Callable[..., Path], count: int) -> None:
    words(turned(explorer(filled(count)), "progress"))


@pytest.mark.parametrize("count", [1, 8])
def test_any_number_of_objectives_has_a_page(explorer: Open, filled: Callable[..., Path], count: int) -> None:
    words(turned(explorer(filled(40, synthetic.objectives(count))), "progress"))


def test_the_command_that_goes_on_is_shown(explorer: Open, path: Path) -> None:
    study = searched(path, 3)
    study.store.set_attribute("s", "command", "moopt run churn.toml --store 'my <b>.db'")
    app = turned(explorer(path), "progress")
    assert [one.value for one in app.code] == ["moopt run churn.toml --store 'my <b>.db'"]


def test_a_running_study_is_paused_continued_and_stopped_from_the_page(
    explorer: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moopt.requests.LOOK_S", 0.005)
    monkeypatch.setattr("moopt.engine.loop.LOOK_S", 0.005)
    searched(path, 0)
    reader = open_store(path, read_only=True)
    ends: list[Stop] = []
    waits = threading.Event()
    evaluator = Folds(lambda: waits.wait(0.02))
    search = threading.Thread(target=lambda: ends.append(moopt.load_study(path).optimize(evaluator, n_trials=5000)))
    search.start()
    try:
        until(lambda: n_done(reader) > 2)
        app = turned(explorer(path), "progress")
        assert "in flight" in words(app)
        press(app, "Pause")
        assert requests.asked(reader.study("s")) is Request.PAUSE
        assert "No new step starts until it goes on" in words(app)
        until(lambda: paused(reader))
        press(app, "Continue")
        n_before = n_done(reader)
        until(lambda: n_done(reader) > n_before)
        press(app, "Stop")
        search.join(30)
        assert ends == [Stop.ASKED]
        assert "Its search ended: stopped on request." in words(app.run())
        assert "Stop" not in labels(app)
    finally:
        requests.ask(reader, "s", Request.STOP)
        search.join(30)


def n_done(store: Store) -> int:
    return sum(trial.state.finished for trial in store.trials("s", with_steps=False))


def paused(store: Store) -> bool:
    """Whether nothing is written for a while."""
    before = store.revision("s")
    threading.Event().wait(0.15)
    return store.revision("s") == before


def until(happened: Callable[[], bool]) -> None:
    for _ in range(3000):
        if happened():
            return
        threading.Event().wait(0.01)
    pytest.fail("it never happened")


def test_a_study_that_is_asked_and_told_is_left_to_its_program(explorer: Open, path: Path) -> None:
    study = searched(path, 0)
    with study:
        study.ask()
        app = turned(explorer(path), "progress")
        assert "driven by ask and tell" in words(app)
        assert "Stop" not in labels(app)


# Studies


@pytest.fixture
def two(path: Path) -> Path:
    searched(path, 12, "first")
    searched(path, 15, ODD, algorithm="sobol")
    return path


def test_the_studies_are_listed_and_one_is_chosen(explorer: Open, two: Path) -> None:
    app = turned(explorer(two), "studies")
    table = app.dataframe[0].value
    assert table["study"].tolist() == ["first", ODD]
    assert table["trials"].tolist() == [12, 15]
    assert table["algorithm"].tolist() == ["random", "sobol"]
    app.selectbox(key="moopt study").set_value("first").run()
    assert app.query_params["study"] == "first"
    assert "12 trials" in words(app)


def test_two_fronts_are_compared_and_the_link_keeps_them(explorer: Open, two: Path) -> None:
    app = turned(explorer(two), "studies")
    app.selectbox(key="moopt rival").set_value("first").run()
    assert app.query_params["with"] == "first"
    told = words(app)
    assert ">dominated by the other</th>" in told
    assert "&lt;img src=x" in told
    assert "<img" not in told
    app.selectbox(key="moopt rival").set_value("").run()
    assert "with" not in app.query_params
    again = turned(explorer(two, **{"with": "no such study"}), "studies")
    assert "dominated by the other" not in words(again)


def test_a_study_alone_says_how_another_comes(explorer: Open, path: Path) -> None:
    searched(path, 3)
    assert "holds no other study" in words(turned(explorer(path), "studies"))


def test_a_study_is_renamed(explorer: Open, two: Path) -> None:
    app = turned(explorer(two, study="first"), "studies")
    app.text_input(key="moopt rename first").set_value("churn & <b>co</b> 🙂").run()
    press(app, "Rename")
    assert app.query_params["study"] == "churn & <b>co</b> 🙂"
    assert names(two) == ["churn & <b>co</b> 🙂", ODD]
    assert "12 trials" in words(app)


def test_a_taken_name_is_refused_in_words(explorer: Open, two: Path) -> None:
    app = turned(explorer(two, study="first"), "studies")
    app.text_input(key="moopt rename first").set_value(ODD).run()
    press(app, "Rename")
    assert "already" in words(app)
    press(app, "Rename")
    assert names(two) == ["first", ODD]


def test_a_study_is_deleted_only_when_its_name_is_written(explorer: Open, two: Path) -> None:
    app = turned(explorer(two), "studies")
    press(app, "Delete for good")
    assert "Nothing was deleted" in words(app)
    app.text_input(key=f"moopt delete {ODD}").set_value("first").run()
    press(app, "Delete for good")
    assert names(two) == ["first", ODD]
    app.text_input(key=f"moopt delete {ODD}").set_value(ODD).run()
    press(app, "Delete for good")
    assert names(two) == ["first"]
    assert "12 trials" in words(app)
    app.text_input(key="moopt delete first").set_value("first").run()
    press(app, "Delete for good")
    assert names(two) == []
    assert "holds no study yet" in words(app)


def test_a_deleted_study_leaves_none_of_its_files(explorer: Open, two: Path) -> None:
    store = open_store(two)
    theirs = artefacts.keep(store, "first", 0, "skops", b"both have it")
    artefacts.keep(store, ODD, 0, "skops", b"both have it")
    own = artefacts.keep(store, ODD, 1, "skops", b"its own")
    folder = two.with_name("study.artefacts")
    assert {one.name for one in folder.iterdir()} == {theirs.path, own.path}
    for name, left in ((ODD, [theirs.path]), ("first", None)):
        app = turned(explorer(two, study=name), "studies")
        app.text_input(key=f"moopt delete {name}").set_value(name).run()
        press(app, "Delete for good")
        assert ([one.name for one in folder.iterdir()] if folder.exists() else None) == left
    store.close()


def test_a_study_that_is_being_written_is_neither_renamed_nor_deleted(explorer: Open, two: Path) -> None:
    app = turned(explorer(two, study="first"), "studies")
    app.text_input(key="moopt rename first").set_value("other").run()
    app.text_input(key="moopt delete first").set_value("first").run()
    with open_store(two).write("first"):
        press(app, "Rename")
        assert "is being written" in words(app)
        press(app, "Delete for good")
        assert "is being written" in words(app)
    assert names(two) == ["first", ODD]


def names(path: Path) -> list[str]:
    return [one.name for one in open_store(path, read_only=True).studies()]


# Notes and files


def test_a_note_is_kept_with_the_trial_and_shown_as_text(explorer: Open, filled: Callable[..., Path]) -> None:
    path = filled(40)
    app = turned(take(explorer(path)), "decide")
    number = int(app.query_params["pick"])
    app.text_area(key=f"moopt note {number}").set_value("<b>ask Ada</b> 🙂").run()
    press(app, "Add the note")
    assert open_store(path, read_only=True).trial("churn", number).notes == ("<b>ask Ada</b> 🙂",)
    assert "&lt;b&gt;ask Ada&lt;/b&gt; 🙂" in words(app)
    assert app.text_area(key=f"moopt note {number}").value == ""
    press(app, "Add the note")
    assert len(open_store(path, read_only=True).trial("churn", number).notes) == 1


def test_the_front_is_offered_as_files(explorer: Open, filled: Callable[..., Path]) -> None:
    app = turned(explorer(filled(40)), "decide")
    assert offered(app) == ["The front as CSV", "The front as Parquet"]

"""Studies of every shape on every page: nothing breaks, and what they hold is shown as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from moopt.objectives import Objective
from moopt.store import open_store
from moopt.store.base import Store
from moopt.trial import Source, State, StepResult, Trial
from tests.explorer import synthetic
from tests.explorer.pages import Open, turned, words

PAGES = ("explore", "tradeoffs", "compare", "decide", "progress", "studies")
ODD = "<img src=x onerror=alert(1)>'\"🙂 _*`" + "n" * 270
ODD_OBJECTIVES = (Objective(ODD, "maximize"), Objective("</style><script>alert(1)</script>", log=True))


def on_every_page(explorer: Open, path: Path, **query: str) -> dict[str, str]:
    """What each page says, once it is drawn."""
    app = explorer(path, **query)
    return {page: words(turned(app, page)) for page in PAGES}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "study.db")
    yield opened
    opened.close()


@pytest.mark.parametrize("count", [1, 2, 8])
def test_any_number_of_objectives(explorer: Open, store: Store, tmp_path: Path, count: int) -> None:
    synthetic.fill(store, "churn", 40, of=synthetic.objectives(count))
    app = explorer(tmp_path / "study.db")
    pick = next(one.label for one in app.button if one.label.startswith("Take recommended")).split("#")[1]
    told = on_every_page(explorer, tmp_path / "study.db", pick=pick, compare=f"0,{pick}")
    assert f"Trial {pick} " in told["decide"]
    assert f'<th scope="col">#0</th><th scope="col">#{pick}</th>' in told["compare"]
    assert all(f"#{pick}" in text for text in told.values())


def test_a_study_without_a_trial(explorer: Open, store: Store, tmp_path: Path) -> None:
    synthetic.create(store, "churn")
    told = on_every_page(explorer, tmp_path / "study.db")
    assert "This study has no trial yet" in told["explore"]
    assert "nothing to decide on" in told["decide"]
    assert "nothing to trade" in told["tradeoffs"]
    assert "nothing to compare" in told["compare"]
    assert "No trial is complete yet" in told["progress"]


def test_a_study_of_one_trial(explorer: Open, store: Store, tmp_path: Path) -> None:
    synthetic.fill(store, "churn", 1)
    told = on_every_page(explorer, tmp_path / "study.db", pick="0")
    assert "It is the only trial on the front" in told["decide"]
    assert "Choose two to four trials" in told["compare"]


def test_a_study_that_only_failed(explorer: Open, store: Store, tmp_path: Path) -> None:
    synthetic.create(store, "churn")
    with store.write("churn") as writer:
        synthetic.grow(writer, 1, 4, failures=1.0)
    told = on_every_page(explorer, tmp_path / "study.db", pick="1")
    assert "All 4 trials failed, most often with: timeout" in told["explore"]
    assert "No trial is complete" in told["progress"]


def test_names_are_shown_as_text(explorer: Open, store: Store, tmp_path: Path) -> None:
    for name in (ODD, "other"):
        synthetic.fill(store, name, 30, of=ODD_OBJECTIVES)
    told = on_every_page(explorer, tmp_path / "study.db", study=ODD, **{"with": "other", "pick": "0"})
    for page, text in told.items():
        assert not re.search(r"<img|<script", text), page
    assert all("&lt;img src=x" in told[page] for page in PAGES)


N_MANY = 100_000


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one study of 100,000 trials, written in one commit."""
    path = tmp_path_factory.mktemp("many") / "many.db"
    of = synthetic.FOUR[:3]
    opened = open_store(path)
    synthetic.create(opened, "small", of)
    record = opened.study("small")
    opened.delete_study("small")
    opened.create_study(record, trials=[_plain(number) for number in range(N_MANY)])
    opened.close()
    return path


def _plain(number: int) -> Trial:
    """A trial whose values fill a cloud below a front of some hundred."""
    x, waste = (number * 0.618034) % 1.0, (number * 0.754877) % 1.0
    values = {"accuracy": 0.7 + 0.25 * x - 0.2 * waste, "recall": 0.9 - 0.2 * x * x - 0.1 * waste}
    values["latency_ms"] = 0.1 * 10 ** (2 * x + waste)
    return Trial(
        number,
        {"depth": 1 + number % 20, "rate": x},
        source=Source.SEARCH if number else Source.DEFAULT,
        state=State.COMPLETE,
        fit=number,
        steps={0: StepResult(values)},
        values=values,
        finished_at=float(number),
    )


def test_a_hundred_thousand_trials(explorer: Open, many: Path) -> None:
    told = on_every_page(explorer, many, pick="0")
    assert f"{N_MANY:,} trials" in told["explore"]
    assert f"<b>{N_MANY:,}</b>" in told["progress"]
    assert "The front as it grew" in told["progress"]
    assert "Trial 0 " in told["decide"]

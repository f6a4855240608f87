"""A study's diary as one file: what it tells, that it is well-formed and loads nothing."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner

import moopt
from moopt.cli import app
from moopt.confirmed import pack_draws
from moopt.errors import UsageError
from moopt.report import write
from moopt.store.base import Store
from moopt.trial import Confirmation, Decision

NAME = "<b>churn</b> | 🌳"
SPACE = {"x": (0.0, 1.0), "kind": ["<i>a</i>", "b|c"]}
TWO = [moopt.Objective("error", limit=2), moopt.Objective("latency_ms", log=True)]


def evaluated(config: dict[str, object]) -> dict[str, float]:
    x = float(config["x"])  # type: ignore[arg-type]  # a float by the space
    if x > 0.8:
        raise ValueError("<script>too | large</script>")
    return {"error": 1 - x, "latency_ms": 1 + 5 * x}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    study = moopt.create_study(
        NAME, SPACE, TWO, algorithm="random", store=tmp_path_factory.mktemp("report") / "s.db", seed=0
    )
    study.optimize(evaluated, n_trials=30)
    chosen = int(study.front()["number"].iloc[0])
    study.store.add_decision(NAME, Decision(chosen, {"error": 2.0}, "knee", "it is <cheap>", 5.0))
    study.store.add_note(NAME, chosen, "look & see")
    return study.store


def page(path: Path) -> tuple[str, ElementTree.Element]:
    text = path.read_text(encoding="utf-8")
    return text, ElementTree.fromstring(text)


def told(root: ElementTree.Element) -> str:
    return " ".join(root.itertext())


def test_the_page_tells_the_search_the_failures_the_front_the_choice_and_the_notes(
    store: Store, tmp_path: Path
) -> None:
    text, root = page(write(store, NAME, tmp_path / "r.html"))
    said = told(root)
    for part in (NAME, "random", "<i>a</i>", "too | large", "it is <cheap>", "look & see", "Diary", "kind"):
        assert part in said
    assert "<script" not in text
    charts = root.findall(".//svg")
    assert len(charts) == 4
    assert all(chart.get("aria-label") and chart.find("title") is not None for chart in charts)


def test_the_page_loads_nothing(store: Store, tmp_path: Path) -> None:
    text, root = page(write(store, NAME, tmp_path / "r.html"))
    assert not re.search(r"https?:|url\(|@import", text)
    assert not [one for one in root.iter() if {"src", "href", "onload"} & set(one.attrib)]


def test_tables_in_markdown_have_as_many_cells_as_their_header(store: Store, tmp_path: Path) -> None:
    text = write(store, NAME, tmp_path / "r.md").read_text(encoding="utf-8")
    assert "<" not in text
    tables = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    assert len(tables) >= 6
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table


@pytest.mark.parametrize("n_trials", [0, 3])
@pytest.mark.parametrize("ending", ["html", "md"])
def test_without_a_complete_trial_it_says_so(tmp_path: Path, n_trials: int, ending: str) -> None:
    study = moopt.create_study("s", SPACE, TWO, algorithm="random", store=tmp_path / "s.db", seed=0)
    for _ in range(n_trials):
        study.tell(study.ask(), None, reason="broken")
    text = write(study.store, "s", tmp_path / f"r.{ending}").read_text(encoding="utf-8")
    assert "there is no front" in text
    assert ("broken" in text) == (n_trials > 0)


def test_a_confirmed_front_stands_beside_what_the_search_said(tmp_path: Path) -> None:
    study = moopt.create_study("s", SPACE, TWO, algorithm="random", store=tmp_path / "s.db", seed=0)
    study.optimize(lambda config: {"error": config["x"], "latency_ms": 2 - config["x"]}, n_trials=4)
    for number in study.front()["number"]:
        score = {"value": 0.25, "low": 0.125, "high": 0.5, "confidence": 0.9}
        draws = pack_draws(np.full((50, 1), 0.25))
        measures = {"scores": {"error": score}, "look": 1, "n_rows": 300, "draws": draws}
        study.store.add_confirmation("s", Confirmation(int(number), {"processor": "<p>", "cores": 2}, measures, 9.0))
    text = write(study.store, "s", tmp_path / "r.md").read_text(encoding="utf-8")
    assert "| error |" in text
    assert "| 0.25 | 0.125 | 0.5 |" in text
    assert "The test split was scored 1 time." in text
    assert "confirmed on: &lt;p&gt;, 2 cores" in text
    assert "On test rows 1 of its 4 trials are still not dominated" in text


def test_one_objective_is_reported_too(tmp_path: Path) -> None:
    study = moopt.create_study("s", SPACE, TWO[:1], algorithm="random", store=tmp_path / "s.db", seed=0)
    study.optimize(lambda config: {"error": config["x"]}, n_trials=12)
    _, root = page(write(study.store, "s", tmp_path / "r.html"))
    assert len(root.findall(".//svg")) == 2


def test_a_file_is_replaced_only_when_asked(store: Store, tmp_path: Path) -> None:
    path = write(store, NAME, tmp_path / "r.html")
    path.write_text("mine")
    with pytest.raises(UsageError, match="exists; give another file, or --force"):
        write(store, NAME, path)
    assert path.read_text() == "mine"
    write(store, NAME, path, force=True)
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_the_command_writes_it_and_says_what_cannot_be(store: Store, tmp_path: Path) -> None:
    def run(*more: str) -> tuple[int, str]:
        ended = CliRunner().invoke(app, ["report", store.location, *more])
        return ended.exit_code, ended.output

    out = str(tmp_path / "r.md")
    assert run("--out", out)[0] == 0
    assert run("--out", out)[0] == 2
    assert run("--out", out, "--force")[0] == 0
    assert run("--out", str(tmp_path / "r.pdf")) == (
        2,
        "moopt: the report is to be 'r.pdf'; let it end in .html or .md, or give --format\n",
    )
    code, said = run("--out", str(tmp_path / "r.pdf"), "--format", "htm")
    assert (code, "did you mean 'html'?" in said) == (2, True)
    assert run("--out", str(tmp_path / "no" / "r.md"))[0] == 1
    assert run("--out", out, "--study", "other", "--force")[0] == 1

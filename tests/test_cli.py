"""The command line: what it prints, where, and with which exit code."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import moopt
import moopt.errors
from moopt.cli import app
from moopt.confirmed import pack_draws
from moopt.store import open_store
from moopt.trial import Confirmation, State
from tests.tables import write_table

ROOT = Path(__file__).resolve().parents[1]
STUDY = """
[data]
file = "churn.csv"
target = "y"
positive = "yes"
[models]
families = ["logistic", "tree"]
[search]
n_trials = 6
folds = 2
workers = 1
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a data file, a study file, and a store in which the study was run."""
    folder = tmp_path_factory.mktemp("cli")
    write_table(folder / "churn.csv")
    (folder / "churn.toml").write_text(STUDY)
    assert moopt_("run", folder / "churn.toml", "--store", folder / "churn.db").exit_code == 0
    return folder


@pytest.fixture
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, as the place where we are."""
    monkeypatch.chdir(folder)
    return folder


def moopt_(*arguments: str | Path, answer: str = "") -> Any:
    return CliRunner().invoke(app, [str(one) for one in arguments], input=answer, prog_name="moopt")


def failed(*arguments: str | Path) -> tuple[int, str]:
    """Exit code and message of a command that must not print anything else."""
    ended = moopt_(*arguments)
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) <= 2
    return ended.exit_code, ended.stderr


# run


def test_a_run_prints_the_front_with_units_and_what_to_do_next(here: Path) -> None:
    ended = moopt_("run", "churn.toml", "--store", "churn.db")
    assert ended.exit_code == 0
    assert "The front of churn" in ended.stdout
    assert " ms" in ended.stdout
    assert " kB" in ended.stdout
    assert "all trials are done: 6 of 6" in ended.stderr
    assert "moopt choose churn.db" in ended.stderr


def test_the_same_command_goes_on_up_to_the_total(here: Path, tmp_path: Path) -> None:
    store = tmp_path / "more.db"
    moopt_("run", "churn.toml", "--store", store, "--trials", "2")
    first = json.loads(moopt_("front", store, "--json").stdout)
    ended = moopt_("run", "churn.toml", "--store", store, "--trials", "4", "--json")
    again = json.loads(ended.stdout)
    assert (again["n_done"], again["stop"]) == (4, "trials")
    trials = {trial.number: trial for trial in open_store(store, read_only=True).trials("churn")}
    assert all(dict(trials[one["number"]].values) == one["values"] for one in first["front"])


def test_json_on_standard_output_is_nothing_else(here: Path) -> None:
    for arguments in (("run", "churn.toml", "--store", "churn.db"), ("front", "churn.db"), ("studies", "churn.db")):
        json.loads(moopt_(*arguments, "--json").stdout)


def test_a_run_may_end_by_folds_and_its_end_is_kept(here: Path, tmp_path: Path) -> None:
    store = tmp_path / "short.db"
    ended = moopt_("run", "churn.toml", "--store", store, "--max-steps", "5", "--json")
    shown = json.loads(ended.stdout)
    assert (shown["n_done"], shown["stop"]) == (2, "steps")
    (listed,) = json.loads(moopt_("studies", store, "--json").stdout)
    assert listed["stopped"] == shown["stopped"]
    assert listed["stopped"]["reason"] == "all steps are done"
    assert "steps" in moopt_("studies", store).stdout
    assert (
        json.loads(moopt_("run", "churn.toml", "--store", store, "--timeout", "0.001", "--json").stdout)["n_done"] == 2
    )
    assert failed("run", "churn.toml", "--timeout", "0")[0] == 2


def test_a_run_may_do_without_the_portfolio(here: Path, tmp_path: Path) -> None:
    assert moopt_("run", "churn.toml", "--no-portfolio", "--write-toml", tmp_path / "bare.toml").exit_code == 0
    assert "portfolio = false" in (tmp_path / "bare.toml").read_text()


def test_a_run_may_start_from_another_and_take_what_it_evaluated(here: Path, tmp_path: Path) -> None:
    again = ("--store", tmp_path / "both.db", "--trials", "3", "--reuse")
    first = moopt_("run", "churn.toml", *again, "--warm-start", "churn.db")
    assert first.exit_code == 0, first.stderr
    (tmp_path / "late.toml").write_text(STUDY.replace("churn.csv", str(here / "churn.csv")))
    second = moopt_("run", tmp_path / "late.toml", *again, "--study", "late", "--json")
    store = open_store(tmp_path / "both.db", read_only=True)
    evaluated = [trial.config for trial in store.trials("churn") if trial.state is State.COMPLETE]
    # The first run starts from a front that measured latencies decide, so how many they share differs.
    shared = [trial.config for trial in store.trials("late") if trial.config in evaluated]
    assert len(shared) >= 2
    assert json.loads(second.stdout)["n_reused"] == len(shared)
    assert f"3 of 3, {len(shared)} of them taken from other studies; hypervolume" in second.stderr


def test_what_does_not_fit_is_a_note(here: Path, tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(STUDY.replace("churn.csv", str(here / "churn.csv")).replace(', "tree"', ""))
    ended = moopt_("run", tmp_path / "one.toml", "--store", tmp_path / "one.db", "--warm-start", here / "churn.db")
    assert ended.exit_code == 0, ended.stderr
    assert "configs on the front of study 'churn' do not fit this space and are left out" in ended.stderr
    assert "note: " in ended.stderr


def test_a_run_keeps_the_command_that_goes_on(here: Path, tmp_path: Path) -> None:
    store = tmp_path / "my churn.db"
    assert moopt_("run", "churn.toml", "--trials", "3", "--no-reuse", "--store", store).exit_code == 0
    command = open_store(store, read_only=True).study("churn").attributes["command"]
    assert command == f"moopt run churn.toml --trials 3 --no-reuse --store '{store}'"


def test_a_run_that_stalls_says_so(here: Path, tmp_path: Path) -> None:
    (tmp_path / "stall.toml").write_text(
        STUDY.replace('"churn.csv"', repr(str(here / "churn.csv"))) + "stop_when_stalled = 1\n"
    )
    ended = moopt_("run", tmp_path / "stall.toml", "--store", tmp_path / "stall.db", "--trials", "60", "--json")
    assert json.loads(ended.stdout)["stop"] == "stalled"
    assert "the front has stalled: its hypervolume grew by" in ended.stderr


def test_configs_without_a_chance_are_stopped_and_counted(here: Path, tmp_path: Path) -> None:
    text = STUDY.replace('"churn.csv"', repr(str(here / "churn.csv"))).replace("folds = 2", "folds = 3")
    (tmp_path / "early.toml").write_text(
        text.replace("[search]", "[search]\nearly_stopping = 0.1\nalgorithm = 'random'")
    )
    run = ("run", tmp_path / "early.toml", "--trials", "25", "--json", "--store")
    ended = moopt_(*run, tmp_path / "early.db")
    n_stopped = json.loads(ended.stdout)["n_stopped"]
    assert n_stopped > 0
    assert f"25 of 25, {n_stopped} stopped early; hypervolume" in ended.stderr
    (listed,) = json.loads(moopt_("studies", tmp_path / "early.db", "--json").stdout)
    assert listed["n_stopped"] == n_stopped
    assert json.loads(moopt_(*run, tmp_path / "whole.db", "--no-early-stopping").stdout)["n_stopped"] == 0


def test_a_data_file_needs_its_target(here: Path) -> None:
    assert failed("run", "churn.csv") == (
        2,
        "moopt: churn.csv is taken as a data file: name the column to predict, such as --target Churn\n",
    )


def test_a_wrong_target_is_told_with_the_nearest(here: Path) -> None:
    code, told = failed("run", "churn.csv", "--target", "x00")
    assert code == 2
    assert "no column 'x00' to predict; did you mean 'x0'?" in told


def test_how_to_read_a_file_can_be_said_on_the_line(here: Path, tmp_path: Path) -> None:
    text = (here / "churn.csv").read_text().replace(",", ";").replace(".", ",").replace("x0", "größe")
    (tmp_path / "german.csv").write_bytes(text.encode("latin-1"))
    reading = ("--separator", ";", "--decimal", ",", "--encoding", "latin-1", "--drop", "x1", "--drop", "x2")
    out = tmp_path / "german.toml"
    ended = moopt_("run", tmp_path / "german.csv", "--target", "y", *reading, "--write-toml", out)
    assert ended.exit_code == 0, ended.stderr
    assert 'drop = ["x1", "x2"]' in out.read_text()
    assert 'separator = ";"' in out.read_text()


def test_defaults_are_written_as_a_file_that_runs(here: Path, tmp_path: Path) -> None:
    out = tmp_path / "made.toml"
    arguments = ("run", "churn.csv", "--target", "y", "--positive", "yes", "--trials", "3", "--write-toml", out)
    ended = moopt_(*arguments)
    assert ended.exit_code == 0
    assert f"moopt run {out}" in ended.stderr
    assert not (here / "churn2.db").exists()
    text = out.read_text()
    assert 'families = ["logistic", "tree", "forest"' in text
    assert "n_trials = 3" in text
    ended = moopt_("run", out, "--store", tmp_path / "made.db", "--trials", "1", "--workers", "1", "--json")
    assert json.loads(ended.stdout)["n_done"] == 1
    code, told = failed(*arguments)
    assert code == 2
    assert "made.toml exists already" in told


def test_another_study_of_the_same_name_is_refused_with_the_difference(here: Path) -> None:
    ended = moopt_("run", "churn.toml", "--store", "churn.db", "--algorithm", "random")
    assert ended.exit_code == 1
    assert "algorithm is 'random', stored is 'nsga2'" in ended.stderr
    ended = moopt_("run", "churn.toml", "--store", "churn.db", "--seed", "5")
    assert "seed is 5, stored is 0" in ended.stderr


def test_a_data_file_that_moved_is_the_same_data(here: Path, tmp_path: Path) -> None:
    (tmp_path / "moved.csv").write_bytes((here / "churn.csv").read_bytes())
    (tmp_path / "moved.toml").write_text(STUDY.replace("churn.csv", "moved.csv"))
    ended = moopt_("run", tmp_path / "moved.toml", "--study", "churn", "--store", "churn.db")
    assert ended.exit_code == 0, ended.stderr


def test_other_data_under_the_same_name_are_refused(here: Path, tmp_path: Path) -> None:
    write_table(tmp_path / "churn.csv", n_rows=80)
    (tmp_path / "churn.toml").write_text(STUDY)
    ended = moopt_("run", tmp_path / "churn.toml", "--store", "churn.db")
    assert ended.exit_code == 1
    assert "sha256" in ended.stderr


def test_wrong_usage_is_told_in_two_lines(here: Path) -> None:
    code, told = failed("run", "churn.toml", "--trails", "5")
    assert code == 2
    assert "--trails" in told
    assert "'moopt run --help'" in told
    assert failed("run", "churn.toml", "--trials", "0") == (
        2,
        "moopt: [search] n_trials is 0; expected a number of at least 1\n",
    )


def test_debug_shows_the_traceback(here: Path) -> None:
    ended = moopt_("run", "churn.csv", "--debug")
    assert isinstance(ended.exception, moopt.errors.SpecError)


@pytest.mark.parametrize("command", ["run", "confirm", "front", "choose", "export", "verify", "explore", "studies"])
def test_every_help_shows_an_example(command: str) -> None:
    ended = moopt_(command, "--help")
    assert ended.exit_code == 0
    assert f"\n  moopt {command} churn" in ended.stdout


def test_the_program_names_its_commands_and_its_version() -> None:
    assert "choose" in moopt_().stdout
    assert moopt_("--version").stdout == f"moopt {moopt.__version__}\n"


# front, choose, export


def test_the_front_is_that_of_the_store(here: Path) -> None:
    shown = json.loads(moopt_("front", "churn.db", "--json").stdout)
    assert [one["number"] for one in shown["front"]] == moopt.load_study("churn.db").front()["number"].tolist()
    assert [one["name"] for one in shown["objectives"]] == ["accuracy", "recall", "latency_ms", "size_kb"]


def test_the_front_says_how_sure_it_is_and_where_the_defaults_stand(here: Path) -> None:
    shown = json.loads(moopt_("front", "churn.db", "--json").stdout)
    for one in shown["front"]:
        assert 0 <= one["front_probability"] <= 1
        assert one["basis"] == "estimate"
        ends = one["intervals"]["accuracy"]
        assert 0 <= ends["low"] <= one["values"]["accuracy"] <= ends["high"] <= 1
    assert [one["number"] for one in shown["defaults"]] == [0, 1]
    assert all(one["on_front"] is not bool(one["dominated_by"]) for one in shown["defaults"])
    table = moopt_("front", "churn.db").stdout
    assert "on front" in table
    assert "accuracy 90 %" in table
    assert "~ an estimate from 2 folds" in table
    assert "on the front" in table or "dominated by trial" in table


def test_the_front_tells_what_became_of_it_on_test_rows(here: Path, tmp_path: Path) -> None:
    store = tmp_path / "confirmed.db"
    shutil.copy(here / "churn.db", store)
    opened = open_store(store)
    numbers = moopt.load_study(opened, "churn").front()["number"].tolist()
    for number in numbers:
        opened.add_confirmation("churn", a_confirmation(number))
    shown = json.loads(moopt_("front", store, "--json").stdout)
    assert {one["basis"] for one in shown["front"]} == {"confirmed"}
    assert set(shown["on_test"]["optimistic"]) <= set(numbers)
    table = " ".join(moopt_("front", store).stdout.split())
    assert "without ~ confirmed on test rows" in table
    assert f"of its {len(numbers)} trials are still not dominated" in table


def a_confirmation(number: int) -> Confirmation:
    draws = 0.8 + 0.01 * np.random.default_rng(number).normal(size=(500, 2))
    score = {"value": 0.8, "low": 0.78, "high": 0.82, "confidence": 0.9}
    measures = {"scores": {"accuracy": score, "recall": score}, "look": 1, "n_rows": 90, "draws": pack_draws(draws)}
    return Confirmation(number, {}, measures)


def test_a_choice_is_told_and_recorded(here: Path) -> None:
    ended = moopt_("choose", "churn.db", "--limit", "latency_ms<=1000", "--prefer", "recall")
    assert ended.exit_code == 0, ended.stderr
    assert "with recall first" in ended.stdout
    (*_, decision) = open_store("churn.db", read_only=True).decisions("churn")
    assert decision.limits == {"latency_ms": 1000.0}
    assert f"--trial {decision.number}" in ended.stderr


def test_a_choice_as_json_says_why(here: Path) -> None:
    made = json.loads(moopt_("choose", "churn.db", "--json").stdout)
    assert made["reason"].startswith(f"Trial {made['number']} ")
    assert set(made["values"]) == {"accuracy", "recall", "latency_ms", "size_kb"}


def test_a_choice_takes_aspirations_weights_and_a_probability(here: Path) -> None:
    made = json.loads(moopt_("choose", "churn.db", "--aspire", "accuracy>=.9", "--json").stdout)
    assert "for the aspiration accuracy 0.9" in made["reason"]
    weighted = ("--weight", "recall=3", "--weight", "size=.5", "--at-least-likely", "0.01")
    made = json.loads(moopt_("choose", "churn.db", *weighted, "--json").stdout)
    assert made["preference"] == "weighted"
    assert made["front_probability"] >= 0.01
    assert json.loads(moopt_("choose", "churn.db", "--knee", "--json").stdout)["preference"] == "knee"
    assert failed("choose", "churn.db", "--knee", "--prefer", "recall")[0] == 2
    assert "cannot be read; give a name, = and a number" in failed("choose", "churn.db", "--weight", "recall")[1]


def test_representatives_are_shown_and_nothing_is_recorded(here: Path) -> None:
    before = len(open_store("churn.db", read_only=True).decisions("churn"))
    made = json.loads(moopt_("choose", "churn.db", "--representatives", "2", "--json").stdout)
    front = moopt.load_study("churn.db").front()["number"].tolist()
    assert {one["number"] for one in made["representatives"]} <= set(front)
    assert "stand for the front of churn" in moopt_("choose", "churn.db", "--representatives", "2").stdout
    assert len(open_store("churn.db", read_only=True).decisions("churn")) == before
    code, told = failed("choose", "churn.db", "--representatives", "2", "--prefer", "recall")
    assert (code, "take no preference" in told) == (2, True)


def test_limits_that_leave_nothing_are_told_with_the_way_out(here: Path) -> None:
    code, told = failed("choose", "churn.db", "--limit", "size<=1 B")
    assert code == 1
    assert "no trial meets size_kb" in told
    assert "Relax" in told


def test_an_unknown_preference_is_wrong_usage(here: Path) -> None:
    code, told = failed("choose", "churn.db", "--prefer", "recal")
    assert code == 2
    assert "recall" in told


def test_the_last_decision_is_exported(here: Path, tmp_path: Path) -> None:
    number = json.loads(moopt_("choose", "churn.db", "--json").stdout)["number"]
    out = tmp_path / "best"
    made = json.loads(moopt_("export", "churn.db", "--out", out, "--json").stdout)
    assert made["number"] == number
    assert sorted(made["files"]) == sorted(path.name for path in out.iterdir())
    assert "model.skops" in made["files"]
    code, told = failed("export", "churn.db", "--out", out)
    assert code == 1
    assert "holds an earlier export" in told
    more = ("--no-sample", "--intended-use", "Triage.", "--force")
    assert "sample.csv" not in json.loads(moopt_("export", "churn.db", "--out", out, *more, "--json").stdout)["files"]
    assert "## Intended use\nTriage." in (out / "MODEL_CARD.md").read_text()


def test_an_export_without_a_decision_wants_a_trial(here: Path, tmp_path: Path) -> None:
    moopt_("run", "churn.toml", "--store", tmp_path / "new.db", "--trials", "1")
    code, told = failed("export", tmp_path / "new.db", "--out", tmp_path / "best")
    assert code == 2
    assert "has no decision yet; give --trial N" in told


# studies


def test_studies_are_listed_renamed_and_deleted(here: Path, tmp_path: Path) -> None:
    store = tmp_path / "two.db"
    for algorithm in ("random", "sobol"):
        moopt_("run", "churn.toml", "--store", store, "--trials", "1", "--study", algorithm, "--algorithm", algorithm)
    listed = json.loads(moopt_("studies", store, "--json").stdout)
    assert [(one["study"], one["n_complete"]) for one in listed] == [("random", 1), ("sobol", 1)]
    code, told = failed("front", store)
    assert code == 1
    assert "random" in told
    assert "sobol" in told
    assert moopt_("studies", store, "--rename", "sobol", "first").exit_code == 0
    kept = moopt_("studies", store, "--delete", "random", answer="n\n")
    assert (kept.exit_code, "with its 1 trials" in kept.stderr or "with its 2 trials" in kept.stderr) == (1, True)
    assert moopt_("studies", store, "--delete", "random", "--yes").exit_code == 0
    assert [one["study"] for one in json.loads(moopt_("studies", store, "--json").stdout)] == ["first"]
    assert "first" in moopt_("studies", store).stdout


def test_a_study_is_exported_whole_or_as_a_table(here: Path, tmp_path: Path) -> None:
    assert moopt_("studies", "churn.db", "--export", tmp_path / "churn.jsonl").exit_code == 0
    assert moopt_("studies", "churn.db", "--export", tmp_path / "churn.csv").exit_code == 0
    assert "accuracy" in (tmp_path / "churn.csv").read_text().splitlines()[0]
    code, told = failed("studies", "churn.db", "--export", tmp_path / "a.csv", "--delete", "churn")
    assert code == 2
    assert "one at a time" in told


@pytest.mark.parametrize("command", ["front", "choose", "explore", "studies"])
def test_a_store_that_is_none_is_told(command: str, tmp_path: Path) -> None:
    code, told = failed(command, tmp_path / "none.db")
    assert code == 1
    assert "there is no store at" in told


# explore


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """What would be started, with an explorer that is installed."""
    (tmp_path / "moopt_explorer").mkdir()
    (tmp_path / "moopt_explorer" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "moopt_explorer"]:
        monkeypatch.delitem(sys.modules, name)
    calls: list[Any] = []
    monkeypatch.setattr(os, "execve", lambda *arguments: calls.extend(arguments))
    return calls


def test_the_explorer_serves_this_machine_only_and_says_where(here: Path, launched: list[Any], tmp_path: Path) -> None:
    pytest.importorskip("streamlit")
    ended = moopt_("explore", "churn.db", "--port", "8599", "--study", "churn")
    assert "http://127.0.0.1:8599/?study=churn" in ended.stderr
    program, command, environment = launched
    assert program == sys.executable
    assert command[1:5] == ["-m", "streamlit", "run", str(tmp_path / "moopt_explorer" / "app.py")]
    assert command[-2:] == ["--", "churn.db"]
    assert environment["STREAMLIT_SERVER_ADDRESS"] == "127.0.0.1"
    assert environment["STREAMLIT_BROWSER_GATHER_USAGE_STATS"] == "false"


def test_a_port_in_use_is_told(here: Path, launched: list[Any]) -> None:
    pytest.importorskip("streamlit")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        told = f"moopt: port {port} is in use or not allowed; give another one with --port\n"
        assert failed("explore", "churn.db", "--port", port) == (2, told)
    assert launched == []


def test_what_is_no_store_is_not_explored(here: Path, tmp_path: Path, launched: list[Any]) -> None:
    (tmp_path / "notes.txt").write_text("no database")
    assert failed("explore", tmp_path / "notes.txt") == (
        1,
        f"moopt: {tmp_path / 'notes.txt'} is not a store of moopt (no SQLite database); give another file\n",
    )
    code, told = failed("explore", tmp_path)
    assert (code, "is a folder; a store is one file" in told, told.count("\n")) == (1, True, 1)
    assert launched == []


def test_a_missing_explorer_is_told_with_what_mends_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moopt.cli.results.importlib.util.find_spec", lambda _name: None)
    assert failed("explore", "churn.db") == (
        1,
        "moopt: the explorer is not installed; do: pip install 'moopt[explorer]'\n",
    )


# As a program


def program(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "moopt", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_program_prints_pure_json_while_workers_run(here: Path, tmp_path: Path) -> None:
    ended = program(
        "run", "churn.toml", "--store", tmp_path / "p.db", "--workers", "2", "--trials", "3", "--json"
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["n_done"] == 3
    assert "3/3 trials" in ended.stderr


def test_the_program_ends_with_the_code_of_its_error(tmp_path: Path) -> None:
    ended = program("front", tmp_path / "none.db")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("moopt: there is no store at")


@pytest.fixture
def confirmable(folder: Path, tmp_path: Path) -> Path:
    """The store to write to, with its data file."""
    for file in [*folder.glob("churn.db*"), folder / "churn.csv"]:
        if file.is_file():
            shutil.copy(file, tmp_path)
    return tmp_path / "churn.db"


@pytest.mark.usefixtures("at_hand")
def test_confirm_shows_what_the_search_measured_beside_what_holds(confirmable: Path) -> None:
    quickly = ("--rounds", "1", "--repeats", "0", "--workers", "1")
    ended = moopt_("confirm", confirmable, *quickly, "--trials", "0,1")
    assert ended.exit_code == 0, ended.stderr
    assert "fitting 2 models on all search rows" in ended.stderr
    assert "note: scores have no interval: the test split has 18 rows, fewer than 30" in ended.stderr
    lines = ended.stdout.splitlines()
    assert "look 1 at the test split" in lines[0]
    assert lines[1].split()[:5] == ["trial", "why", "accuracy", "confirmed", "recall"]
    assert lines[2].split()[0] == "0"
    again = moopt_("confirm", confirmable, *quickly, "--trials", "0", "--json")
    told = json.loads(again.stdout)
    assert told["look"] == 1
    assert told["notes"] == [
        "the test split was scored before and was not looked at again; --score-again looks once more"
    ]
    (trial,) = told["trials"]
    assert trial["number"] == 0
    assert trial["values"]["latency_ms"]["low"] <= trial["values"]["latency_ms"]["confirmed"]
    assert trial["values"]["accuracy"]["low"] is None
    assert trial["percentiles"]["latency_ms"]["p90"] > 0


@pytest.mark.usefixtures("at_hand")
def test_a_run_may_confirm_at_its_end_as_its_file_says(confirmable: Path) -> None:
    study = confirmable.with_name("churn.toml")
    study.write_text(STUDY + "[confirm]\nrounds = 2\nrepeats = 0.0\nconfidence = 0.8\n")
    ended = moopt_("run", study, "--store", confirmable, "--confirm", "--json")
    assert ended.exit_code == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["study"] == "churn"
    assert {one["role"] for one in told["trials"]} >= {"front"}
    store = moopt.load_study(confirmable).store
    assert all(len(one.measures["latency"]["latency_ms"]["rounds"]) == 2 for one in store.confirmations("churn"))


def test_confirm_says_what_cannot_be(confirmable: Path) -> None:
    assert failed("confirm", confirmable, "--trials", "one") == (
        2,
        "moopt: --trials is 'one'; give numbers with commas between, such as 12,40\n",
    )
    code, said = failed("confirm", confirmable, "--trials", "99")
    assert (code, said.startswith("moopt: trial 99 does not exist; on the front are: ")) == (2, True)
    confirmable.with_name("other.csv").write_text("a,b\n1,2\n")
    code, said = failed("confirm", confirmable, "--data", confirmable.with_name("other.csv"))
    assert code == 1
    assert "other.csv is not the file that was searched" in said

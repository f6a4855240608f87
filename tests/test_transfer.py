import math
from pathlib import Path

import pandas as pd
import pytest

import moopt
from moopt.errors import StoreError, StudyExists
from moopt.store import Store, open_store
from moopt.store.transfer import export_file, export_lines, import_study
from moopt.trial import Decision


@pytest.fixture
def store() -> Store:
    """A study with failures, a queued and a running trial, notes and a decision."""
    study = moopt.create_study(
        "s", {"x": (0.0, 1.0), "kind": ["a", 1, 2.5]}, [moopt.Objective("error"), moopt.Objective("size_kb")], seed=0
    )

    def score(config: dict[str, float]) -> dict[str, float]:
        if config["x"] > 0.8:
            raise ValueError("too far")
        return {"error": config["x"], "size_kb": 1 - config["x"]}

    study.optimize(score, n_trials=12)
    study.ask()
    study.enqueue({"x": 0.125, "kind": "a"})
    study.close()
    study.store.add_note("s", 2, "remarkable")
    study.store.add_decision("s", Decision(2, {"size_kb": 0.5}, "knee", "because", 7.0))
    return study.store


def test_a_study_is_taken_in_as_it_was_given_out(store: Store) -> None:
    other = open_store(None)
    import_study(other, export_lines(store, "s"))
    assert other.study("s") == store.study("s")
    assert other.trials("s") == store.trials("s")
    assert other.events("s") == store.events("s")
    assert other.decisions("s") == store.decisions("s")


def test_a_study_that_was_taken_in_goes_on_as_it_would_have(store: Store) -> None:
    other = open_store(None)
    import_study(other, export_lines(store, "s"), name="copy")
    goes_on = [moopt.load_study(store, "s"), moopt.load_study(other, "copy")]
    for study in goes_on:
        study.optimize(lambda c: {"error": c["x"], "size_kb": 1 - c["x"]}, n_trials=18)
    configs = [[dict(trial.config) for trial in study.store.trials(study.name)] for study in goes_on]
    assert configs[0] == configs[1]


def test_a_name_that_is_taken_is_refused_and_nothing_changes(store: Store) -> None:
    lines = list(export_lines(store, "s"))
    with pytest.raises(StudyExists, match="'s' already"):
        import_study(store, lines)
    assert len(store.studies()) == 1


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "no study of moopt"),
        (['{"format":"other"}'], "no study of moopt"),
        (["{"], "line 1 is no JSON"),
        (["7"], "line 1 is no part of a study"),
    ],
)
def test_lines_that_are_no_study_are_refused(lines: list[str], message: str) -> None:
    with pytest.raises(StoreError, match=message):
        import_study(open_store(None), lines)


def test_a_file_that_was_cut_off_leaves_nothing(store: Store) -> None:
    lines = list(export_lines(store, "s"))
    other = open_store(None)
    with pytest.raises(StoreError, match=f"line {len(lines)} is no JSON; was the file cut off"):
        import_study(other, [*lines[:-1], lines[-1][:10]])
    assert other.studies() == []


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_trials_become_a_table(store: Store, tmp_path: Path, ending: str) -> None:
    export_file(store, "s", tmp_path / f"s.{ending}")
    frame = getattr(pd, f"read_{ending}")(tmp_path / f"s.{ending}")
    assert len(frame) == 14
    values = [trial.values.get("error", math.nan) for trial in store.trials("s")]
    assert frame["error"].tolist() == pytest.approx(values, nan_ok=True)


def test_lines_become_a_file(store: Store, tmp_path: Path) -> None:
    export_file(store, "s", tmp_path / "s.jsonl")
    other = open_store(tmp_path / "other.db")
    import_study(other, (tmp_path / "s.jsonl").read_text().splitlines())
    assert other.trials("s") == store.trials("s")


def test_a_file_that_is_there_or_of_another_kind_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "s.csv").touch()
    with pytest.raises(StoreError, match="is there already; give another name"):
        export_file(store, "s", tmp_path / "s.csv")
    with pytest.raises(StoreError, match=r"ends in .xlsx; give a name that ends in .jsonl, .csv or .parquet"):
        export_file(store, "s", tmp_path / "s.xlsx")

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import moopt
from moopt.errors import StoreError, StudyExists
from moopt.store import Store, open_store
from moopt.store.base import StudyRecord
from moopt.store.transfer import FORMAT, export_file, export_lines, import_file, import_study
from moopt.trial import Config, Confirmation, Decision, EventKind, State, Trial


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
    study.store.add_confirmation("s", Confirmation(2, {"cores": 2}, {"size_kb": 7.0}, 8.0))
    return study.store


def test_a_study_is_taken_in_as_it_was_given_out(store: Store) -> None:
    other = open_store(None)
    import_study(other, export_lines(store, "s"))
    assert other.study("s") == store.study("s")
    assert other.trials("s") == store.trials("s")
    assert other.events("s") == store.events("s")
    assert other.decisions("s") == store.decisions("s")
    assert other.confirmations("s") == store.confirmations("s")


def test_lines_of_an_earlier_moopt_tell_of_no_confirmations(store: Store) -> None:
    head, *lines = export_lines(store, "s")
    other = open_store(None)
    import_study(other, [head.replace(',"confirmation":1', ""), *lines[:-1]])
    assert other.decisions("s") == store.decisions("s")
    assert other.confirmations("s") == []


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
        (["{"], "line 1 is no JSON; was the file cut off or edited"),
        (["7"], "line 1 is no part of a study"),
        ([f'{{"format":"{FORMAT}"}}'], "line 1 is no part of a study; was the file edited"),
        ([f'{{"format":"{FORMAT}","study":7,"lines":{{}}}}'], "line 1 is no part of a study"),
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
    with pytest.raises(StoreError, match="hold 0 of 1 confirmations; was the file cut off"):
        import_study(other, lines[:-1])
    with pytest.raises(StoreError, match="hold 0 of 1 decisions; was the file cut off"):
        import_study(other, lines[:-2])
    with pytest.raises(StoreError, match="hold 4 of 14 trials; was the file cut off"):
        import_study(other, lines[:5])
    assert other.studies() == []


@pytest.mark.parametrize(
    "line",
    [
        '{"unknown":7}',
        '{"trial":{"number":0}}',
        '{"trial":7}',
        '{"event":["told"]}',
        '{"event":["eaten",0]}',
        '{"decision":{"number":0}}',
        '{"confirmation":{"number":0}}',
    ],
)
def test_a_line_that_was_edited_is_named_and_leaves_nothing(store: Store, line: str) -> None:
    lines = list(export_lines(store, "s"))
    other = open_store(None)
    with pytest.raises(StoreError, match="line 3 is no part of a study; was the file edited"):
        import_study(other, [*lines[:2], line, *lines[3:]])
    assert other.studies() == []


def test_trials_that_are_not_among_the_lines_are_missed(store: Store) -> None:
    lines = list(export_lines(store, "s"))
    other = open_store(None)
    with pytest.raises(StoreError, match="name trials that are not among them"):
        import_study(other, [*lines[:1], lines[2], lines[1], *lines[3:]])
    with pytest.raises(StoreError, match="name trials that are not among them"):
        import_study(other, [*lines[:-1], lines[-1].replace('"number":2', '"number":99')])
    assert other.studies() == []


def test_a_running_study_is_given_out_as_it_stood_at_one_moment(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials are read first: what other events tell of them came later."""
    read = store.trials("s")[:6]
    read[4] = replace(read[4], state=State.RUNNING, values={}, finished_at=None)
    read[5] = replace(read[5], state=State.QUEUED, values={}, finished_at=None)
    monkeypatch.setattr(store, "trials", lambda name: read)
    other = open_store(None)
    import_study(other, export_lines(store, "s"))
    assert other.trials("s") == read
    events = other.events("s")
    assert {event.number for event in events if event.kind is EventKind.STARTED} == {0, 1, 2, 3, 4}
    assert {event.number for event in events if event.kind is EventKind.TOLD} == {0, 1, 2, 3}


def test_whole_numbers_stay_whole_in_parquet_and_mixed_values_become_texts(tmp_path: Path) -> None:
    store = open_store(None)
    configs: list[Config] = [{"depth": 3, "mixed": "sqrt", "flag": True}, {"c": 0.5, "mixed": 2, "big": 2**70}]
    trials = [Trial(number, config, state=State.COMPLETE, values={"e": 0.5}) for number, config in enumerate(configs)]
    store.create_study(StudyRecord("s", {}, (moopt.Objective("e"),), {}, 0), trials)
    export_file(store, "s", tmp_path / "s.parquet")
    frame = pd.read_parquet(tmp_path / "s.parquet")
    assert frame["param_depth"].dtype == "Int64"
    assert frame["param_depth"].dropna().tolist() == [3]
    assert frame["param_flag"].dtype == "boolean"
    assert frame["param_c"].dropna().tolist() == [0.5]
    assert frame["param_mixed"].tolist() == ["sqrt", "2"]
    assert frame["param_big"].dropna().tolist() == [str(2**70)]


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
    import_file(other, tmp_path / "s.jsonl")
    assert other.trials("s") == store.trials("s")
    assert other.events("s") == store.events("s")
    assert import_file(other, tmp_path / "s.jsonl", name="again").name == "again"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"s.jsonl cannot be read .No such file or directory"):
        import_file(open_store(None), tmp_path / "s.jsonl")
    (tmp_path / "s.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(StoreError, match=r"s.jsonl is no text in UTF-8"):
        import_file(open_store(None), tmp_path / "s.jsonl")


def test_an_export_that_fails_leaves_no_file(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "events", full)
    with pytest.raises(StoreError, match=r"s.jsonl could not be written: No space left on device"):
        export_file(store, "s", tmp_path / "s.jsonl")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StoreError, match=r"there is no folder .*nowhere for s.csv; make it first"):
        export_file(store, "s", tmp_path / "nowhere" / "s.csv")


def test_a_file_that_is_there_or_of_another_kind_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "s.csv").touch()
    with pytest.raises(StoreError, match="is there already; give another name"):
        export_file(store, "s", tmp_path / "s.csv")
    with pytest.raises(StoreError, match=r"ends in .xlsx; give a name that ends in .jsonl, .csv or .parquet"):
        export_file(store, "s", tmp_path / "s.xlsx")

"""A study as a TOML file: what it may say, what is told where it cannot be, and that writing it loses nothing."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moopt.errors import DataError, ObjectiveError, SpecError
from moopt.run import plan
from moopt.specfile import StudySpec, parse_spec, read_spec, spec_for_csv, write_toml

EXAMPLE = """
[study]
name = "churn"
seed = 3
[data]
file = "tables/churn.csv"
target = "Churn"
positive = "Yes"
drop = ["customerID"]
[models]
families = ["logistic", "forest", "hist_boosting"]
ranges.forest.n_estimators = [10, 300]
[objectives]
accuracy = {}
recall = {}
latency = { limit = "5 ms" }
size = {}
[search]
algorithm = "moead"
n_trials = 60
population = 12
[confirm]
"""
DATA = {"file": "churn.csv", "target": "Churn"}


def written(folder: Path, text: str) -> Path:
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_read_with_its_paths_relative_to_itself(tmp_path: Path) -> None:
    spec = read_spec(written(tmp_path, EXAMPLE))
    assert spec.name == "churn"
    assert spec.data.file == str(tmp_path / "tables" / "churn.csv")
    assert spec.data_spec().seed == 3
    assert spec.data_spec().drop == ("customerID",)
    assert spec.models.ranges == {"forest": {"n_estimators": [10, 300]}}
    assert [(one.name, one.limit) for one in spec.objective_list()] == [
        ("accuracy", None),
        ("recall", None),
        ("latency_ms", 5.0),
        ("size_kb", None),
    ]
    assert spec.search_options()["population"] == 12


def test_defaults_need_a_file_and_a_target_only() -> None:
    spec = spec_for_csv("tables/churn.csv", "Churn")
    assert spec.name == "churn"
    assert list(spec.objectives) == ["accuracy", "recall", "latency", "size"]
    assert (spec.search.algorithm, spec.search.n_trials, spec.search.folds) == ("nsga2", 100, 5)
    assert spec.data.test_share == 0.2
    assert spec.models.families is None


@pytest.mark.parametrize("spec", [spec_for_csv("a.csv", "y"), parse_spec(tomllib.loads(EXAMPLE))])
def test_writing_and_reading_gives_the_same_study(tmp_path: Path, spec: StudySpec) -> None:
    here = spec.changed(data={"file": str(tmp_path / "sub" / "a.csv")}, study={"name": spec.name})
    assert read_spec(written(tmp_path, write_toml(here, tmp_path))) == here


def test_own_configs_and_an_earlier_store_survive_the_file(tmp_path: Path) -> None:
    search = {
        "start": [{"family": "forest", "n_estimators": 30}],
        "warm_start": str(tmp_path / "old.db"),
        "reuse": True,
    }
    spec = spec_for_csv(tmp_path / "a.csv", "y").changed(study={"name": "a"}, search=search)
    text = write_toml(spec, tmp_path)
    assert 'start = [{ family = "forest", n_estimators = 30 }]' in text
    assert 'warm_start = "old.db"' in text
    assert read_spec(written(tmp_path, text)) == spec


def test_a_written_file_shows_every_key_with_its_meaning() -> None:
    text = write_toml(spec_for_csv("a.csv", "y").changed(models={"families": ["tree"]}))
    for key in ("name", "positive", "separator", "test_share", "families", "folds", "memory_limit_mb"):
        assert any(line.removeprefix("# ").startswith(f"{key} = ") and "  # " in line for line in text.splitlines())
    assert "# ranges.tree.max_depth = [1, 30]" in text
    assert "ranges.forest" not in text


def test_every_commented_key_may_be_taken_in(tmp_path: Path) -> None:
    text = write_toml(spec_for_csv("a.csv", "y"), tmp_path)
    lines = [line.removeprefix("# ") if " = " in line and line.startswith("# ") else line for line in text.splitlines()]
    lines = [line for line in lines if not line.startswith("What to improve")]
    spec = read_spec(written(tmp_path, "\n".join(lines)))
    assert spec.data.separator == ";"
    assert spec.models.ranges["preparation"]["scale"] == ["standard", "minmax"]


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1).filter(str.strip),
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1)),
)
def test_any_text_survives_the_file(target: str, dropped: list[str]) -> None:
    spec = parse_spec({"data": {"file": "a.csv", "target": target, "drop": dropped}})
    again = parse_spec(tomllib.loads(write_toml(spec)))
    assert (again.data.target, again.data.drop) == (target, tuple(dropped))


def test_a_change_is_checked_and_none_changes_nothing() -> None:
    spec = spec_for_csv("a.csv", "y")
    assert spec.changed(search={"n_trials": 7, "workers": None}).search.n_trials == 7
    with pytest.raises(SpecError, match=r"\[search\] n_trials is 0; expected a number of at least 1"):
        spec.changed(search={"n_trials": 0})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, r"no section \[data\]; add one"),
        ({"data": {"file": "a.csv"}}, r'\[data\] target is missing; add for instance target = "Churn"'),
        ({"data": {**DATA, "positve": 1}}, r"\[data\] unknown key 'positve'; did you mean 'positive'\?"),
        ({"dta": {}, "data": DATA}, r"unknown section 'dta'; did you mean 'data'\?"),
        ({"data": []}, r"data is \[\]; expected a table"),
        ({"data": {**DATA, "drop": "x"}}, r"\[data\] drop is 'x'; expected a list"),
        ({"data": {**DATA, "drop": ["x", 1]}}, r"\[data\] drop is 1; expected a text in quotes"),
        ({"data": {**DATA, "test_share": 1.5}}, r"\[data\] test_share is 1\.5; expected a number of at most 0\.9"),
        ({"data": {**DATA, "positive": 1.5}}, r"positive is 1\.5; expected true or false or a whole number or a text"),
        ({"data": DATA, "search": {"n_trials": "many"}}, r"\[search\] n_trials is 'many'; expected a whole number"),
        ({"data": DATA, "search": {"folds": 1}}, r"\[search\] folds is 1; expected a number of at least 2"),
        ({"data": DATA, "search": {"workers": 0, "folds": 1}}, "1 more of its keys cannot be as given"),
        ({"data": DATA, "search": {"step_timeout_s": 0}}, "step_timeout_s is 0; expected a number above 0"),
        ({"data": DATA, "search": {"stop_when_stalled": 0}}, "stop_when_stalled is 0; expected true or false or a num"),
        (
            {"data": DATA, "search": {"early_stopping": 0}},
            "early_stopping is 0; expected true or false or a number above 0",
        ),
        ({"data": DATA, "search": {"start": [3]}}, r"\[search\] start is 3; expected a table"),
        ({"data": DATA, "search": {"start": {}}}, r"\[search\] start is \{\}; expected a list"),
        ({"data": DATA, "search": {"warm_start_study": "s"}}, "names a study without its store; add warm_start"),
        ({"data": DATA, "search": {"max_steps": 1.5}}, r"max_steps is 1\.5; expected a whole number"),
        ({"data": DATA, "search": {"algorithm": "nsga3"}}, "unknown algorithm 'nsga3'; did you mean 'nsga2'"),
        ({"data": DATA, "search": {"algorithm": "grid", "population": 9}}, "grid has no option 'population'"),
        ({"data": DATA, "confirm": {"rounds": 0}}, r"\[confirm\] rounds is 0; expected a number of at least 1"),
        ({"data": DATA, "confirm": {"repeats": 2.0}}, r"\[confirm\] repeats is 2.0; expected a number of at most 1"),
        ({"data": DATA, "confirm": {"round": 3}}, r"\[confirm\] unknown key 'round'; did you mean 'rounds'"),
        ({"data": DATA, "models": {"families": ["forrest"]}}, "unknown family 'forrest'; did you mean 'forest'"),
        ({"data": DATA, "models": {"families": []}}, "families is .*; expected a list that is not empty"),
        ({"data": DATA, "models": {"ranges": {"forst": {}}}}, "unknown family 'forst'; did you mean 'forest'"),
        ({"data": DATA, "models": {"ranges": {"forest": 3}}}, r"\[models.ranges\] forest is 3; expected a table"),
        ({"data": DATA, "objectives": {}}, r"\[objectives\] is empty; name at least one"),
        ({"data": DATA, "objectives": {"size": {"limt": 1}}}, r"\[objectives.size\] unknown key 'limt'; did you mean"),
    ],
)
def test_what_cannot_be_is_told_with_its_key(given: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        parse_spec(given)


@pytest.mark.parametrize(
    ("objectives", "told"),
    [
        ({"acuracy": {}}, "unknown objective 'acuracy'; did you mean 'accuracy'"),
        ({"latency": {"limit": "5 kB"}}, "the limit of latency_ms is '5 kB', a size; give a limit in ms"),
        ({"latency": {}, "latency_ms": {}}, "objective latency_ms is named twice"),
    ],
)
def test_an_objective_that_cannot_be_is_told(objectives: dict[str, Any], told: str) -> None:
    with pytest.raises(ObjectiveError, match=told):
        parse_spec({"data": DATA, "objectives": objectives})


def test_a_syntax_error_is_told_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, '[data]\nfile = "a.csv"\ntarget = Churn\n')
    with pytest.raises(SpecError, match=r"study\.toml is no TOML: .*line 3"):
        read_spec(path)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"none\.toml cannot be read: No such file"):
        read_spec(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes('[data]\ntarget = "Größe"\n'.encode("latin-1"))
    with pytest.raises(SpecError, match=r"latin\.toml is not UTF-8"):
        read_spec(tmp_path / "latin.toml")


def test_an_error_names_the_file_and_keeps_its_kind(tmp_path: Path) -> None:
    path = written(tmp_path, '[data]\nfile = "a.csv"\ntarget = "y"\n[objectives]\nrecal = {}\n')
    with pytest.raises(ObjectiveError, match=r"study\.toml: unknown objective 'recal'"):
        read_spec(path)


def test_the_data_are_read_as_the_file_says(tmp_path: Path) -> None:
    spec = read_spec(written(tmp_path, EXAMPLE))
    with pytest.raises(DataError, match=r"there is no file .*churn\.csv"):
        plan(spec)

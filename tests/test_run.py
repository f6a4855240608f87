"""From a study file to a study that was run, by the function that the command line and programs share."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from moopt.engine.loop import Stop
from moopt.errors import DataError, MooptWarning, SpaceError, StudyMismatch
from moopt.export import make_export
from moopt.run import open_study, plan, run_study
from moopt.specfile import StudySpec, spec_for_csv
from moopt.store import MemoryStore, open_store
from moopt.study import Study
from moopt.trial import Source, State
from tests.tables import write_table


@pytest.fixture
def spec(tmp_path: Path) -> StudySpec:
    file = write_table(tmp_path / "t.csv")
    return spec_for_csv(file, "y", positive="yes").changed(
        models={"families": ["logistic", "bayes"]}, search={"n_trials": 4, "folds": 2, "workers": 1}
    )


def test_a_study_runs_to_its_trials_with_each_familys_default_first(spec: StudySpec) -> None:
    study, stop = run_study(spec, None)
    trials = study.store.trials("t")
    assert stop is Stop.TRIALS
    assert [trial.state for trial in trials] == [State.COMPLETE] * 4
    assert [(trial.source, trial.config["family"]) for trial in trials[:2]] == [
        (Source.DEFAULT, "logistic"),
        (Source.DEFAULT, "bayes"),
    ]
    assert all(sorted(trial.steps) == [0, 1] for trial in trials)


def test_the_record_is_plain_json_and_enough_for_an_export(spec: StudySpec, tmp_path: Path) -> None:
    store = tmp_path / "t.db"
    study, _ = run_study(spec.changed(search={"n_trials": 2}), store)
    recorded = study.record.spec
    assert json.loads(json.dumps(recorded)) == recorded
    assert recorded["data"]["path"] == str(tmp_path / "t.csv")
    assert recorded["data"]["positive"] == "yes"
    assert recorded["models"]["families"] == ["logistic", "bayes"]
    made = make_export(open_store(store, read_only=True), "t", 0)
    assert made.has_model, made.missing


def test_own_configs_are_tried_after_the_defaults(spec: StudySpec) -> None:
    start = [{"family": "logistic", "C": 0.5}, {"family": "bayes"}, {"family": "logistic", "logistic:C": 2}]
    study, _ = run_study(spec.changed(search={"start": start}), None)
    trials = study.store.trials("t")
    assert [trial.source for trial in trials] == [*[Source.DEFAULT] * 2, *[Source.ENQUEUED] * 2]
    assert [trial.config["logistic:C"] for trial in trials[2:]] == [0.5, 2.0]


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"C": 1.0}, "start: a config names no family; expected one of: logistic, bayes"),
        ({"family": "bayse"}, "start: family 'bayse' is not searched; did you mean 'bayes'"),
        ({"family": "logistic", "CC": 1.0}, "start: logistic has no hyperparameter 'CC'; did you mean 'C'"),
        ({"family": "bayes", "logistic:C": 1.0}, "start: bayes has no hyperparameter 'logistic:C'"),
        ({"family": "logistic", "C": -1}, "start: .*C"),
    ],
)
def test_an_own_config_that_cannot_be_is_told_before_the_search(
    spec: StudySpec, config: dict[str, object], told: str
) -> None:
    with pytest.raises(SpaceError, match=told):
        plan(spec.changed(search={"start": [config]}))


def test_an_earlier_study_is_a_start_and_its_results_are_reused(spec: StudySpec, tmp_path: Path) -> None:
    store = tmp_path / "t.db"
    run_study(spec, store)
    narrowed = spec.changed(
        study={"name": "u"}, models={"families": ["logistic"]},
        search={"warm_start": str(store), "warm_start_study": "t", "reuse": True, "n_trials": 2},
    )  # fmt: skip
    with pytest.warns(MooptWarning, match="do not fit this space"):
        study, _ = run_study(narrowed, store)
    first, second = study.store.trials("u")
    assert (first.source, first.attributes["from"]) == (Source.DEFAULT, {"study": "t", "trial": 0, "reused": True})
    assert first.values == study.store.trial("t", 0).values
    assert second.config["family"] == "logistic"


def test_a_spec_without_families_takes_all_that_are_affordable(spec: StudySpec) -> None:
    few = plan(spec_for_csv(spec.data.file, "y"))
    assert "svc" in few.families
    assert few.spec.models.families == few.families


def test_ranges_that_cannot_be_are_told_before_the_search(spec: StudySpec) -> None:
    with pytest.raises(SpaceError, match="upside down"):
        plan(spec.changed(models={"ranges": {"logistic": {"C": [10, 1]}}}))


def test_too_many_folds_are_told_before_anything_is_stored(spec: StudySpec) -> None:
    store = MemoryStore()
    with pytest.raises(DataError, match="50 folds"):
        run_study(spec.changed(search={"folds": 50}), store)
    assert store.studies() == []


def test_a_study_goes_on_where_its_file_moved_but_not_with_other_data(spec: StudySpec, tmp_path: Path) -> None:
    store = MemoryStore()
    run_study(spec.changed(search={"n_trials": 1}), store)
    moved = tmp_path / "elsewhere.csv"
    moved.write_bytes(Path(spec.data.file).read_bytes())
    again = spec.changed(study={"name": "t"}, data={"file": str(moved)})
    study, _ = run_study(again, store)
    assert len(study.store.trials("t")) == 4
    write_table(moved, n_rows=70)
    with pytest.raises(StudyMismatch, match="sha256"):
        run_study(again, store)


def test_other_options_of_the_same_study_are_refused_and_runtime_ones_are_not(spec: StudySpec) -> None:
    store = MemoryStore()
    open_study(plan(spec), store)
    open_study(plan(spec.changed(search={"n_trials": 9, "workers": 2, "step_timeout_s": 60.0})), store)
    with pytest.raises(StudyMismatch, match="population"):
        open_study(plan(spec.changed(search={"population": 8})), store)


def test_the_watch_is_entered_around_the_search(spec: StudySpec) -> None:
    seen = []

    @contextmanager
    def watch(study: Study, n_trials: int) -> Iterator[None]:
        seen.append((n_trials, len(study.store.trials("t"))))
        yield
        seen.append((n_trials, sum(trial.state is State.COMPLETE for trial in study.store.trials("t"))))

    run_study(spec, None, watch=watch)
    assert seen[0][0] == 4
    assert seen[1] == (4, 4)


def test_warnings_name_what_was_settled_without_being_asked(spec: StudySpec) -> None:
    unasked = plan(spec_for_csv(spec.data.file, "y"))
    assert any("the rarer class" in warning for warning in unasked.warnings)
    assert not plan(spec).warnings
    many = replace(unasked, data=replace(unasked.data, y=unasked.data.y.repeat(200)))
    assert any("svc is slow" in warning for warning in many.warnings)

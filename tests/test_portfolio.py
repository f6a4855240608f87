"""The portfolio: which configs of other data sets a search of preset families starts with."""

import json
from importlib.resources import files
from pathlib import Path

import pytest

from moopt.data.features import Columns
from moopt.models.families import FAMILIES
from moopt.models.portfolio import MOST, learned, n_portfolio, portfolio_configs
from moopt.models.presets import default_configs, preset_space
from moopt.run import open_study, plan
from moopt.space import Space
from moopt.specfile import StudySpec, spec_for_csv
from moopt.store import MemoryStore
from moopt.trial import Source
from tests.tables import write_table

COLUMNS = Columns(("a",), ("t",), levels=(("u", "v"),))
OBJECTIVES = ("accuracy", "recall", "latency_ms", "size_kb")


def space_of(*families: str, **ranges: dict[str, object]) -> Space:
    return Space(preset_space(families or list(FAMILIES), COLUMNS, ranges))


@pytest.fixture
def spec(tmp_path: Path) -> StudySpec:
    file = write_table(tmp_path / "t.csv")
    return spec_for_csv(file, "y", positive="yes").changed(
        models={"families": ["logistic", "tree"]}, search={"n_trials": 20, "folds": 2, "workers": 1}
    )


def test_its_configs_lie_in_the_space_and_none_is_known_already():
    space, known = space_of(), default_configs(list(FAMILIES), COLUMNS)
    found = portfolio_configs(space, OBJECTIVES, known, MOST)
    assert len(found) == MOST
    assert all(space.check(config) == config for config in found)
    assert len({space.key(config) for config in [*found, *known]}) == MOST + len(known)


def test_what_the_search_starts_with_anyway_is_not_chosen_again():
    space = space_of()
    first = portfolio_configs(space, OBJECTIVES, [], 1)
    assert first[0] not in portfolio_configs(space, OBJECTIVES, first, 3)


def test_it_holds_only_the_families_and_the_ranges_that_are_searched():
    found = portfolio_configs(space_of("tree", "bayes", tree={"max_depth": [3, 12]}), OBJECTIVES, [], MOST)
    assert {config["family"] for config in found} == {"tree", "bayes"}
    assert all(3 <= config["tree:max_depth"] <= 12 for config in found if config["family"] == "tree")


def test_other_objectives_want_other_configs():
    space = space_of()
    for_cost = portfolio_configs(space, ["roc_auc", "latency_ms"], [], 3)
    for_scores = portfolio_configs(space, ["accuracy", "recall"], [], 3)
    assert for_cost != for_scores


def test_the_file_names_its_data_and_none_that_results_are_reported_on():
    rows = json.loads(files("moopt.models").joinpath("portfolio.json").read_text(encoding="utf-8"))["rows"]
    assert set(rows) == set(learned().losses)
    assert len(rows) >= 5
    assert not {"adult", "telco_churn", "breast_cancer"} & set(rows)


@pytest.mark.parametrize(("n_trials", "n_others", "n"), [(200, 9, 12), (100, 9, 11), (50, 9, 5), (12, 9, 0), (5, 9, 0)])
def test_most_trials_of_a_study_are_search(n_trials, n_others, n):
    assert n_portfolio(n_trials, n_others) == n


def test_a_study_tries_it_after_the_defaults_and_own_configs(spec):
    store = MemoryStore()
    open_study(plan(spec.changed(search={"start": [{"family": "tree", "max_depth": 4}]})), store)
    sources = [trial.source for trial in store.trials("t")]
    assert sources == [*[Source.DEFAULT] * 2, Source.ENQUEUED, *[Source.PORTFOLIO] * 2]


def test_its_configs_are_run_and_shown_as_such(spec):
    planned = plan(spec)
    study = open_study(planned, MemoryStore())
    study.optimize(planned.evaluator(), 4)
    trials = study.trials()
    assert trials["source"].tolist() == ["default", "default", "portfolio", "portfolio"]
    assert (trials["state"] == "complete").all()


def test_it_is_switched_off_by_the_study_file_and_a_study_without_it_is_the_same_one(spec):
    assert plan(spec).portfolio
    without = spec.changed(search={"portfolio": False})
    store = MemoryStore()
    open_study(plan(without), store)
    study = open_study(plan(spec), store)
    assert [trial.source for trial in study.store.trials("t")] == [Source.DEFAULT] * 2

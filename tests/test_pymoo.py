"""Algorithms of pymoo as searchers: against the contract, in studies, and what cannot be."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pymoo.algorithms.moo.cmopso import CMOPSO
from pymoo.algorithms.moo.ctaea import CTAEA
from pymoo.algorithms.moo.moead import MOEAD
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.algorithms.moo.nsga3 import NSGA3
from pymoo.algorithms.moo.rvea import RVEA
from pymoo.algorithms.moo.sms import SMSEMOA
from pymoo.problems.multi.zdt import ZDT1
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.tree import DecisionTreeClassifier

import moopt
from moopt.errors import SpecError, StudyMismatch, UsageError
from moopt.searchers.base import WAIT
from moopt.searchers.weights import energy_directions
from moopt.space import as_space
from moopt.trial import State
from tests.contracts.searchers import SearcherContract, Simulation, mixed_space, three_losses
from tests.problems import switch

OBJECTIVES = [moopt.Objective("f"), moopt.Objective("g")]
SPACE = {f"x{k}": (0.0, 1.0) for k in range(4)}


def rvea(n=12, n_objectives=2):
    return moopt.PymooAlgorithm(RVEA(energy_directions(n, n_objectives), termination=("n_gen", 10)))


def two_losses(config):
    rest = sum(config[f"x{k}"] for k in range(1, 4))
    return {"f": config["x0"], "g": (1 - config["x0"]) ** 2 + rest}


class TestNSGA2(SearcherContract):
    may_wait = True

    def make(self, space, n_objectives=3, seed=7):
        return moopt.PymooAlgorithm(NSGA2(pop_size=8)).searcher(space, n_objectives, seed)


class TestMOEAD(SearcherContract):
    may_wait = True

    def make(self, space, n_objectives=3, seed=7):
        directions = energy_directions(8, n_objectives)
        return moopt.PymooAlgorithm(MOEAD(directions, n_neighbors=4)).searcher(space, n_objectives, seed)


class TestRVEA(SearcherContract):
    may_wait = True

    def make(self, space, n_objectives=3, seed=7):
        return rvea(8, n_objectives).searcher(space, n_objectives, seed)


@pytest.mark.parametrize(
    "algorithm",
    [
        CTAEA(energy_directions(10, 3)),
        CMOPSO(pop_size=10),
        SMSEMOA(pop_size=10),
        NSGA3(energy_directions(10, 3), pop_size=10),
    ],
    ids=lambda one: type(one).__name__,
)
def test_others_work_too(algorithm):
    study = Simulation(moopt.PymooAlgorithm(algorithm).searcher(mixed_space(), 3, seed=1))
    assert study.run(45, workers=3, states=[State.COMPLETE, State.COMPLETE, State.FAILED]) == 45


def test_it_beats_random_search():
    problem = switch()
    reached = []
    for seed in range(3):
        study = Simulation(moopt.PymooAlgorithm(NSGA2(pop_size=20)).searcher(problem.space, 2, seed), problem.losses)
        study.run(300)
        losses = np.array([problem.losses(config) for config in study.configs])
        reached.append(moopt.pareto.hypervolume(losses, problem.ideal, problem.nadir))
    assert np.mean(reached) > 1.1 * np.mean([problem.hypervolume(300, seed, "random") for seed in range(3)])


def test_it_waits_for_the_rest_of_a_generation_and_no_longer():
    study = Simulation(moopt.PymooAlgorithm(NSGA2(pop_size=5)).searcher(mixed_space(), 3, seed=0))
    assert [study.start() for _ in range(6)] == [True] * 5 + [False]
    assert study.searcher.ask(5) is WAIT
    for number in range(5):
        study.finish(number)
    assert study.start()


def test_results_from_elsewhere_are_learned_from():
    """Only the good corner was told, so children of it are near it."""
    study = Simulation(moopt.PymooAlgorithm(NSGA2(pop_size=10)).searcher(as_space(SPACE), 2, seed=0))
    study.losses = lambda config: list(two_losses(config).values())
    for k in range(10):
        study.add({"x0": k / 9, "x1": 0.01, "x2": 0.01, "x3": 0.01})
        study.finish(k)
    study.run(10)
    assert np.mean([config["x1"] for config in study.configs[10:]]) < 0.1


def test_a_failed_trial_is_no_parent():
    study = Simulation(moopt.PymooAlgorithm(NSGA2(pop_size=10)).searcher(as_space(SPACE), 2, seed=0))
    study.losses = lambda config: list(two_losses(config).values())
    for number in range(200):
        study.start()
        study.finish(number, State.FAILED if study.configs[-1]["x0"] > 0.5 else State.COMPLETE)
    assert np.mean([config["x0"] > 0.5 for config in study.configs[-50:]]) < 0.25


@pytest.mark.parametrize("make", [lambda: NSGA2(pop_size=10), lambda: MOEAD(energy_directions(10, 2), n_neighbors=5)])
def test_it_turns_to_where_the_limits_are_met(make):
    study = Simulation(moopt.PymooAlgorithm(make()).searcher(as_space(SPACE), 2, seed=0))
    study.losses = lambda config: list(two_losses(config).values())
    for number in range(200):
        study.start()
        study.finish(number, violation=max(0.0, 0.9 - study.configs[-1]["x0"]))
    assert np.mean([config["x0"] >= 0.9 for config in study.configs[-50:]]) > 0.4


def test_factors_and_shifts_of_losses_change_nothing_but_rounding():
    plain, scaled = (Simulation(rvea(8, 3).searcher(mixed_space(), 3, seed=0)) for _ in range(2))
    scaled.losses = lambda config: np.array([1e6, 1.0, 1e-6]) * three_losses(config) + np.array([0.0, 50.0, 1e-6])
    plain.run(40)
    scaled.run(40)
    for one, other in zip(plain.configs, scaled.configs, strict=True):
        np.testing.assert_allclose(mixed_space().encode(one), mixed_space().encode(other), atol=1e-6)


def test_a_study_searches_with_it_and_keeps_its_name_in_plain_json():
    given = rvea()
    study = moopt.create_study("s", SPACE, OBJECTIVES, algorithm=given, seed=1)
    study.optimize(two_losses, n_trials=40)
    assert len(study.trials()) == 40
    kept = json.loads(json.dumps(study.record.search))
    assert kept["algorithm"] == "pymoo"
    assert kept["class"] == "pymoo.algorithms.moo.rvea.RVEA"
    assert kept["settings"]["pop_size"] == 12
    assert kept["settings"]["termination"] == ["n_gen", 10]
    assert given.algorithm.problem is None


def test_a_stored_study_goes_on_as_if_it_had_never_stopped(tmp_path):
    whole = moopt.create_study("whole", SPACE, OBJECTIVES, algorithm=rvea(), seed=3, store=tmp_path / "a.db")
    whole.optimize(two_losses, n_trials=50)
    half = moopt.create_study("half", SPACE, OBJECTIVES, algorithm=rvea(), seed=3, store=tmp_path / "a.db")
    half.optimize(two_losses, n_trials=31)
    again = moopt.load_study(tmp_path / "a.db", "half", algorithm=rvea())
    again.optimize(two_losses, n_trials=50)
    columns = [name for name in whole.trials().columns if name.startswith("param_")]
    assert whole.trials()[columns].equals(again.trials()[columns])


def test_two_workers_get_through_the_ends_of_generations_and_may_do_so_whatever_the_timing():
    configs = []
    for _ in range(2):
        study = moopt.create_study("s", SPACE, OBJECTIVES, algorithm=rvea(5), seed=1)
        with ThreadPoolExecutor(2) as executor:
            stopped = study.optimize(two_losses, n_trials=40, executor=executor, n_jobs=2, deterministic=True)
        assert stopped == "all trials are done"
        configs.append(study.trials().filter(like="param_"))
    assert configs[0].equals(configs[1])
    study = moopt.create_study("s", SPACE, OBJECTIVES, algorithm=rvea(5), seed=1)
    with ThreadPoolExecutor(2) as executor:
        study.optimize(two_losses, n_trials=40, executor=executor, n_jobs=2)
    assert len(study.trials()) == 40


def test_a_search_that_waits_for_trials_of_ask_says_so():
    study = moopt.create_study("s", SPACE, OBJECTIVES, algorithm=rvea(3), seed=1, defaults=[])
    asked = [study.ask() for _ in range(3)]
    with pytest.raises(UsageError, match="tell pending results first"):
        study.ask()
    with pytest.raises(UsageError, match="tell the results of the trials that ask gave first"):
        study.optimize(two_losses, n_trials=10)
    for trial in asked:
        study.tell(trial, two_losses(trial.config))
    study.optimize(two_losses, n_trials=10)
    assert len(study.trials()) == 10


def test_a_study_is_searched_through_the_scikit_learn_face():
    ranges = {"max_depth": [1, 2, 3, 4, 5], "min_samples_leaf": [1, 2, 4, 8]}
    X, y = make_classification(80, random_state=0)
    search = moopt.ParetoSearchCV(
        DecisionTreeClassifier(random_state=0),
        ranges,
        algorithm=moopt.PymooAlgorithm(NSGA2(pop_size=4)),
        n_trials=10,
        cv=2,
        random_state=0,
    )
    assert len(clone(search).fit(X, y).cv_results_["params"]) == 10


def test_a_stored_study_is_read_without_the_algorithm_and_asks_for_it_to_go_on(tmp_path):
    moopt.create_study("s", SPACE, OBJECTIVES, algorithm=rvea(), store=tmp_path / "a.db").optimize(two_losses, 5)
    study = moopt.load_study(tmp_path / "a.db")
    assert len(study.trials()) == 5
    with pytest.raises(SpecError, match=r"pymoo's RVEA, .* give it again: load_study\(..., algorithm=PymooAlgorithm"):
        study.optimize(two_losses, n_trials=10)
    with pytest.raises(SpecError, match=r"searches with pymoo.algorithms.moo.rvea.RVEA, given was .*NSGA2"):
        moopt.load_study(tmp_path / "a.db", algorithm=moopt.PymooAlgorithm(NSGA2())).optimize(two_losses, 10)
    with pytest.raises(SpecError, match="a RVEA of other settings"):
        moopt.load_study(tmp_path / "a.db", algorithm=rvea(13)).optimize(two_losses, 10)
    with pytest.raises(StudyMismatch, match="settings"):
        moopt.create_study("s", SPACE, OBJECTIVES, algorithm=rvea(13), store=tmp_path / "a.db", resume=True)
    moopt.create_study("s", SPACE, OBJECTIVES, algorithm=rvea(), store=tmp_path / "a.db", resume=True).optimize(
        two_losses, 10
    )
    assert len(study.trials()) == 10


def test_what_cannot_search_is_refused():
    with pytest.raises(SpecError, match="PymooAlgorithm was given 'RVEA'; give an algorithm of pymoo"):
        moopt.PymooAlgorithm("RVEA")
    used = NSGA2().setup(ZDT1())
    with pytest.raises(SpecError, match="this NSGA2 was set up already; give PymooAlgorithm a fresh one"):
        moopt.PymooAlgorithm(used)
    with pytest.raises(SpecError, match="directions of this RVEA are for 3 objectives, the study has 2"):
        rvea(5, 3).searcher(as_space(SPACE), 2, 0)
    with pytest.raises(SpecError, match="RVEA cannot search here: Please use the n_gen or n_eval"):
        moopt.PymooAlgorithm(RVEA(energy_directions(5, 2))).searcher(as_space(SPACE), 2, 0)
    with pytest.raises(SpecError, match="population is no option of a pymoo algorithm here; give it to RVEA"):
        moopt.create_study("s", SPACE, OBJECTIVES, algorithm=rvea(), population=5)

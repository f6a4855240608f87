"""Surrogate assistance: the models by themselves, the gains, and the searcher against the contract and beyond."""

from functools import partial

import numpy as np
import pytest
from ConfigSpace import BetaFloatHyperparameter, Categorical, ConfigurationSpace, EqualsCondition, Float
from scipy.optimize import approx_fprime

from moopt import pareto
from moopt.searchers import make_searcher, search_options
from moopt.searchers.base import EXHAUSTED, Proposal
from moopt.searchers.nsga2 import NSGA2
from moopt.searchers.surrogate import Assisted, acquisition, assisted, gp
from moopt.searchers.surrogate.acquisition import HypervolumeGain, TchebycheffGain, expected_gain, hypervolume
from moopt.searchers.surrogate.features import Features
from moopt.searchers.surrogate.forest import Forest
from moopt.searchers.surrogate.parego import augmented_tchebycheff, by_improvement
from moopt.searchers.weights import energy_directions
from moopt.space import Space, as_space
from moopt.trial import State
from tests.contracts.searchers import SearcherContract, Simulation, conditional_space, mixed_space, three_losses
from tests.problems import families, switch


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small models and few candidates, where quality is not the question."""
    for name, less in {
        "candidates.GENERATIONS": 1,
        "candidates.BROOD": 10,
        "candidates.LOCAL": 20,
        "candidates.RANDOM": 10,
        "acquisition.SHORTLIST": 5,
        "acquisition.OUTLOOK_POINTS": 32,
        "acquisition._POINTS": 64,
        "forest.TREES": 4,
        "gp.STEPS": 3,
    }.items():
        monkeypatch.setattr(f"moopt.searchers.surrogate.{name}", less)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("algorithm", ["nsga2", "moead", "parego"])
def test_a_factor_and_a_shift_change_no_proposal(algorithm: str) -> None:
    plain, scaled = (Simulation(make_searcher(search_options(algorithm), mixed_space(), 3, seed=3)) for _ in range(2))
    scaled.losses = lambda config: np.array([1e3, 1.0, 1e-3]) * three_losses(config) + np.array([0.0, 50.0, 0.01])
    plain.run(25)
    scaled.run(25)
    assert plain.configs == scaled.configs


@pytest.mark.usefixtures("quick")
class TestNSGA2WithModels(SearcherContract):
    search = search_options("nsga2", population=8)


@pytest.mark.usefixtures("quick")
class TestMOEADWithModels(SearcherContract):
    search = search_options("moead", population=8)


@pytest.mark.usefixtures("quick")
class TestParEGO(SearcherContract):
    search = search_options("parego")


# The models


def test_a_choice_has_a_column_each_and_an_inactive_number_the_value_asked_for():
    space = ConfigurationSpace()
    kind, rate = Categorical("kind", ["a", "b", "c"]), Float("rate", (0.0, 1.0))
    space.add(kind, rate, EqualsCondition(rate, kind, "b"))
    codec = Space(space)
    points = np.array([codec.encode(config) for config in ({"kind": "b", "rate": 0.25}, {"kind": "c"})])
    features = Features(codec)
    assert features(points, -1.0).tolist() == [[0.25, 0, 1, 0], [-1.0, 0, 0, 1]]
    assert features.groups.tolist() == [0, 1, 1, 1]


def test_the_gradient_of_the_posterior_is_that_of_finite_differences(rng):
    X, groups = rng.random((12, 4)), np.array([0, 1, 1, 2])
    posterior = gp.Posterior(gp.squares_by_group(X, groups), gp.standardised(X[:, 0] + X[:, 3] ** 2)[0])
    for _ in range(3):
        at = posterior.start + rng.standard_normal(5) / 2
        numeric = approx_fprime(at, lambda parameters: posterior(parameters)[0], 1e-6)
        np.testing.assert_allclose(posterior(at)[1], numeric, rtol=1e-3, atol=1e-3)


def test_a_wild_step_of_the_fit_is_a_number_and_leads_back(rng):
    X, groups = rng.random((12, 2)), np.array([0, 1])
    posterior = gp.Posterior(gp.squares_by_group(X, groups), gp.standardised(X[:, 0])[0])
    for way in (-1e3, 1e3):
        value, gradient = posterior(np.full(4, way))
        assert np.isfinite(value)
        assert value > posterior(posterior.start)[0]
        assert (np.sign(gradient) == np.sign(way)).all()


def test_a_gaussian_process_interpolates_and_is_unsure_elsewhere(rng):
    X = rng.random((30, 2))
    Y = np.column_stack([np.sin(4 * X[:, 0]), X[:, 1] ** 2])
    groups = np.array([0, 1])
    model = gp.GP(X, Y, groups, gp.fit(X, Y, groups))
    mean, spread = model.predict(X)
    np.testing.assert_allclose(mean, Y, atol=0.02)
    assert (model.predict(X + 2.0)[1] > 5 * spread.max(axis=0)).all()


def test_a_gaussian_process_finds_the_hyperparameter_that_does_nothing(rng):
    X, groups = rng.random((40, 2)), np.array([0, 1])
    parameters = gp.fit(X, np.sin(6 * X[:, :1]), groups)
    assert parameters[0, 1] - parameters[0, 0] > np.log(5)


def test_copies_and_constants_are_no_trouble_for_a_gaussian_process(rng):
    X = np.repeat(rng.random((3, 2)), 10, axis=0)
    Y = np.column_stack([np.ones(30), rng.random(30)])
    groups = np.array([0, 1])
    mean, spread = gp.GP(X, Y, groups, gp.fit(X, Y, groups)).predict(X)
    np.testing.assert_allclose(mean[:, 0], 1.0)
    assert np.isfinite(mean).all()
    assert np.isfinite(spread).all()


def test_the_trees_of_a_forest_agree_on_what_they_saw_and_differ_elsewhere(rng):
    X = rng.random((200, 3))
    X[:, 0] *= 0.5
    model = Forest(X, np.column_stack([10 * X[:, 0], X[:, 1]]), rng)
    mean, spread = model.predict(X)
    assert np.corrcoef(mean[:, 0], X[:, 0])[0, 1] > 0.98
    steep, flat = Forest(np.array([[0.0], [1.0]] * 5), np.array([[0.0], [1.0]] * 5), rng).predict(np.array([[0.5]]))
    assert 0 <= steep[0, 0] <= 1
    assert flat[0, 0] >= 0
    assert spread.mean() > 0


# The gains


@pytest.mark.parametrize("m", [1, 2, 4])
def test_the_gain_is_the_difference_of_two_hypervolumes(rng, m):
    front, new = rng.random((8, m)), rng.random((20, m)) * 1.3 - 0.1
    gains = HypervolumeGain(front)(new)
    expected = [hypervolume(np.vstack([front, row])) - hypervolume(front) for row in new]
    np.testing.assert_allclose(gains, expected, atol=1e-9)


def test_the_counted_gain_agrees_with_the_exact_one(rng, monkeypatch):
    front, new = rng.random((8, 3)), rng.random((30, 3))
    exact = HypervolumeGain(front)(new)
    monkeypatch.setattr(acquisition, "_EXACT_OBJECTIVES", 2)
    np.testing.assert_allclose(HypervolumeGain(front)(new) * 1.1**3, exact, atol=0.03)


def test_the_gain_of_many_subproblems_goes_with_the_hypervolume(rng):
    front, new = rng.random((8, 2)), rng.random((40, 2))
    gains = TchebycheffGain(front, energy_directions(200, 2))(new)
    assert np.corrcoef(gains, HypervolumeGain(front)(new))[0, 1] > 0.98


def test_a_point_behind_the_front_gains_nothing_for_any_subproblem():
    front = np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]])
    gain = TchebycheffGain(front, np.array([[0.2, 0.8], [0.5, 0.5]]))
    assert gain(np.array([[0.6, 0.6]])).tolist() == [0.0]
    assert gain(np.array([[0.4, 0.4]]))[0] > 0
    assert expected_gain(gain, np.array([[0.6, 0.6]]), np.array([[0.3, 0.3]]))[0] > 0


# The searcher


@pytest.mark.parametrize(
    ("algorithm", "problem", "times"), [("nsga2", switch(), 1.3), ("moead", switch(), 1.3), ("nsga2", families(), 1.05)]
)
def test_it_beats_the_plain_algorithm_clearly(algorithm, problem, times, monkeypatch):
    monkeypatch.setattr("moopt.searchers.surrogate.candidates.GENERATIONS", 5)
    ours = np.mean([problem.hypervolume(40, seed, algorithm) for seed in range(2)])
    plain = np.mean([problem.hypervolume(40, seed, algorithm, surrogate="none") for seed in range(4)])
    assert ours > times * plain


@pytest.mark.parametrize("surrogate", ["gp", "forest"])
def test_one_model_alone_can_be_chosen(surrogate, quick):
    study = Simulation(make_searcher(search_options("nsga2", surrogate=surrogate), mixed_space(), 3, seed=0))
    assert study.run(25) == 25
    assert {trial.origin["model"] for trial in study.events if isinstance(getattr(trial, "origin", None), dict)} == {
        surrogate
    }


def test_the_models_take_turns(quick):
    study = Simulation(make_searcher(search_options("nsga2"), mixed_space(), 3, seed=0))
    study.run(30)
    origins = [proposal.origin for number in (30, 31) if isinstance(proposal := study.searcher.ask(number), Proposal)]
    assert origins == [{"model": "forest"}, {"model": "gp"}]


def test_the_plain_algorithm_takes_over_when_trials_are_many(monkeypatch, quick):
    monkeypatch.setattr(assisted, "HANDOVER", 30)
    space = mixed_space()
    study = Simulation(make_searcher(search_options("nsga2"), space, 3, seed=0))
    study.run(30)
    plain = study.replay(NSGA2(space, 3, seed=0))
    assert study.searcher.ask(30) == plain.ask(30)


def test_pending_trials_spread_the_proposals(quick):
    """Eight at once are not eight times nearly the same config."""
    space = as_space({"x": (0.0, 1.0), "y": (0.0, 1.0)})
    study = Simulation(make_searcher(search_options("nsga2", surrogate="gp"), space, 2, seed=0))
    study.losses = lambda config: [(config["x"] - 0.3) ** 2, (config["x"] - 0.7) ** 2 + config["y"]]
    study.run(12)
    for _ in range(8):
        study.start()
    points = np.array([space.encode(trial.config) for trial in study.pending.values()])
    apart = np.linalg.norm(points[:, None] - points, axis=2)[np.triu_indices(8, 1)]
    assert apart.min() > 0.003


@pytest.mark.parametrize("algorithm", ["nsga2", "moead", "parego"])
def test_it_finds_where_the_limits_are_met(algorithm, quick):
    """The better its losses the more a config misses its limit; one in ten random configs meets it."""
    space = as_space({"x": Float("x", (0.0, 1.0)), "y": Float("y", (0.0, 1.0))})
    study = Simulation(make_searcher(search_options(algorithm), space, 2, seed=0))
    study.losses = lambda config: [config["x"] + config["y"], config["x"] - config["y"]]
    meets = []
    for number in range(40):
        study.start()
        violation = max(0.0, 0.9 - study.configs[-1]["x"])
        study.finish(number, violation=violation)
        meets.append(violation == 0)
    assert np.mean(meets[15:]) > 0.35


def test_it_looks_for_the_least_violation_where_no_config_meets_the_limits(quick):
    space = as_space({"x": (0.0, 1.0), "y": (0.0, 1.0)})
    study = Simulation(make_searcher(search_options("nsga2"), space, 2, seed=0))
    study.losses = lambda config: [config["x"], config["y"]]
    for number in range(25):
        study.start()
        study.finish(number, violation=1 + (study.configs[-1]["x"] - 0.8) ** 2)
    assert np.median([abs(config["x"] - 0.8) for config in study.configs[10:]]) < 0.1


def test_it_leaves_a_corner_where_trials_fail(quick):
    """The best losses are promised where every trial fails."""
    space = as_space({"x": (0.0, 1.0), "y": (0.0, 1.0)})
    study = Simulation(make_searcher(search_options("nsga2"), space, 2, seed=0))
    study.losses = lambda config: [config["x"], config["x"] + config["y"]]
    failed = []
    for number in range(50):
        study.start()
        failed.append(study.configs[-1]["x"] < 0.3)
        study.finish(number, State.FAILED if failed[-1] else State.COMPLETE)
    assert np.mean(failed[-20:]) < 0.6


def test_eight_objectives_are_no_trouble(quick):
    space = conditional_space()
    study = Simulation(make_searcher(search_options("nsga2"), space, 8, seed=0))
    study.losses = lambda config: np.sin(np.arange(8) + 5 * np.nan_to_num(space.encode(config)).sum())
    assert study.run(25) == 25


def test_a_space_of_one_config_is_used_up_by_it():
    for given in ({"only": 3}, {"only": [1.5]}):
        study = Simulation(make_searcher(search_options("nsga2"), as_space(given), 2, seed=0))
        study.losses = lambda config: [1.0, 2.0]
        assert study.run(5) == 1
        assert study.searcher.ask(1) is EXHAUSTED


def test_stopped_trials_alone_are_learned_from(quick):
    study = Simulation(make_searcher(search_options("nsga2"), mixed_space(), 3, seed=0))
    assert study.run(20, states=[State.STOPPED]) == 20


def test_an_even_design_comes_first_and_ends_when_a_model_can_learn(quick):
    space = as_space({f"x{k}": (0.0, 1.0) for k in range(3)})
    first = partial(make_searcher, space=space, n_objectives=2, seed=0)
    ours, sobol = (
        Simulation(first(one), lambda config: [config["x0"], 1 - config["x0"]])
        for one in (search_options("nsga2"), search_options("sobol"))
    )
    ours.run(5)
    sobol.run(5)
    assert ours.configs[:4] == sobol.configs[:4]
    assert ours.configs[4] != sobol.configs[4]
    assert isinstance(ours.searcher, Assisted)


# ParEGO


def test_the_scalar_is_the_largest_weighted_loss_and_a_little_of_the_sum():
    losses, weights = np.array([[0.2, 0.8], [0.5, 0.5]]), np.array([0.25, 0.75])
    np.testing.assert_allclose(augmented_tchebycheff(losses, weights), [0.6 + 0.05 * 0.65, 0.375 + 0.05 * 0.5])


def test_candidates_are_ordered_by_expected_improvement_times_their_chance():
    mean, spread = np.array([[0.5], [0.5], [0.9], [0.5]]), np.array([[0.1], [0.3], [0.1], [0.3]])
    assert by_improvement(np.array([[0.4], [0.7]]), mean, spread, np.array([1, 1, 1, 0.9])).tolist() == [1, 3, 0, 2]


def test_each_proposal_of_parego_draws_its_own_weight_and_the_models_take_turns(quick):
    study = Simulation(make_searcher(search_options("parego"), mixed_space(), 3, seed=0))
    study.run(20)
    origins = [study.searcher.ask(number).origin for number in range(20, 28)]
    assert [origin["model"] for origin in origins] == ["forest", "gp"] * 4
    assert len({origin["direction"] for origin in origins}) > 4


def test_parego_beats_random_search_clearly(quick):
    problem = switch()
    ours = np.mean([problem.hypervolume(40, seed, "parego") for seed in range(2)])
    assert ours > 1.3 * np.mean([problem.hypervolume(40, seed, "random") for seed in range(4)])


# Beliefs


def with_beliefs(alpha: float, beta: float) -> Space:
    """Two numbers of which the second costs in every objective, with a belief about it."""
    space = ConfigurationSpace()
    space.add(Float("x", (0.0, 1.0)), BetaFloatHyperparameter("y", alpha, beta, 0.0, 1.0))
    return Space(space)


def reached(space: Space, search: dict[str, object], n: int, seeds: int = 2) -> float:
    """Mean hypervolume of n trials."""
    found = []
    for seed in range(seeds):
        study = Simulation(make_searcher(search, space, 2, seed))
        study.losses = lambda config: [config["x"] + config["y"], 1 - config["x"] + config["y"]]
        study.run(n)
        losses = np.array([study.losses(config) for config in study.configs])
        found.append(pareto.hypervolume(losses, np.zeros(2), np.ones(2)))
    return float(np.mean(found))


@pytest.mark.parametrize(
    "search", [search_options("nsga2"), search_options("nsga2", surrogate="none"), search_options("parego")]
)
def test_a_right_belief_helps_at_once_and_a_wrong_one_is_forgotten(search, quick):
    helpful, none, misleading = with_beliefs(1, 8), with_beliefs(1, 1), with_beliefs(8, 1)
    assert reached(helpful, search, 10) > 1.1 * reached(none, search, 10)
    assert reached(misleading, search, 10) < 0.9 * reached(none, search, 10)
    assert reached(misleading, search, 60) > 0.85 * reached(none, search, 60)

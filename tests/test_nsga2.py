"""NSGA-II beyond the contract: quality, feasibility first, scales, crowding."""

import numpy as np
import pytest
from ConfigSpace import Float

from moopt.searchers import make_searcher, search_options
from moopt.searchers.nsga2 import crowding
from moopt.space import as_space
from tests.contracts.searchers import Simulation, conditional_space, three_losses
from tests.problems import families, switch

SEEDS = range(5)
ALGORITHMS = ["nsga2", "moead"]


@pytest.mark.parametrize("problem", [families(), switch()], ids=["families", "switch"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_it_beats_random_search_clearly(problem, algorithm):
    ours = np.array([problem.hypervolume(300, seed, algorithm) for seed in SEEDS])
    random = np.array([problem.hypervolume(300, seed, "random") for seed in SEEDS])
    assert (ours > random).all()
    assert ours.mean() > 1.15 * random.mean()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_million_times_and_a_shift_change_nothing_but_rounding(algorithm):
    space = conditional_space()
    plain, scaled = (Simulation(make_searcher(search_options(algorithm), space, 3, seed=3)) for _ in range(2))
    scaled.losses = lambda config: np.array([1e6, 1.0, 1e-6]) * three_losses(config) + np.array([0.0, 50.0, 1e-6])
    plain.run(80, workers=2)
    scaled.run(80, workers=2)
    for one, other in zip(plain.configs, scaled.configs, strict=True):
        np.testing.assert_allclose(space.encode(one), space.encode(other), atol=1e-9)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_it_turns_to_where_the_limits_are_met(algorithm):
    """The better its losses the more a config misses its limit; one in ten random configs meets it."""
    space = as_space({"x": Float("x", (0.0, 1.0)), "y": Float("y", (0.0, 1.0))})
    study = Simulation(make_searcher(search_options(algorithm), space, 2, seed=0))
    study.losses = lambda config: [config["x"], config["x"] + config["y"]]
    meets = []
    for number in range(150):
        study.start()
        violation = max(0.0, 0.9 - study.configs[-1]["x"])
        study.finish(number, violation=violation)
        meets.append(violation == 0)
    assert np.mean(meets[:20]) < 0.2
    assert np.mean(meets[-75:]) > 0.4


def shares(algorithm, losses, **options):
    """How often a child has a value of trial k, when all of trial k's values are k; by mutation alone at most .01."""
    n = 30
    space = as_space({f"x{place}": list(range(n)) for place in range(12)})
    study = Simulation(make_searcher(search_options(algorithm, **options), space, 2, seed=0))
    for k, row in enumerate(losses):
        study.losses = lambda _, row=row: row
        study.add(dict.fromkeys(space.names, k))
        study.finish(k)
    children = [study.searcher.ask(number).config.values() for number in range(100, 400)]
    counts = np.bincount([value for child in children for value in child], minlength=n)
    return counts[: len(losses)] / counts.sum()


def test_tournaments_prefer_the_better_rank():
    got = shares("nsga2", [(k, k) for k in range(10)], population=10)
    assert got[:3].sum() > 2.5 * got[-3:].sum()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_worse_result_takes_no_place(algorithm):
    front = [(k, 9 - k) for k in range(10)]
    got = shares(algorithm, [*front, (9, 9), (12, 12), (5, 8)], population=10)
    assert (got[-3:] < 0.015).all()
    assert (got[:10] > 0.015).all()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_better_result_takes_the_place_of_what_it_dominates(algorithm):
    front = [(k, 9 - k) for k in range(10)]
    got = shares(algorithm, [*front, (3.9, 4.9)], population=10)
    assert got[4] < 0.015 < got[10]


def test_the_most_crowded_leaves():
    front = [(0, 10), (2, 8), (4, 6), (6, 4), (8, 2), (10, 0)]
    assert (shares("nsga2", [*front, (4.1, 5.9)], population=6) < 0.015).nonzero()[0].tolist() == [6]
    assert (shares("nsga2", [*front, (-1, 11)], population=6) < 0.015).nonzero()[0].tolist() == [0]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_design_it_starts_from_ends_with_the_population(algorithm):
    space = as_space({f"x{k}": (0.0, 1.0) for k in range(3)})
    searcher = make_searcher(search_options(algorithm, population=6), space, 2, seed=0)
    sobol = make_searcher({"algorithm": "sobol"}, space, 2, seed=0)
    ours, theirs = (Simulation(one, lambda config: [config["x0"], 1 - config["x0"]]) for one in (searcher, sobol))
    ours.run(7)
    theirs.run(7)
    assert ours.configs[:6] == theirs.configs[:6]
    assert ours.configs[6] != theirs.configs[6]


@pytest.mark.parametrize("n_objectives", [1, 2, 3, 4])
def test_crowding_spares_the_best_of_each_objective_and_finds_the_most_crowded(n_objectives):
    losses = np.random.default_rng(0).random((30, n_objectives))
    losses[7] = losses[12] + 1e-6
    room = crowding(losses)
    assert np.isinf(room[losses.argmin(axis=0)]).all()
    assert n_objectives == 1 or {7, 12} >= set(np.argsort(room)[:1])


@pytest.mark.parametrize("n_objectives", [1, 2, 4])
def test_crowding_of_copies_and_of_one_point(n_objectives):
    assert crowding(np.ones((1, n_objectives))).shape == (1,)
    assert not np.isnan(crowding(np.ones((6, n_objectives)))).any()

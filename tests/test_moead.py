"""MOEA/D beyond the contract: subproblems, decompositions, directions. Its quality is tested beside NSGA-II's."""

import numpy as np
import pytest
from pymoo.decomposition.pbi import PBI
from pymoo.decomposition.tchebicheff import Tchebicheff

from moopt.searchers import make_searcher, search_options
from moopt.searchers.base import Pending
from moopt.searchers.moead import pbi, tchebycheff
from moopt.searchers.weights import energy_directions, tchebycheff_weights
from moopt.space import as_space
from tests.contracts.searchers import Simulation, mixed_space


def test_every_subproblem_has_its_turn_whoever_else_takes_numbers():
    space, rng = mixed_space(), np.random.default_rng(0)
    study = Simulation(make_searcher(search_options("moead", population=6, surrogate="none"), space, 3, seed=0))
    study.run(6)
    for _ in range(12):
        study.start()
        study.add(space.sample(rng))
        for number in list(study.pending):
            study.finish(number)
    own = [event.origin for event in study.events if isinstance(event, Pending) and isinstance(event.origin, dict)]
    assert [origin["subproblem"] for origin in own] == [0, 1, 2, 3, 4, 5] * 2
    assert {origin["near"] for origin in own} <= {True, False}


def test_the_first_results_go_to_the_subproblems_that_they_suit():
    n, order = 30, np.random.default_rng(0).permutation(30)
    space = as_space({f"x{place}": list(range(n)) for place in range(12)})
    study = Simulation(make_searcher(search_options("moead", population=n, surrogate="none"), space, 2, seed=0))
    for number, rank in enumerate(order.tolist()):
        study.losses = lambda _, rank=rank: (rank, n - 1 - rank)
        study.add(dict.fromkeys(space.names, rank))
        study.finish(number)
    children = [study.searcher.ask(number) for number in range(100, 300)]
    assert all(child.origin["subproblem"] == 0 for child in children)
    near = [value for child in children if child.origin["near"] for value in child.config.values()]
    shares = np.bincount(near, minlength=n) / len(near)
    assert shares[20:].sum() < 0.1  # of the 20 neighbours of the first subproblem none holds these
    assert (shares[:20] > 0.02).all()


def test_the_decompositions_are_those_of_pymoo():
    rng = np.random.default_rng(0)
    losses, weights = rng.random((5, 3)), energy_directions(7, 3)
    ours = tchebycheff(losses[:, None], weights[None])
    theirs = Tchebicheff().do(losses, weights, _type="many_to_many", utopian_point=np.zeros(3))
    np.testing.assert_allclose(ours, theirs)
    ours = pbi(losses[:, None], weights[None])
    theirs = PBI(theta=5).do(losses, weights, _type="many_to_many", utopian_point=np.zeros(3))
    np.testing.assert_allclose(ours, theirs)


@pytest.mark.parametrize("n_objectives", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("n", [2, 3, 20, 101])
def test_directions_are_distinct_positive_and_sum_to_one(n, n_objectives):
    directions = energy_directions(n, n_objectives)
    assert directions.shape == (n, n_objectives)
    assert (directions > 0).all()
    np.testing.assert_allclose(directions.sum(axis=1), 1)
    assert n_objectives == 1 or len(np.unique(directions.round(9), axis=0)) == n


def test_directions_are_the_same_for_the_same_shape_and_cannot_be_changed():
    first = energy_directions(20, 4)
    energy_directions.cache_clear()
    assert np.array_equal(first, energy_directions(20, 4))
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 1


def test_a_weight_leads_along_its_direction():
    """On the ray all weighted losses are equal, which makes it the Tchebycheff optimum of a front through it."""
    directions = energy_directions(20, 3)
    weighted = directions * tchebycheff_weights(directions)
    np.testing.assert_allclose(weighted, weighted[:, :1] @ np.ones((1, 3)))


def test_directions_keep_their_distance():
    directions = energy_directions(50, 3)
    gaps = np.linalg.norm(directions[:, None] - directions[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    assert gaps.min() > 0.06


def children_of_the_first_subproblem(operators):
    """How far children are from its incumbent; all values of trial k are k/9, and it is the best of one subproblem."""
    space = as_space({f"x{place}": (0.0, 1.0) for place in range(6)})
    study = Simulation(
        make_searcher(search_options("moead", population=10, operators=operators, surrogate="none"), space, 2, seed=0)
    )
    for k in range(10):
        study.losses = lambda _, k=k: [k, 9 - k]
        study.add(dict.fromkeys(space.names, k / 9))
        study.finish(k)
    children = [study.searcher.ask(number).config["x0"] for number in range(10, 310)]
    own = study.searcher.population_losses[0, 0] / 9
    return np.abs(np.array(children) - own)


def test_the_operators_of_published_tables_move_the_incumbent_itself():
    assert np.mean(children_of_the_first_subproblem("de")) < 0.25
    assert np.mean(children_of_the_first_subproblem("auto")) > 0.4


def test_the_population_is_there_to_be_scored_and_not_to_be_changed():
    for algorithm in ("nsga2", "moead"):
        study = Simulation(
            make_searcher(search_options(algorithm, population=6, surrogate="none"), mixed_space(), 3, seed=0)
        )
        study.run(4)
        assert study.searcher.population_losses.shape == (4, 3)
        study.run(30)
        before = study.searcher.population_losses
        study.searcher.population_losses[:] = 0
        assert np.array_equal(study.searcher.population_losses, before)
        assert len(before) == 6

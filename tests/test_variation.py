"""Children of mixed and conditional parents."""

import numpy as np
import pytest

from moopt.searchers.variation import Variation
from tests.contracts.searchers import conditional_space, mixed_space

LINEAR = {"family": "linear", "c": 2.0, "scale": "none"}
TREE = {"family": "tree", "rate": 0.03, "depth": 7, "pruned": True, "alpha": 0.02, "scale": "standard"}
NET = {"family": "net", "rate": 0.5, "scale": "standard"}
STUMP = {"family": "tree", "rate": 0.9, "depth": 1, "pruned": False, "scale": "standard"}


def generators(n=60):
    return [np.random.default_rng(seed) for seed in range(n)]


@pytest.mark.parametrize("operator", ["uniform", "sbx"])
def test_a_child_of_two_families_has_a_whole_branch_of_one_parent(operator):
    space = conditional_space()
    cross = getattr(Variation(space), operator)
    children = [space.decode(cross(space.encode(LINEAR), space.encode(TREE), rng)) for rng in generators()]
    branches = [{name: child[name] for name in child if name != "scale"} for child in children]
    whole = [{name: parent[name] for name in parent if name != "scale"} for parent in (LINEAR, TREE)]
    assert all(branch in whole for branch in branches)
    assert all(branch in branches for branch in whole)
    assert {child["scale"] for child in children} == {"none", "standard"}


def test_a_shared_hyperparameter_stays_with_the_family_it_was_tuned_for():
    space = conditional_space()
    cross = Variation(space).uniform
    for rng in generators():
        child = space.decode(cross(space.encode(TREE), space.encode(NET), rng))
        assert child["rate"] == {"tree": 0.03, "net": 0.5}[child["family"]]


def test_what_becomes_active_in_no_parent_is_drawn_fresh():
    space = conditional_space()
    variation = Variation(space)
    a, b = space.encode({**STUMP, "pruned": True}), space.encode({**STUMP, "depth": 9})
    alphas = []
    for rng in generators(200):
        child = space.decode(variation.uniform(a, b, rng))
        if "alpha" in child:
            alphas.append(child["alpha"])
    assert len(alphas) > 20
    assert len(set(alphas)) == len(alphas)


def test_differential_evolution_takes_choices_from_parents_only():
    space = mixed_space()
    variation = Variation(space)
    points = [space.encode({**space.default(), "kind": "a", "flag": True, "depth": depth}) for depth in (2, 4, 6, 8)]
    for rng in generators():
        child = space.decode(variation.differential(points[0], points[1:], rng))
        assert (child["kind"], child["flag"]) == ("a", True)
        assert child["depth"] in (2, 3)  # the target's, or 4 + .5 (6 - 8)


def test_differential_evolution_between_families_keeps_branches_whole():
    space = conditional_space()
    points = [space.encode(config) for config in (LINEAR, TREE, NET, STUMP)]
    for rng in generators(200):
        child = space.decode(Variation(space).differential(points[0], points[1:], rng))
        assert child["family"] != "linear" or child["c"] == 2.0
        assert child.keys() == space.from_key(space.key(child)).keys()


@pytest.mark.parametrize("operator", ["mutate", "polynomial"])
def test_mutation_moves_every_kind_but_no_constant_and_no_choice_without_weight(operator):
    space = mixed_space()
    mutate, start = getattr(Variation(space), operator), space.encode(space.default())
    children = [space.decode(mutate(start, 0.5, rng)) for rng in generators()]
    for name in space.names:
        values = {child[name] for child in children}
        assert values == {3} if name == "fixed" else len(values) > 1
    assert {child["kind"] for child in children} <= {"a", "b"}


@pytest.mark.parametrize("operator", ["mutate", "polynomial"])
def test_mutation_at_rate_zero_is_none_and_never_changes_the_parent(operator):
    space = mixed_space()
    mutate, start = getattr(Variation(space), operator), space.encode(space.default())
    start.flags.writeable = False
    assert np.array_equal(mutate(start, 0.0, np.random.default_rng(0)), start)
    assert not np.array_equal(mutate(start, 1.0, np.random.default_rng(0)), start)


def test_sbx_puts_numbers_near_the_parents_in_the_cube():
    space = mixed_space()
    a, b = space.encode({**space.default(), "depth": 1}), space.encode({**space.default(), "depth": 12})
    place = space.names.index("depth")
    children = np.array([Variation(space).sbx(a, b, rng)[place] for rng in generators(200)])
    assert ((children >= 0) & (children <= 1)).all()
    assert len(np.unique(children)) > 50
    assert np.median(np.minimum(abs(children - a[place]), abs(children - b[place]))) < 0.1

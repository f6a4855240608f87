"""Random, Sobol and grid searchers, and what all searchers share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ConfigSpace as CS  # noqa: N817 - as its own documentation has it
import numpy as np
import pytest

from moopt.errors import SpaceError
from moopt.searchers.base import EXHAUSTED, Observation, Pending, Proposal, Searcher
from moopt.searchers.common import Seen
from moopt.searchers.sampling import GridSearcher, RandomSearcher, SobolSearcher
from moopt.space import Space, as_space
from moopt.trial import State

SEARCHERS = [RandomSearcher, SobolSearcher, GridSearcher]
Maker = Callable[[Space, int], Searcher]


def small() -> Space:
    """64 configs."""
    return as_space({"a": (0, 3), "b": ["x", "y"], "c": [True, False], "d": (1, 4)})


def conditional() -> Space:
    """A space of 58 configs, most of its cube forbidden or inactive."""
    space = CS.ConfigurationSpace({"kind": ["a", "b", "c"], "n": (1, 10), "m": (1, 5)})
    space.add(CS.EqualsCondition(space["n"], space["kind"], "a"))
    space.add(
        CS.ForbiddenAndConjunction(
            CS.ForbiddenEqualsClause(space["kind"], "b"), CS.ForbiddenInClause(space["m"], [2, 4])
        )
    )
    return Space(space)


def run(searcher: Searcher, n: int, first: int = 0) -> list[Proposal]:
    """Up to n trials, each started and told."""
    out: list[Proposal] = []
    for number in range(first, first + n):
        proposal = searcher.ask(number)
        if not isinstance(proposal, Proposal):
            break
        searcher.started(Pending(number, proposal.config, proposal.origin))
        searcher.tell(Observation(number, proposal.config, proposal.origin, State.COMPLETE, np.array([0.0]), 0.0, 1, 1))
        out.append(proposal)
    return out


@pytest.mark.parametrize("make", SEARCHERS)
@pytest.mark.parametrize(("space", "size"), [(small(), 64), (conditional(), 58)])
def test_a_finite_space_is_used_up_in_exactly_its_size(make: Maker, space: Space, size: int) -> None:
    searcher = GridSearcher(space, 0, resolution=10) if make is GridSearcher else make(space, 0)
    proposals = run(searcher, size + 5)
    assert len(proposals) == space.size == size
    assert len({space.key(proposal.config) for proposal in proposals}) == size
    assert searcher.ask(size) is EXHAUSTED
    assert all(space.allowed(proposal.config) for proposal in proposals)


@pytest.mark.parametrize("make", SEARCHERS)
def test_asking_changes_nothing(make: Maker) -> None:
    searcher, other = make(small(), 3), make(small(), 3)
    run(searcher, 20)
    for _ in range(4):
        searcher.ask(20)
        searcher.ask(57)
    run(other, 20)
    assert [searcher.ask(number) for number in (20, 21)] == [other.ask(number) for number in (20, 21)]
    assert run(searcher, 44, 20) == run(other, 44, 20)


@pytest.mark.parametrize("make", SEARCHERS)
def test_a_study_is_resumed_by_replaying_what_started(make: Maker) -> None:
    searcher, resumed = make(small(), 3), make(small(), 3)
    for number, proposal in enumerate(run(searcher, 30)):
        resumed.started(Pending(number, proposal.config, proposal.origin))
    assert run(resumed, 40, 30) == run(searcher, 40, 30)


@pytest.mark.parametrize("make", SEARCHERS)
def test_configs_from_elsewhere_are_not_proposed_again(make: Maker) -> None:
    space = small()
    searcher = make(space, 0)
    given = [space.decode(unit) for unit in np.random.default_rng(1).random((20, space.d))]
    for number, config in enumerate(given):
        searcher.started(Pending(number, config))
    keys = {space.key(config) for config in given}
    proposals = run(searcher, 64, 20)
    assert len(proposals) == 64 - len(keys)
    assert not keys & {space.key(proposal.config) for proposal in proposals}


@pytest.mark.parametrize("make", SEARCHERS)
def test_another_seed_gives_another_order(make: Maker) -> None:
    assert run(make(small(), 0), 10) != run(make(small(), 1), 10)
    assert run(make(small(), 0), 10) == run(make(small(), 0), 10)


def test_sobol_points_cover_more_evenly_than_chance() -> None:
    space = as_space({"x": (0.0, 1.0), "y": (0.0, 1.0)})
    proposals = run(SobolSearcher(space, 0), 256)
    cells = {(int(p.config["x"] * 16), int(p.config["y"] * 16)) for p in proposals}
    assert len(cells) == 256
    assert [proposal.origin for proposal in proposals] == list(range(256))


def test_a_sobol_sequence_goes_on_after_its_first_block() -> None:
    space = as_space({"x": (0.0, 1.0)})
    values = sorted(proposal.config["x"] for proposal in run(SobolSearcher(space, 5), 512))
    assert np.max(np.diff(values)) < 2 / 512


def test_sobol_and_random_follow_the_priors() -> None:
    configspace = CS.ConfigurationSpace()
    configspace.add(
        CS.CategoricalHyperparameter("kind", ["often", "rare"], weights=[9, 1]),
        CS.NormalFloatHyperparameter("x", mu=3, sigma=0.5, lower=0, upper=10),
    )
    for make in (SobolSearcher, RandomSearcher):
        configs = [proposal.config for proposal in run(make(Space(configspace), 0), 256)]
        assert sum(config["kind"] == "rare" for config in configs) == pytest.approx(25.6, abs=12)
        assert np.mean([config["x"] for config in configs]) == pytest.approx(3, abs=0.1)


def test_foreign_origins_do_not_move_the_sobol_sequence() -> None:
    searcher = SobolSearcher(as_space({"x": (0.0, 1.0)}), 0)
    first = searcher.ask(0)
    searcher.started(Pending(0, {"x": 0.5}, {"subproblem": 3}))
    assert searcher.ask(0) == first


def test_a_grid_cuts_ranges_to_its_resolution() -> None:
    space = as_space({"x": (0.0, 1.0), "n": (1, 2)})
    proposals = run(GridSearcher(space, 0, resolution=3), 100)
    assert {(p.config["x"], p.config["n"]) for p in proposals} == {(x, n) for x in (0.0, 0.5, 1.0) for n in (1, 2)}


def test_a_grid_of_more_than_a_million_points_is_refused_at_once() -> None:
    space = as_space({f"x{i}": (0.0, 1.0) for i in range(9)})
    with pytest.raises(SpaceError, match=r"the grid has 1,953,125 points, more than 1,000,000"):
        GridSearcher(space, 0)


# What all searchers share


def test_candidates_come_first_and_in_order() -> None:
    space = small()
    seen = Seen(space)
    one, two = space.default(), space.check({"a": 3})
    rng = np.random.default_rng(0)
    assert seen.fresh([one, two], rng) == one
    seen.add(one)
    assert one in seen
    assert seen.fresh([one, two], rng) == two


def test_candidates_are_made_only_when_they_are_needed() -> None:
    space = small()

    def candidates() -> Any:
        yield space.default()
        raise AssertionError("made without need")

    assert Seen(space).fresh(candidates(), np.random.default_rng(0)) == space.default()


def test_a_space_with_rare_configs_is_used_up_by_listing() -> None:
    configspace = CS.ConfigurationSpace()
    configspace.add(CS.CategoricalHyperparameter("kind", ["always", *"abcdefg"], weights=[1, 0, 0, 0, 0, 0, 0, 0]))
    assert len(run(RandomSearcher(Space(configspace), 0), 20)) == 8


def test_an_endless_space_with_one_config_left_in_reach_ends() -> None:
    configspace = CS.ConfigurationSpace()
    configspace.add(CS.Float("x", (0.0, 1.0), default=1.0))
    configspace.add(CS.ForbiddenLessThanClause(configspace["x"], 1.0))
    searcher = RandomSearcher(Space(configspace), 0)
    searcher.started(Pending(0, {"x": 1.0}))
    assert searcher.ask(1) is EXHAUSTED

"""What every searcher must do, as a class: a test module names its searchers as subclasses.

class TestMine(SearcherContract):
    search = {"algorithm": "mine"}
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest
from ConfigSpace import (
    AndConjunction,
    Categorical,
    ConfigurationSpace,
    Constant,
    EqualsCondition,
    Float,
    ForbiddenAndConjunction,
    ForbiddenEqualsClause,
    GreaterThanCondition,
    InCondition,
    Integer,
    Normal,
    OrdinalHyperparameter,
)

from moopt.searchers import make_searcher
from moopt.searchers.base import EXHAUSTED, WAIT, Observation, Pending, Proposal, Searcher
from moopt.space import Space, as_space
from moopt.trial import Config, State

Losses = Callable[[Config], Sequence[float]]


def mixed_space() -> Space:
    """Every kind of hyperparameter, no conditions."""
    space = ConfigurationSpace()
    space.add(
        Float("rate", (1e-4, 1.0), log=True),
        Float("share", (0.0, 1.0), distribution=Normal(0.5, 0.2)),
        Integer("depth", (1, 12)),
        Integer("units", (4, 512), log=True),
        Categorical("kind", ["a", "b", "c"], weights=[0.5, 0.5, 0.0]),
        Categorical("flag", [True, False]),
        OrdinalHyperparameter("level", ["low", "middle", "high"]),
        Constant("fixed", 3),
    )
    return Space(space)


def conditional_space() -> Space:
    """Families with branches of their own, a shared hyperparameter, a branch within a branch, a forbidden corner."""
    space = ConfigurationSpace()
    family = Categorical("family", ["linear", "tree", "net"])
    c = Float("c", (1e-3, 1e3), log=True)
    rate = Float("rate", (1e-3, 1.0), log=True)
    depth = Integer("depth", (1, 10))
    pruned = Categorical("pruned", [True, False])
    alpha = Float("alpha", (0.0, 0.1))
    scale = Categorical("scale", ["standard", "none"])
    space.add(family, c, rate, depth, pruned, alpha, scale)
    space.add(
        EqualsCondition(c, family, "linear"),
        InCondition(rate, family, ["tree", "net"]),
        EqualsCondition(depth, family, "tree"),
        EqualsCondition(pruned, family, "tree"),
        AndConjunction(EqualsCondition(alpha, pruned, True), GreaterThanCondition(alpha, depth, 2)),
    )
    space.add(
        ForbiddenAndConjunction(ForbiddenEqualsClause(family, "net"), ForbiddenEqualsClause(scale, "none")),
    )
    return Space(space)


def finite_space() -> Space:
    """64 configs."""
    return as_space({"a": ["u", "v", "w", "x"], "b": (1, 4), "c": [True, False], "d": (0, 1)})


def finite_conditional_space() -> Space:
    """3 + 2 configs: `b` exists below `a = yes` only."""
    space = ConfigurationSpace()
    a, b, c = Categorical("a", ["yes", "no"]), Integer("b", (1, 3)), Categorical("c", [True, False])
    space.add(a, b, c)
    space.add(EqualsCondition(b, a, "yes"), EqualsCondition(c, a, "no"))
    return Space(space)


def three_losses(config: Config) -> list[float]:
    """Smooth and in conflict; any space."""
    numbers = [hash_share(name, value) for name, value in sorted(config.items())]
    mean = sum(numbers) / len(numbers)
    return [mean, (1 - mean) ** 2 + 0.1 * numbers[0], abs(numbers[-1] - 0.3)]


def hash_share(name: str, value: Any) -> float:
    """A share of one, from any value, the same in every process."""
    if isinstance(value, float):
        return float(abs(np.tanh(value)))
    return sum(ord(letter) for letter in f"{name}{value}") % 97 / 97


@dataclass
class Simulation:
    """A study in small: numbers the trials and keeps the events."""

    searcher: Searcher
    losses: Losses = three_losses
    n_trials: int = 0
    pending: dict[int, Pending] = field(default_factory=dict)
    events: list[Pending | Observation] = field(default_factory=list)
    waited: bool = False

    @property
    def configs(self) -> list[Config]:
        return [event.config for event in self.events if isinstance(event, Pending)]

    def start(self) -> bool:
        """Ask and start; whether there was a proposal."""
        proposal = self.searcher.ask(self.n_trials)
        if proposal is EXHAUSTED:
            return False
        if proposal is WAIT:
            assert self.pending, "it waits for nothing"
            self.waited = True
            return False
        assert isinstance(proposal, Proposal), proposal
        self.add(proposal.config, proposal.origin)
        return True

    def add(self, config: Config, origin: Any = None) -> None:
        trial = Pending(self.n_trials, config, json.loads(json.dumps(origin)))
        self.n_trials += 1
        self.pending[trial.number] = trial
        self.searcher.started(trial)
        self.events.append(trial)

    def add_sibling(self, config: Config, fit: int) -> None:
        """A result that came free with the fit of another trial."""
        self.add(config)
        self.finish(self.n_trials - 1, fit=fit)

    def finish(
        self, number: int, state: State = State.COMPLETE, violation: float = 0.0, fit: int | None = None
    ) -> None:
        trial = self.pending.pop(number)
        losses = None if state is State.FAILED else np.array(self.losses(trial.config), dtype=np.float64)
        steps = 5 if state is State.COMPLETE else 2
        observation = Observation(number, trial.config, trial.origin, state, losses, violation, steps, 5, fit)
        self.searcher.tell(observation)
        self.events.append(observation)

    def run(self, n: int, workers: int = 1, states: Sequence[State] = (State.COMPLETE,)) -> int:
        """Up to n trials, their results in a shuffled order; how many were started."""
        order, started = np.random.default_rng(5), 0
        while True:
            while started < n and len(self.pending) < workers and self.start():
                started += 1
            if not self.pending:
                return started
            number = int(order.choice(list(self.pending)))
            self.finish(number, states[number % len(states)])

    def replay(self, searcher: Searcher) -> Searcher:
        for event in self.events:
            if isinstance(event, Pending):
                searcher.started(event)
            else:
                searcher.tell(event)
        return searcher


class SearcherContract:
    """Subclass it and set ``search``, or give ``make``."""

    search: ClassVar[Mapping[str, Any]]
    may_wait: ClassVar[bool] = False

    def make(self, space: Space, n_objectives: int = 3, seed: int = 7) -> Searcher:
        return make_searcher(self.search, space, n_objectives, seed)

    @pytest.fixture(autouse=True)
    def no_global_randomness(self) -> Iterator[None]:
        before = np.random.get_state()  # noqa: NPY002 - the global state is what is watched
        yield
        after = np.random.get_state()  # noqa: NPY002
        assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))

    @pytest.fixture(params=[mixed_space, conditional_space])
    def space(self, request: pytest.FixtureRequest) -> Space:
        made: Space = request.param()
        return made

    def test_asking_changes_nothing(self, space):
        asked, quiet = (Simulation(self.make(space)) for _ in range(2))
        for n in (0, 5, 30):
            asked.run(n, workers=3)
            quiet.run(n, workers=3)
            first = asked.searcher.ask(asked.n_trials)
            others = [asked.searcher.ask(asked.n_trials + k) for k in (7, 1, 30)]
            assert asked.searcher.ask(asked.n_trials) == first == quiet.searcher.ask(quiet.n_trials)
            assert [asked.searcher.ask(asked.n_trials + k) for k in (7, 1, 30)] == others

    @pytest.mark.parametrize("workers", [1, 8])
    def test_a_replay_of_the_stored_events_goes_on_with_the_same_proposals(self, space, workers):
        study = Simulation(self.make(space))
        study.run(40, workers, states=[State.COMPLETE, State.COMPLETE, State.STOPPED, State.COMPLETE, State.FAILED])
        study.start()
        again = Simulation(study.replay(self.make(space)), n_trials=study.n_trials, pending=dict(study.pending))
        for one in [study, again] * 10:
            while not one.start():
                one.finish(min(one.pending))
            one.finish(min(one.pending))
        started, once_more = ([one for one in of.events if isinstance(one, Pending)] for of in (study, again))
        assert once_more == started[-10:]

    def test_eight_may_be_pending_and_end_in_any_order(self, space):
        study = Simulation(self.make(space))
        assert study.run(60, workers=8) == 60
        assert len({space.key(config) for config in study.configs}) == 60
        assert self.may_wait or not study.waited

    def test_every_proposal_is_a_valid_config_in_its_canonical_form(self, space):
        study = Simulation(self.make(space))
        study.run(60)
        for config in study.configs:
            assert space.check(config) == config
            assert [type(value) for value in config.values()] == [type(value) for value in space.check(config).values()]

    @pytest.mark.parametrize("workers", [1, 8])
    def test_a_finite_space_is_used_up_without_a_repeat(self, workers):
        space = finite_space()
        study = Simulation(self.make(space))
        assert study.run(100, workers) == 64
        assert len({space.key(config) for config in study.configs}) == 64
        assert study.searcher.ask(study.n_trials) is EXHAUSTED

    def test_the_branches_of_a_finite_space_are_used_up_too(self):
        study = Simulation(self.make(finite_conditional_space()))
        assert study.run(10) == 5
        assert study.searcher.ask(study.n_trials) is EXHAUSTED

    def test_a_config_from_elsewhere_is_not_proposed_again(self):
        space = finite_space()
        study = Simulation(self.make(space))
        for config in list(space.grid(4))[::2]:
            study.add(config)
            study.finish(study.n_trials - 1)
        assert study.run(100) == 32
        assert len({space.key(config) for config in study.configs}) == 64

    def test_siblings_are_known_and_survive_a_replay(self):
        space = finite_space()
        study, grid = Simulation(self.make(space)), list(space.grid(4))
        for number in range(30):
            if not study.start():
                break
            fit = study.n_trials - 1
            study.finish(fit)
            known = {space.key(config) for config in study.configs}
            new = [config for config in grid if space.key(config) not in known]
            for config in new[number % 5 :: 20]:
                study.add_sibling(config, fit)
        assert len({space.key(config) for config in study.configs}) == study.n_trials == 64
        again = study.replay(self.make(space))
        assert again.ask(study.n_trials) is EXHAUSTED

    def test_origins_of_another_searcher_are_no_trouble(self, space):
        study, rng = Simulation(self.make(space)), np.random.default_rng(0)
        for origin in (None, 3, "text", [1, 2], {"other": 1}) * 6:
            study.add(space.sample(rng), origin)
            study.finish(study.n_trials - 1)
        assert study.run(5) == 5

    def test_failed_and_stopped_trials_are_taken_in(self, space):
        study = Simulation(self.make(space))
        states = [State.FAILED, State.COMPLETE, State.STOPPED]
        assert study.run(80, workers=4, states=states) == 80

    def test_a_stopped_trial_that_was_resumed_is_told_again(self, space):
        study = Simulation(self.make(space))
        study.run(30, workers=3, states=[State.COMPLETE, State.STOPPED])
        for number in (1, 7, 29):
            trial = next(one for one in study.events if isinstance(one, Pending) and one.number == number)
            study.pending[number] = trial
            study.finish(number)
        replayed = study.replay(self.make(space))
        assert study.searcher.ask(study.n_trials) == replayed.ask(study.n_trials)
        assert study.run(15) == 15
        assert len({space.key(config) for config in study.configs}) == 45

    def test_a_search_in_which_all_fails_goes_on(self, space):
        assert Simulation(self.make(space)).run(50, states=[State.FAILED]) == 50

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_a_result_that_is_no_number_counts_as_failed(self, space, bad):
        odd, failed = Simulation(self.make(space)), Simulation(self.make(space))
        odd.losses = lambda config: [bad if odd.n_trials % 3 == 0 else loss for loss in three_losses(config)]
        for number in range(40):
            odd.start()
            failed.start()
            odd.finish(number)
            failed.finish(number, State.FAILED if failed.n_trials % 3 == 0 else State.COMPLETE)
        assert odd.configs == failed.configs

    def test_objectives_that_never_change_are_no_trouble(self, space):
        assert Simulation(self.make(space), losses=lambda _: [1.0, 1.0, 1.0]).run(50) == 50

    def test_one_objective_is_enough(self, space):
        study = Simulation(self.make(space, n_objectives=1), losses=lambda config: three_losses(config)[:1])
        assert study.run(50) == 50

    def test_losses_of_any_size_are_no_trouble(self, space):
        sizes = [1e308, -1e308, 1e-300, 0.0, 1.0, 1e200]
        study = Simulation(self.make(space))
        study.losses = lambda config: [
            sizes[(study.n_trials + k) % 6] + loss for k, loss in enumerate(three_losses(config))
        ]
        assert study.run(60) == 60

    def test_trials_that_miss_a_limit_are_taken_in(self, space):
        study = Simulation(self.make(space))
        for number in range(60):
            assert study.start()
            study.finish(number, violation=[0.0, 0.3, 0.1, 1e9][number % 4])

    def test_another_seed_gives_other_proposals(self, space):
        one, other = (Simulation(self.make(space, seed=seed)) for seed in (1, 2))
        one.run(30)
        other.run(30)
        assert one.configs != other.configs

    def test_a_power_of_two_on_an_objective_changes_no_bit(self, space):
        plain, scaled = Simulation(self.make(space)), Simulation(self.make(space))
        factors = np.array([2.0**20, 1.0, 2.0**-9])
        scaled.losses = lambda config: factors * three_losses(config)
        plain.run(60, workers=2)
        scaled.run(60, workers=2)
        assert plain.configs == scaled.configs

"""Which hyperparameter moves which objective."""

import math

import numpy as np
import pytest

from moopt.importance import FEWEST_TRIALS, dependence, importances, targets
from moopt.objectives import Objective
from moopt.space import Space, as_space
from moopt.trial import Scalar, State, Trial

OBJECTIVES = (Objective("accuracy", "maximize"), Objective("latency_ms", log=True))
SPACE = as_space({"depth": (1, 20), "rate": (0.0, 1.0), "kind": ["a", "b", "c"], "idle": (0.0, 1.0)})


def values(config: dict[str, Scalar]) -> dict[str, float]:
    """Accuracy is the rate's and the kind's, latency the depth's; nothing is idle's."""
    return {
        "accuracy": 0.9 - (config["rate"] - 0.3) ** 2 - 0.2 * (config["kind"] == "b"),
        "latency_ms": 0.1 * 1.3 ** config["depth"],
    }


def trials(n: int, space: Space = SPACE, measured=values) -> list[Trial]:
    rng = np.random.default_rng(0)
    configs = [space.sample(rng) for _ in range(n)]
    return [Trial(k, config, state=State.COMPLETE, values=measured(config)) for k, config in enumerate(configs)]


def by_target(found):
    return {one.target: one for one in found}


def test_each_objective_names_what_moves_it():
    found = by_target(importances(SPACE, OBJECTIVES, trials(150)))
    assert next(iter(found["latency_ms"].shares)) == "depth"
    assert found["latency_ms"].shares["depth"] > 0.9
    assert set(list(found["accuracy"].shares)[:2]) == {"rate", "kind"}
    assert found["accuracy"].shares["idle"] < 0.05
    for one in found.values():
        assert sum(one.shares.values()) == pytest.approx(1)
        assert 0.7 < one.explained <= 1
        assert one.n_trials == 150


def test_a_preference_moves_importance_towards_its_objective():
    found = by_target(importances(SPACE, OBJECTIVES, trials(150)))
    assert list(found) == ["accuracy", "latency_ms", "towards accuracy", "towards latency_ms"]
    assert found["towards latency_ms"].shares["depth"] > found["towards accuracy"].shares["depth"]


def test_the_same_trials_give_the_same_answer():
    assert importances(SPACE, OBJECTIVES, trials(40)) == importances(SPACE, OBJECTIVES, trials(40))


def test_noise_is_not_explained():
    rng = np.random.default_rng(1)
    noisy = trials(150, measured=lambda _: {"accuracy": rng.random(), "latency_ms": 1.0})
    found = by_target(importances(SPACE, OBJECTIVES, noisy))
    assert found["accuracy"].explained < 0.1
    assert found["latency_ms"].explained == 0
    assert set(found["latency_ms"].shares.values()) == {0.0}


def test_a_hyperparameter_counts_where_it_is_active():
    from ConfigSpace import Categorical, ConfigurationSpace, EqualsCondition, Float

    made = ConfigurationSpace()
    family, own = Categorical("family", ["one", "two"]), Float("own", (0.0, 1.0))
    made.add(family, own, EqualsCondition(own, family, "one"))
    space = Space(made)
    some = trials(100, space, lambda config: {"accuracy": config.get("own", 0.5), "latency_ms": 1.0})
    found = by_target(importances(space, OBJECTIVES, some))["accuracy"]
    assert next(iter(found.shares)) == "own"
    line = dependence(space, OBJECTIVES, some, "accuracy", "own")
    assert np.corrcoef(np.array(line.values, dtype=float), line.mean)[0, 1] > 0.95


def test_dependence_is_in_the_objectives_unit_and_keeps_its_order():
    some = trials(200)
    line = dependence(SPACE, OBJECTIVES, some, "latency_ms", "depth")
    assert line.values[0] == 1
    assert line.values[-1] == 20
    assert line.mean[-1] / line.mean[0] > 30
    assert (line.low <= line.mean * (1 + 1e-9)).all()
    assert (line.high >= line.mean * (1 - 1e-9)).all()
    kinds = dependence(SPACE, OBJECTIVES, some, "accuracy", "kind")
    assert kinds.values == ("a", "b", "c")
    assert int(np.argmin(kinds.mean)) == 1
    assert (kinds.low <= kinds.high).all()


def test_few_trials_say_nothing_and_one_objective_has_no_trade_off():
    assert importances(SPACE, OBJECTIVES, trials(FEWEST_TRIALS - 1)) == []
    assert [one.target for one in importances(SPACE, OBJECTIVES[:1], trials(30))] == ["accuracy"]
    unfinished = [Trial(k, one.config) for k, one in enumerate(trials(30))]
    assert importances(SPACE, OBJECTIVES, unfinished) == []


def test_of_many_trials_some_are_learned_from():
    found = by_target(importances(SPACE, OBJECTIVES[:1], trials(2_500)))
    assert found["accuracy"].n_trials == 2_000
    assert math.isfinite(found["accuracy"].explained)


def test_a_constant_moves_nothing_and_is_not_listed():
    space = as_space({"rate": (0.0, 1.0), "kind": ["a", "b", "c"], "fixed": [3]})
    some = trials(80, space, lambda config: {"accuracy": config["rate"], "latency_ms": 1.0})
    for one in importances(space, OBJECTIVES, some):
        assert set(one.shares) == {"rate", "kind"}


def test_a_hyperparameter_that_is_never_active_has_no_line():
    from ConfigSpace import Categorical, ConfigurationSpace, EqualsCondition, Float

    made = ConfigurationSpace()
    family, own = Categorical("family", ["one", "two"]), Float("own", (0.0, 1.0))
    made.add(family, own, EqualsCondition(own, family, "one"))
    space = Space(made)
    some = [one for one in trials(80, space, lambda _: {"accuracy": 0.5, "latency_ms": 1.0}) if len(one.config) == 1]
    assert dependence(space, OBJECTIVES, some, "accuracy", "own") is None


def test_a_trial_without_a_finite_loss_is_not_learned_from():
    some = trials(40)
    odd = Trial(40, some[0].config, state=State.COMPLETE, values={"accuracy": math.nan, "latency_ms": 1.0})
    assert importances(SPACE, OBJECTIVES, [*some, odd]) == importances(SPACE, OBJECTIVES, some)


def test_a_preference_is_on_the_ranges_of_the_whole_front(monkeypatch):
    everything = trials(300)
    monkeypatch.setattr("moopt.importance.MOST_TRIALS", 100)
    found = by_target(importances(SPACE, OBJECTIVES, everything))
    assert found["towards latency_ms"].shares["depth"] > 0.7
    assert {one.n_trials for one in found.values()} == {100}
    losses = np.random.default_rng(0).uniform(size=(50, 2))
    assert not np.allclose(
        targets(OBJECTIVES, losses, np.array([[0.0, 9.0], [9.0, 0.0]]))["towards accuracy"],
        targets(OBJECTIVES, losses)["towards accuracy"],
    )

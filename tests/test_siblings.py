"""One fit that gives several results, through create_study and optimize."""

from __future__ import annotations

import math
import re
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import moopt
from moopt.engine.loop import Stop
from moopt.store import open_store
from moopt.store.transfer import export_lines, import_study
from moopt.trial import Config, Source, State, StepResult, Trial

SPACE = {"rate": (0.0, 1.0), "n": (1, 64)}
OBJECTIVES = [moopt.Objective("error"), moopt.Objective("size_kb", log=True)]
Results = tuple[StepResult, ...]


def values(config: Config, step: int = 0) -> dict[str, float]:
    """More members are better and larger."""
    rate, n = float(config["rate"] or 0), int(config["n"] or 1)
    return {"error": (rate - 0.3) ** 2 + 1 / n + step, "size_kb": float(n)}


class Ensemble:
    """Every half of an ensemble, down to ``least``, comes free with it; ``also`` may change what a step gives."""

    def __init__(
        self, n_steps: int = 2, least: int = 8, also: Callable[[Config, int, Results], Results] | None = None
    ) -> None:
        self.n_steps, self.least, self.also = n_steps, least, also
        self.calls: list[tuple[Config, int]] = []

    def __call__(self, config: Config, step: int) -> Results:
        self.calls.append((config, step))
        sizes = [int(config["n"] or 1) >> k for k in range(1, 7)]
        siblings = [{"n": n} for n in sizes if n >= self.least]
        results = tuple(
            StepResult(values({**config, **changes}, step), changes=changes, details={"step": step})
            for changes in [{}, *siblings]
        )
        return self.also(config, step, results) if self.also else results


def make(store: Path | None = None, **options: Any) -> moopt.Study:
    known = {"seed": 0, "store": store, "n_steps": 2, "defaults": [{"rate": 0.5, "n": 40}], **options}
    return moopt.create_study("s", SPACE, OBJECTIVES, **known)


def trials(study: moopt.Study) -> list[Trial]:
    return study.store.trials(study.name)


@pytest.fixture(params=["memory", "file"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / "s.db" if request.param == "file" else None


def test_siblings_are_trials_that_name_the_fit_that_paid(place: Path | None) -> None:
    study = make(place)
    assert study.optimize(Ensemble(), n_trials=1) is Stop.TRIALS
    frame = study.trials()
    assert frame["number"].tolist() == [0, 1, 2]
    assert frame["fit"].tolist() == [0, 0, 0]
    assert frame["source"].tolist() == ["default", "sibling", "sibling"]
    assert frame["param_n"].tolist() == [40, 20, 10]
    assert frame["n_steps"].tolist() == [2, 2, 2]
    for trial in trials(study):
        assert trial.values == {**values(trial.config), "error": pytest.approx(values(trial.config)["error"] + 0.5)}
        assert [result.details["step"] for result in trial.steps.values()] == [0, 1]
        assert all(not result.siblings for result in trial.steps.values())
    assert set(study.front()["number"]) <= {0, 1, 2}
    events = [(event.kind, event.number) for event in study.store.events("s")]
    assert events == [("started", 0), ("told", 0), ("started", 1), ("told", 1), ("started", 2), ("told", 2)]


def test_trials_and_steps_that_nobody_paid_for_are_not_counted() -> None:
    study, ensemble = make(), Ensemble()
    assert study.optimize(ensemble, n_trials=5) is Stop.TRIALS
    assert len(ensemble.calls) == 10
    assert study.trials()["fit"].nunique() == 5
    assert study.optimize(ensemble, max_steps=16) is Stop.STEPS
    assert len(ensemble.calls) == 16


@pytest.mark.parametrize("algorithm", ["nsga2", "moead", "random", "sobol", "grid"])
def test_no_config_is_evaluated_twice_whoever_paid_for_it(algorithm: str) -> None:
    space = {"rate": [0.1, 0.3], "n": [1, 2, 4, 8, 16]}
    options = {} if algorithm in ("random", "sobol", "grid") else {"surrogate": "none", "population": 4}
    study = moopt.create_study("s", space, OBJECTIVES, algorithm=algorithm, seed=1, **options)
    assert study.optimize(Ensemble(n_steps=1, least=1), n_trials=50) is Stop.EXHAUSTED
    keys = [study.space.key(trial.config) for trial in trials(study)]
    assert len(keys) == len(set(keys)) == 10
    assert study.trials()["fit"].nunique() < 10


def test_a_sibling_whose_config_is_known_is_dropped() -> None:
    study = make(start=[{"rate": 0.5, "n": 20}])
    study.optimize(Ensemble(), n_trials=1)
    assert study.trials()["param_n"].tolist() == [40, 20, 10]
    assert study.trials()["source"].tolist() == ["default", "enqueued", "sibling"]


def test_a_surrogate_learns_from_siblings_and_never_proposes_one() -> None:
    study = make(n_steps=1, surrogate="forest")
    study.optimize(Ensemble(n_steps=1), n_trials=14)
    keys = [study.space.key(trial.config) for trial in trials(study)]
    assert len(keys) == len(set(keys)) > 14
    by_model = [trial for trial in trials(study) if isinstance(trial.origin, dict)]
    assert len(by_model) == 14 - 3, "the initial design is three fits"


def results_of(study: moopt.Study) -> list[tuple[Any, ...]]:
    return [(one.number, one.config, one.source, one.fit, one.values, one.steps) for one in trials(study)]


def test_a_study_that_was_killed_between_steps_loses_nothing_and_goes_on_the_same(tmp_path: Path) -> None:
    def interrupt(config: Config, step: int, results: Results) -> Results:
        if len(results) > 1 and config["n"] != 40 and step == 1:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        return results

    study = make(tmp_path / "s.db")
    with pytest.raises(KeyboardInterrupt):
        study.optimize(Ensemble(also=interrupt), n_trials=6)
    study.close()
    (running,) = [trial for trial in trials(study) if trial.state is State.RUNNING]
    assert list(running.steps) == [0]
    assert running.steps[0].siblings[0].changes == {"n": int(running.config["n"] or 0) // 2}
    again, plain = moopt.load_study(tmp_path / "s.db", "s"), make()
    ensemble = Ensemble()
    again.optimize(ensemble, n_trials=6)
    plain.optimize(Ensemble(), n_trials=6)
    assert ensemble.calls[0] == (running.config, 1)
    assert results_of(again) == results_of(plain)


def test_deterministic_workers_give_the_same_trials_whatever_the_timing() -> None:
    def run(slow: int) -> list[tuple[Any, ...]]:
        def wait(config: Config, step: int, results: Results) -> Results:
            time.sleep(0.003 * (int(config["n"] or 0) * (step + 1) % slow))
            return results

        study = make()
        with ThreadPoolExecutor(3) as executor:
            study.optimize(Ensemble(also=wait), n_trials=14, executor=executor, deterministic=True)
        return results_of(study)

    assert run(slow=5) == run(slow=2)


def test_a_sibling_fails_alone_and_says_in_which_step_and_why() -> None:
    def fail(_config: Config, step: int, results: Results) -> Results:
        failed = StepResult({}, changes=results[1].changes, failure="no conversion")
        return (results[0], failed, *results[2:]) if step == 1 else results

    study = make()
    study.optimize(Ensemble(also=fail), n_trials=1)
    own, failed, other = trials(study)
    assert (own.state, failed.state, other.state) == (State.COMPLETE, State.FAILED, State.COMPLETE)
    assert (failed.failure, failed.message) == ("error", "step 1: no conversion")
    assert list(failed.steps) == [0]
    assert study.trials()["failure"].tolist()[1] == "error"


@pytest.mark.parametrize(("which", "states"), [(1, "complete failed complete"), (0, "failed complete complete")])
def test_a_value_that_is_no_number_fails_its_own_trial_alone(which: int, states: str) -> None:
    def spoil(_config: Config, _step: int, results: Results) -> Results:
        bad = replace(results[which], values={"error": math.nan, "size_kb": 1.0})
        return (*results[:which], bad, *results[which + 1 :])

    study = make(n_steps=1)
    study.optimize(Ensemble(n_steps=1, also=spoil), n_trials=1)
    assert [trial.state for trial in trials(study)] == states.split()


def test_a_config_may_fail_where_its_siblings_do_not(place: Path | None) -> None:
    def fail(_config: Config, step: int, results: Results) -> Results:
        return (StepResult({}, failure="no conversion"), *results[1:]) if step == 1 else results

    study = make(place)
    study.optimize(Ensemble(also=fail), n_trials=1)
    own, *others = trials(study)
    assert (own.state, own.failure, own.message) == (State.FAILED, "error", "step 1: no conversion")
    assert [one.state for one in others] == [State.COMPLETE, State.COMPLETE]
    assert own.steps[1].failure == "no conversion"


def test_a_trial_that_fails_in_a_step_keeps_what_its_siblings_measured_and_has_none() -> None:
    def fail(_config: Config, step: int, results: Results) -> Results:
        if step == 1:
            raise RuntimeError("fold without luck")
        return results

    study = make()
    study.optimize(Ensemble(also=fail), n_trials=1)
    (failed,) = trials(study)
    assert [dict(one.changes) for one in failed.steps[0].siblings] == [{"n": 20}, {"n": 10}]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda own, *_: own, "the evaluator returned StepResult.*; expected a tuple of StepResult"),
        (lambda *_: (), r"the evaluator returned \(\); expected a tuple of StepResult"),
        (lambda own, *rest: (*rest, own), "the evaluator's first result has changes"),
        (lambda own, *_: (own, own), "the sibling with no changes is the config itself"),
        (lambda own, *_: (own, replace(own, changes={"n": 40})), "the sibling with n=40 is the config itself"),
        (lambda own, *_: (own, replace(own, changes={"m": 4})), "sibling with m=4 is no config of the space: unknown"),
        (lambda own, *_: (own, replace(own, changes={"n": 99})), "sibling with n=99 is no config of the space: n is"),
        (lambda own, one, *_: (own, one, one), "returned the sibling with n=20 twice"),
    ],
)
def test_results_that_cannot_be_fail_the_trial_and_say_what_is_wrong(given: Any, message: str) -> None:
    study = make()
    study.optimize(Ensemble(also=lambda config, step, results: given(*results)), n_trials=1)
    (trial,) = trials(study)
    assert trial.failure == "wrong result"
    assert re.search(message, trial.message)


@pytest.mark.parametrize(
    ("n_early", "n_late", "message"),
    [
        (3, 2, "left out a sibling that step 0 has; every step of a config gives the same siblings"),
        (2, 3, "gave the sibling with n=10, which step 0 lacks"),
    ],
)
def test_steps_that_disagree_about_siblings_are_a_wrong_result(n_early: int, n_late: int, message: str) -> None:
    study = make()
    some = Ensemble(also=lambda config, step, results: results[: n_late if step else n_early])
    study.optimize(some, n_trials=1)
    (trial,) = trials(study)
    assert trial.failure == "wrong result"
    assert message in trial.message


def test_what_a_sibling_changes_becomes_canonical() -> None:
    study = make(n_steps=1)
    changes: Any = {"n": np.int64(20), "rate": np.float32(0.5)}
    study.optimize(Ensemble(1, also=lambda c, s, results: (results[0], replace(results[1], changes=changes))), 1)
    sibling = trials(study)[1]
    assert sibling.config == {"rate": 0.5, "n": 20}
    assert type(sibling.config["n"]) is int


def test_siblings_travel_with_their_study(tmp_path: Path) -> None:
    study = make(tmp_path / "s.db")
    study.optimize(Ensemble(), n_trials=3)
    other = open_store(None)
    import_study(other, export_lines(study.store, "s"))
    assert other.trials("s") == trials(study)
    assert other.events("s") == study.store.events("s")


def test_what_a_sibling_measured_is_reused_like_any_result(tmp_path: Path) -> None:
    known: dict[str, Any] = {"store": tmp_path / "s.db", "n_steps": 2, "spec": {"function": "v1"}, "seed": 0}
    first = moopt.create_study("a", SPACE, OBJECTIVES, defaults=[{"rate": 0.5, "n": 40}], **known)
    first.optimize(Ensemble(), n_trials=1)
    second = moopt.create_study("b", SPACE, OBJECTIVES, defaults=[{"rate": 0.5, "n": 20}], **known)
    ensemble = Ensemble()
    second.optimize(ensemble, n_trials=1, reuse=True)
    (trial,) = trials(second)
    assert ensemble.calls == []
    assert trial.attributes["from"] == {"study": "a", "trial": 1, "reused": True}
    assert (trial.source, trial.fit, trial.values) == (Source.DEFAULT, 0, trials(first)[1].values)
    assert all(not result.changes for result in trial.steps.values())


@pytest.mark.parametrize("algorithm", ["nsga2", "moead"])
def test_an_initial_design_is_as_many_fits_as_without_siblings(algorithm: str) -> None:
    def fits(least: int) -> list[Config]:
        study = make(algorithm=algorithm, population=6, surrogate="none", n_steps=1)
        study.optimize(Ensemble(n_steps=1, least=least), n_trials=6)
        return [trial.config for trial in trials(study) if trial.source is not Source.SIBLING]

    assert fits(least=4) == fits(least=99)

"""Trials that are stopped early: which, why, what stays of them, and how they go on."""

import math
import signal
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

import moopt
from moopt import stopping
from moopt.engine.loop import Stop
from moopt.errors import SpecError, UsageError
from moopt.store.transfer import export_lines, import_study
from moopt.trial import STOPPED, EventKind, State, StepResult, Trial

SPACE = {"x": (0.0, 1.0), "waste": (0.0, 1.0)}
HARDNESS = (0.3, -0.2, 0.1, -0.1, -0.1)


class Folds:
    """Error falls with x and size grows with it; waste makes both worse. Some folds are harder than others."""

    n_steps = 5

    def __init__(self, delays: Mapping[int, float] | None = None) -> None:
        self.delays = delays or {}
        self.n_calls = 0

    def __call__(self, config: Any, step: int) -> tuple[StepResult, ...]:
        self.n_calls += 1
        Event().wait(self.delays.get(self.n_calls % 3, 0.0))
        noise = 0.02 * math.sin(1e4 * config["x"] * (step + 1))
        error = 2 - config["x"] + config["waste"] + HARDNESS[step] + noise
        return (StepResult({"error": error, "size_kb": 1 + 9 * config["x"] + config["waste"]}),)


def make(store: Path | None = None, *, limit: float | None = None, **options: Any) -> moopt.Study:
    objectives = [moopt.Objective("error"), moopt.Objective("size_kb", log=True, limit=limit)]
    given = {"seed": 0, "n_steps": 5, "algorithm": "nsga2", "surrogate": "none", "store": store, **options}
    if given["algorithm"] == "random":
        del given["surrogate"]
    return moopt.create_study("s", SPACE, objectives, **given)


def trials(study: moopt.Study, state: State | None = None) -> list[Trial]:
    found = study.store.trials(study.name)
    return [trial for trial in found if state in (None, trial.state)]


def stopped(study: moopt.Study) -> list[Trial]:
    found = trials(study, State.STOPPED)
    assert found, "none was stopped"
    return found


def ran(study: moopt.Study) -> list[Any]:
    return [(dict(trial.config), trial.state, dict(trial.steps)) for trial in trials(study)]


# What stops a trial


def test_a_trial_that_a_complete_one_beats_in_every_objective_is_stopped_and_names_it() -> None:
    study = make()
    study.optimize(Folds(), n_trials=60)
    complete = {trial.number: trial for trial in trials(study, State.COMPLETE)}
    for trial in stopped(study):
        record = trial.attributes[STOPPED]
        better = complete[record["by"]]
        assert trial.message == f"beaten by trial {better.number} after {len(trial.steps)} of 5 steps"
        assert record["after"] == len(trial.steps) < 5
        assert all(better.values[name] < record["expected"][name] for name in ("error", "size_kb"))


def test_the_front_is_the_one_of_a_search_without_it_at_fewer_steps() -> None:
    whole, saving = make(algorithm="random"), make(algorithm="random")
    whole.optimize(Folds(), n_trials=100, early_stopping=False)
    saving.optimize(Folds(), n_trials=100)
    assert {trial.state for trial in trials(whole)} == {State.COMPLETE}
    assert whole.front()["number"].tolist() == saving.front()["number"].tolist()
    assert sum(saving.trials()["n_steps"]) < 0.7 * sum(whole.trials()["n_steps"])


def test_stopped_trials_are_never_on_the_front() -> None:
    study = make()
    study.optimize(Folds(), n_trials=60)
    assert not set(study.front()["number"]) & {trial.number for trial in stopped(study)}


def test_what_is_expected_of_a_stopped_trial_allows_for_the_folds_that_it_did() -> None:
    study = make()
    study.optimize(Folds(), n_trials=60)
    after_one = [trial for trial in stopped(study) if len(trial.steps) == 1]
    assert after_one
    for trial in after_one:
        truth = 2 - trial.config["x"] + trial.config["waste"]  # type: ignore[operator]
        assert trial.values["error"] - truth > 0.2
        assert trial.attributes[STOPPED]["expected"]["error"] == pytest.approx(truth, abs=0.05)


def test_nothing_is_judged_before_ten_trials_are_complete() -> None:
    study = make()
    study.optimize(Folds(), n_trials=60)
    first = stopped(study)[0].number
    assert sum(trial.number < first for trial in trials(study, State.COMPLETE)) >= stopping.FEWEST_COMPLETE


def test_default_configs_are_never_stopped() -> None:
    bad = [{"x": 0.1 * k, "waste": 1.0} for k in range(10)]
    study = make(defaults=[{"x": 0.1 * k, "waste": 0.0} for k in range(11)] + bad)
    study.optimize(Folds(), n_trials=21)
    assert {trial.state for trial in trials(study)} == {State.COMPLETE}


def test_a_size_beyond_its_limit_ends_a_trial_after_the_first_step() -> None:
    study = make(limit=5, defaults=[{"x": 0.2, "waste": 0.1}])
    study.optimize(Folds(), n_trials=40)
    over = [trial for trial in stopped(study) if "limit" in trial.attributes[STOPPED]]
    assert over
    for trial in over:
        assert len(trial.steps) == 1
        assert trial.attributes[STOPPED]["limit"] == "size_kb"
        assert trial.message == f"size_kb {trial.values['size_kb']:.4g} misses its limit 5 after 1 of 5 steps"
    assert all(trial.values["size_kb"] <= 5 for trial in trials(study, State.COMPLETE))


def test_a_limit_that_no_trial_meets_stops_none() -> None:
    study = make(limit=0.5)
    study.optimize(Folds(), n_trials=40)
    assert len(study.front()) > 1
    assert not any("limit" in trial.attributes.get(STOPPED, {}) for trial in trials(study))


def test_a_larger_number_stops_fewer() -> None:
    counts = []
    for forgiving in (0.5, 1.5, 500):
        study = make(algorithm="random")
        study.optimize(Folds(), n_trials=60, early_stopping=forgiving)
        counts.append(len(trials(study, State.STOPPED)))
    assert counts[0] >= counts[1] > counts[2]


def test_a_trial_with_a_sibling_that_may_be_worth_it_goes_on() -> None:
    class Both(Folds):
        """The sibling has no waste."""

        def __call__(self, config: Any, step: int) -> tuple[StepResult, ...]:
            (own,) = super().__call__(config, step)
            if config["waste"] == 0:
                return (own,)
            (other,) = super().__call__({**config, "waste": 0.0}, step)
            return own, StepResult(other.values, changes={"waste": 0.0})

    study = make(algorithm="random")
    study.optimize(Both(), n_trials=40)
    alone = make(algorithm="random")
    alone.optimize(Folds(), n_trials=40)
    assert len(trials(study, State.STOPPED)) < len(stopped(alone)) / 2


@pytest.mark.parametrize("n_steps", [1, 2])
def test_trials_of_one_or_two_steps_are_not_affected(n_steps: int) -> None:
    folds = Folds()
    folds.n_steps = n_steps
    study = make(n_steps=n_steps)
    study.optimize(folds, n_trials=40)
    assert {trial.state for trial in trials(study)} == {State.COMPLETE}


@pytest.mark.parametrize("given", [0, -1.5, math.nan, math.inf, "yes", None])
def test_what_is_no_switch_and_no_number_is_refused(given: Any) -> None:
    with pytest.raises(
        SpecError, match=r"early_stopping is .*; give True, False, or how forgiving it is: a number abo"
    ):
        make().optimize(Folds(), n_trials=1, early_stopping=given)


# What stays of it


def test_a_stopped_trial_does_its_missing_steps_when_it_is_resumed(tmp_path: Path) -> None:
    study = make(tmp_path / "s.db")
    study.optimize(Folds(), n_trials=40)
    before, n_stopped = stopped(study)[0], len(stopped(study))
    study.resume_trial(before.number)
    folds = Folds()
    assert study.optimize(folds, n_trials=40) is Stop.TRIALS
    after = study.store.trial("s", before.number)
    assert after.state is State.COMPLETE
    assert folds.n_calls == 5 - len(before.steps)
    assert {**after.steps, **before.steps} == after.steps
    assert after.message == ""
    assert after.values["error"] == pytest.approx(np.mean([one.values["error"] for one in after.steps.values()]))
    assert len(trials(study, State.STOPPED)) == n_stopped - 1


def test_a_trial_that_was_not_stopped_cannot_be_resumed() -> None:
    study = make()
    study.optimize(Folds(), n_trials=3)
    with pytest.raises(UsageError, match="trial 1 was not stopped early; give the number of one that was: there is no"):
        study.resume_trial(1)
    study.optimize(Folds(), n_trials=40)
    with pytest.raises(UsageError, match=rf"trial 99 .* those are {stopped(study)[0].number}"):
        study.resume_trial(99)


@pytest.mark.parametrize("algorithm", ["nsga2", "moead"])
def test_a_study_that_was_killed_while_a_trial_was_resumed_goes_on_as_if_nothing_had_been(
    tmp_path: Path, algorithm: str
) -> None:
    class Killed(Folds):
        def __call__(self, config: Any, step: int) -> tuple[StepResult, ...]:
            if self.n_calls == 1:
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)
            return super().__call__(config, step)

    whole, parts = (make(tmp_path / f"{name}.db", algorithm=algorithm) for name in ("whole", "parts"))
    for study in (whole, parts):
        study.optimize(Folds(), n_trials=35)
        number = stopped(study)[0].number
        study.resume_trial(number)
    with pytest.raises(KeyboardInterrupt):
        parts.optimize(Killed(), n_trials=45)
    again = moopt.load_study(tmp_path / "parts.db")
    again.optimize(Folds(), n_trials=45)
    whole.optimize(Folds(), n_trials=45)
    assert ran(again) == ran(whole)
    assert again.store.events("s") == whole.store.events("s")
    assert len([event for event in again.store.events("s") if event.kind is EventKind.TOLD]) == 46
    once_more = moopt.load_study(tmp_path / "parts.db")
    for study in (once_more, whole):
        study.optimize(Folds(), n_trials=50)
    assert ran(once_more) == ran(whole)
    assert whole.store.trial("s", number).state is State.COMPLETE


def test_a_study_that_was_killed_before_a_verdict_was_kept_finds_it_again(tmp_path: Path) -> None:
    study = make(tmp_path / "s.db", algorithm="random")
    study.optimize(Folds(), n_trials=40)
    number = stopped(study)[-1].number
    study.resume_trial(number)
    # As a kill between a step and the verdict on it leaves a trial: running, and never told.
    trial = study.store.trial("s", number)
    lines = [line for line in export_lines(study.store, "s") if f'"event":["told",{number}]' not in line]
    lines[0] = lines[0].replace('"event":80', '"event":79')
    place = next(row for row, line in enumerate(lines) if line.startswith(f'{{"trial":{{"number":{number},'))
    begin = lines[place].index('"attributes":')
    end = lines[place].index('"notes":')
    lines[place] = f'{lines[place][:begin]}"attributes":{{}},{lines[place][end:]}'
    other = moopt.create_study("other", SPACE, ["accuracy"], seed=0)
    import_study(other.store, lines, "s")
    again = moopt.Study(other.store, other.store.study("s"))
    folds = Folds()
    again.optimize(folds, n_trials=40)
    assert folds.n_calls == 0
    assert again.store.trial("s", number).attributes == trial.attributes


def test_a_study_goes_on_with_the_same_proposals_after_it_was_loaded(tmp_path: Path) -> None:
    whole = make(tmp_path / "whole.db")
    whole.optimize(Folds(), n_trials=60)
    make(tmp_path / "parts.db").optimize(Folds(), n_trials=37)
    parts = moopt.load_study(tmp_path / "parts.db")
    parts.optimize(Folds(), n_trials=60)
    assert ran(parts) == ran(whole)


def test_a_study_that_is_carried_over_keeps_what_was_stopped() -> None:
    study = make()
    study.optimize(Folds(), n_trials=40)
    study.resume_trial(stopped(study)[0].number)
    other = moopt.create_study("other", SPACE, ["accuracy"], seed=0)
    import_study(other.store, export_lines(study.store, "s"), "s")
    assert other.store.trials("s") == study.store.trials("s")
    assert other.store.events("s") == study.store.events("s")


def test_an_attribute_of_ones_own_called_stopped_is_no_trouble(tmp_path: Path) -> None:
    study = make(tmp_path / "s.db")
    study.optimize(Folds(), n_trials=3)
    study.store.set_attribute("s", STOPPED, "by me", number=1)
    study.optimize(Folds(), n_trials=5)
    assert len(trials(moopt.load_study(tmp_path / "s.db"), State.COMPLETE)) == 5


# Several workers


def test_deterministic_workers_stop_the_same_trials_after_the_same_steps_whatever_the_timing() -> None:
    def run(delays: Mapping[int, float]) -> list[Any]:
        study = make()
        with ThreadPoolExecutor(3) as executor:
            study.optimize(Folds(delays), n_trials=50, executor=executor, deterministic=True)
        assert stopped(study)
        return ran(study)

    assert run({}) == run({0: 0.004, 1: 0.001}) == run({2: 0.003})


def test_with_several_workers_each_trial_is_judged_after_each_step() -> None:
    study = make()
    with ThreadPoolExecutor(4) as executor:
        study.optimize(Folds({0: 0.001}), n_trials=60, executor=executor)
    assert sum(len(trial.steps) == 1 for trial in stopped(study)) > len(stopped(study)) / 2
    assert {len(trial.steps) for trial in trials(study, State.COMPLETE)} == {5}


def test_steps_in_flight_when_a_trial_is_stopped_are_kept() -> None:
    folds = Folds({0: 0.002})
    study = make(algorithm="random", defaults=[{"x": 0.1 * k, "waste": 0.0} for k in range(11)])
    with ThreadPoolExecutor(4) as executor:
        study.optimize(folds, n_trials=11, executor=executor)
        study.optimize(folds, n_trials=12, executor=executor)  # four workers on one trial
    assert sum(len(trial.steps) for trial in trials(study)) == folds.n_calls


# The rule


def complete_losses(n: int = 12) -> stopping.Floats:
    """A front of n trials (n, 5, 2): the better in one objective, the worse in the other."""
    rng = np.random.default_rng(0)
    means = np.column_stack([np.linspace(0, 1, n), np.linspace(1, 0, n)])
    losses = means[:, None] + np.array(HARDNESS)[:, None] + 0.01 * rng.standard_normal((n, 5, 2))
    losses.setflags(write=False)
    return losses


def partial(*steps: float) -> stopping.Floats:
    out = np.full((5, 2), np.nan)
    out[: len(steps)] = np.array(steps)[:, None]
    return out


NOISY, NO_LIMITS = np.array([False, False]), np.array([np.inf, np.inf])


def test_a_hard_fold_is_not_held_against_a_trial() -> None:
    found = stopping.outlook(partial(0.5 + HARDNESS[0]), complete_losses(), NOISY)
    assert found.mean == pytest.approx([0.5, 0.5], abs=0.02)
    assert 0.003 < found.spread[0] < 0.03


def test_a_trial_with_the_very_losses_of_another_is_not_beaten() -> None:
    complete = complete_losses()
    copy = np.full((5, 2), np.nan)
    copy[:2] = complete[4, :2]
    assert stopping.verdict(copy, complete, NOISY, NO_LIMITS, 0.001) is None


def test_the_trial_that_beats_by_most_is_named() -> None:
    complete = complete_losses().copy()
    complete[7] -= 0.2
    found = stopping.verdict(partial(0.9 + HARDNESS[0]), complete, NOISY, NO_LIMITS)
    assert found is not None
    assert found.by == 7


def test_a_trial_between_two_others_goes_on() -> None:
    assert stopping.verdict(partial(0.48 + HARDNESS[0]), complete_losses(), NOISY, NO_LIMITS) is None


def test_a_value_that_is_no_number_settles_nothing() -> None:
    assert stopping.verdict(partial(math.nan), complete_losses(), NOISY, NO_LIMITS) is None


def test_trials_that_are_all_alike_are_no_trouble() -> None:
    same = np.ones((12, 5, 2))
    assert stopping.verdict(partial(1.0), same, NOISY, NO_LIMITS) is None
    assert stopping.verdict(partial(1.5), same, NOISY, NO_LIMITS) is not None


def test_a_certain_limit_is_named_before_a_likely_one() -> None:
    limits = np.array([0.95, 0.95])
    found = stopping.verdict(partial(5.0), complete_losses(), np.array([False, True]), limits)
    assert found is not None
    assert found.limit == 1

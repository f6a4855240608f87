"""How sure a front is: from trials and confirmations to probabilities, intervals and ties."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import moopt
from moopt.certainty import CONFIRMED, ESTIMATE, certainty, stored_certainty, with_certainty
from moopt.confirmed import pack_draws
from moopt.frames import front_frame
from moopt.objectives import Objective, as_objectives
from moopt.standing import default_standings
from moopt.store import open_store
from moopt.trial import Confirmation, Source, State, StepResult, Trial
from moopt.uncertainty import corrected_interval
from tests.contracts.stores import a_record

OBJECTIVES = as_objectives(["accuracy", "latency"])
HARD = np.array([0.0, 0.03, -0.02, 0.01, -0.02])  # the same folds are hard for every trial


def a_trial(
    number: int, accuracy: float, latency: float = 2.0, noise: Sequence[float] = (0,) * 5, **changes: object
) -> Trial:
    folds = accuracy + HARD + np.array(noise)
    steps = {
        step: StepResult({"accuracy": float(value), "latency_ms": latency}) for step, value in enumerate(folds.tolist())
    }
    values = {"accuracy": float(folds.mean()), "latency_ms": latency}
    trial = Trial(number, {"x": number}, state=State.COMPLETE, n_steps=5, steps=steps, values=values)
    return replace(trial, **changes)


WOBBLE = (0.02, -0.02, 0.01, -0.01, 0.0)
TRIALS = [
    a_trial(0, 0.80, 1.0, source=Source.DEFAULT),
    a_trial(1, 0.90, 3.0),
    a_trial(2, 0.901, 3.5, noise=WOBBLE),
    a_trial(3, 0.70, 3.0, noise=WOBBLE),
]


def a_confirmation(
    number: int, accuracy: float, spread: float = 0.01, n_rows: int = 300, **more: object
) -> Confirmation:
    draws = accuracy + spread * np.random.default_rng(number).normal(size=(500, 1))
    scores = {"accuracy": {"value": accuracy, "low": accuracy - spread, "high": accuracy + spread, "confidence": 0.9}}
    measures = {"scores": scores, "look": 1, "n_rows": n_rows, "draws": pack_draws(draws)}
    return Confirmation(
        number, {"processor": "a laptop's", "cores": 2}, {**measures, **more}, confirmed_at=float(number)
    )


def known(trials: Sequence[Trial] = TRIALS, confirmations: Sequence[Confirmation] = ()) -> moopt.certainty.Certainty:
    found = certainty(OBJECTIVES, trials, confirmations)
    assert found is not None
    return found


# Estimates


def test_folds_give_an_estimate_for_the_front_and_the_trials_behind_it() -> None:
    found = known()
    assert found.numbers.tolist() == [0, 1, 2, 3]
    assert {found.basis(row) for row in range(4)} == {ESTIMATE}
    assert found.probability[:2].tolist() == [1.0, 1.0]
    assert 0.3 < found.probability[2] < 1.0
    assert found.probability[3] == 0.0
    assert (found.n_folds, found.noisy, found.on_test) == (5, ("accuracy",), None)


def test_an_interval_is_the_corrected_one_around_the_mean() -> None:
    found = known()
    folds = np.array([TRIALS[2].steps[step].values["accuracy"] for step in range(5)])
    assert (found.low[2, 0], found.high[2, 0]) == pytest.approx(corrected_interval(folds))
    assert np.isnan(found.low[2, 1])  # the latency is the same in every fold


def test_the_interval_of_a_logarithmic_objective_holds_its_value() -> None:
    times = (1.0, 2.0, 1.5, 4.0, 1.2)
    steps = {step: StepResult({"accuracy": 0.5, "latency_ms": ms}) for step, ms in enumerate(times)}
    values = {"accuracy": 0.5, "latency_ms": float(np.mean(times))}
    found = known([a_trial(0, 0.5, steps=steps, values=values)])
    assert 0 < found.low[0, 1] < values["latency_ms"] < found.high[0, 1]


def test_the_interval_of_a_share_ends_at_one() -> None:
    found = known([a_trial(0, 0.97)])
    assert 0.9 < found.low[0, 0] < 0.97
    assert found.high[0, 0] == 1.0


def test_differences_that_every_fold_shows_are_no_tie_and_those_within_noise_are() -> None:
    found = known()
    assert found.tie(1, 2)
    assert not found.tie(0, 1)
    assert not found.tie(1, 77)
    assert found.groups([0, 1, 2, 77]).tolist() == [0, 1, 1, 0]


def test_a_trial_that_lacks_a_fold_has_no_interval_and_no_lesser_place() -> None:
    short = replace(TRIALS[2], steps={step: TRIALS[2].steps[step] for step in range(4)})
    found = known([*TRIALS[:2], short, TRIALS[3]])
    assert np.isnan(found.low[2, 0])
    assert found.probability[2] > 0


@pytest.mark.parametrize("trials", [[], [a_trial(0, 0.5, steps={0: StepResult({"accuracy": 0.5, "latency_ms": 2.0})})]])
def test_without_folds_nothing_is_known(trials: list[Trial]) -> None:
    assert certainty(OBJECTIVES, trials) is None
    frame = front_frame(OBJECTIVES, trials)
    assert with_certainty(frame, None) is frame


# Confirmations

CONFIRMATIONS = [a_confirmation(0, 0.78), a_confirmation(1, 0.85), a_confirmation(2, 0.89)]


def test_test_rows_take_the_place_of_the_estimate() -> None:
    found = known(confirmations=CONFIRMATIONS)
    assert [found.basis(row) for row in range(4)] == [CONFIRMED] * 3 + [ESTIMATE]
    assert found.values[2].tolist() == [0.89, 3.5]
    assert found.low[2, 0] == pytest.approx(0.89 - 1.645 * 0.01, abs=0.004)
    assert found.probability[2] == 1.0  # .89 is far above .85, in the noise of the test
    assert not found.tie(1, 2)


def test_the_latest_scores_of_a_trial_count_and_those_on_other_rows_do_not() -> None:
    again = replace(a_confirmation(1, 0.86), confirmed_at=9.0)
    assert known(confirmations=[*CONFIRMATIONS, again]).values[1, 0] == pytest.approx(0.86)
    others = a_confirmation(0, 0.5, n_rows=40)
    found = known(confirmations=[replace(others, confirmed_at=0.0), *CONFIRMATIONS[1:]])
    assert found.confirmed.tolist() == [False, True, True, False]


def test_a_few_confirmed_trials_do_not_confirm_a_place_on_the_front() -> None:
    found = known(confirmations=[CONFIRMATIONS[2]])
    assert (found.basis(2), found.low[2, 0] > 0.87) == (CONFIRMED, True)
    assert found.probability[2] == known().probability[2]
    assert "(an estimate from 5 folds)" in found.likely_text(2)
    alone = [replace(trial, steps={}) for trial in TRIALS]
    unknown = known(alone, [CONFIRMATIONS[2]])
    assert (unknown.probability_of(2), unknown.likely_text(2)) == (None, "")
    assert known(alone, CONFIRMATIONS).probability_of(2) == 1.0


def test_a_test_split_too_small_for_an_interval_confirms_nothing() -> None:
    small = {"scores": {"accuracy": {"value": 0.8, "low": None, "high": None, "confidence": None}}}
    small |= {"draws": pack_draws(np.empty((0, 1)))}
    assert not known(confirmations=[a_confirmation(1, 0.8, **small)]).confirmed.any()


def test_a_cost_is_what_the_quiet_machine_measured_once_it_measured_all() -> None:
    timing = {"low_ms": 4.0, "high_ms": 6.0, "n": 90, "batch": 1}
    timed = [
        a_confirmation(one.number, 0.8, latency={"latency_ms": {**timing, "median_ms": 5.0 + one.number}})
        for one in CONFIRMATIONS
    ]
    found = known(confirmations=timed)
    assert found.values[:3, 1].tolist() == [5.0, 6.0, 7.0]
    assert found.low[0, 1] == 4.0
    assert known(confirmations=[*timed[:2], CONFIRMATIONS[2]]).values[:3, 1].tolist() == [1.0, 3.0, 3.5]


def test_what_became_of_the_front_on_test_is_known_once_all_of_it_is_confirmed() -> None:
    assert known(confirmations=CONFIRMATIONS[:2]).on_test is None
    dominated = [a_confirmation(0, 0.86), *CONFIRMATIONS[1:]]  # 0 is faster than 1 and was less accurate
    found = known(confirmations=dominated).on_test
    assert found is not None
    assert (found.n_front, found.optimistic, found.pessimistic) == (3, (0, 2), (1, 2))
    assert found.gap.pessimistic < found.gap.optimistic
    assert found.text.startswith("On test rows 2 of its 3 trials are still not dominated; its hypervolume is ")
    promised = known(confirmations=CONFIRMATIONS).on_test
    assert promised is not None
    assert promised.gap.optimistic < promised.gap.search


def test_a_slower_clock_of_the_quiet_machine_is_no_loss_of_the_front() -> None:
    timing = {"median_ms": 50.0, "low_ms": 40.0, "high_ms": 60.0, "n": 90, "batch": 1}
    timed = [replace(one, measures={**one.measures, "latency": {"latency_ms": timing}}) for one in CONFIRMATIONS]
    assert known(confirmations=timed).values[0, 1] == 50.0
    assert known(confirmations=timed).on_test == known(confirmations=CONFIRMATIONS).on_test


# Frames


def test_columns_are_appended_after_those_there_are() -> None:
    plain = front_frame(OBJECTIVES, TRIALS)
    frame = with_certainty(plain, known())
    assert list(frame)[: len(plain.columns)] == list(plain)
    assert list(frame)[len(plain.columns) :] == [
        "front_probability", "basis", "tie", "accuracy_low", "accuracy_high", "latency_ms_low", "latency_ms_high",
    ]  # fmt: skip
    assert frame["tie"].tolist()[1:] == [1, 1]
    assert frame["tie"].isna().tolist() == [True, False, False]
    confirmed = with_certainty(plain, known(confirmations=CONFIRMATIONS))
    assert list(confirmed)[-2:] == ["accuracy_confirmed", "latency_ms_confirmed"]
    assert confirmed["accuracy_confirmed"].tolist() == [0.78, 0.85, 0.89]


@pytest.mark.parametrize("file", [None, "s.db"])
def test_a_study_says_how_sure_its_front_is(file: str | None, tmp_path: Path) -> None:
    store = open_store(file and tmp_path / file)
    space = moopt.space.as_space({"x": (0, 9)}).as_json()
    store.create_study(a_record(space=space, n_steps=5, objectives=OBJECTIVES), TRIALS)
    front = moopt.load_study(store, "churn").front()
    assert front["number"].tolist() == [0, 1, 2]
    assert front["basis"].tolist() == ["estimate"] * 3
    assert front["front_probability"].tolist() == known().probability[:3].tolist()
    store.add_confirmation("churn", CONFIRMATIONS[1])
    again = stored_certainty(store, "churn", OBJECTIVES, store.trials("churn", with_steps=False))
    assert again is not None
    assert again.confirmed.tolist() == [False, True, False, False]


# Defaults


def test_a_default_is_on_the_front_or_dominated_by_trials_that_are_named() -> None:
    defaults = [replace(TRIALS[0], number=5, values={"accuracy": a, "latency_ms": 3.6}) for a in (0.5,)]
    (first, second) = default_standings(OBJECTIVES, [*TRIALS, *defaults])
    assert (first.on_front, first.text) == (True, "on the front")
    assert (second.on_front, second.text) == (False, "dominated by trials 0, 1 and 1 more")


def test_a_default_that_failed_has_no_place() -> None:
    assert default_standings([Objective("accuracy")], [replace(TRIALS[0], state=State.FAILED, values={})]) == []

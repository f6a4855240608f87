"""The loop through its public doors: create_study, optimize, ask, tell, load_study."""

import math
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ConfigSpace import ConfigurationSpace

import moopt
from moopt import pareto
from moopt.engine.loop import Stop
from moopt.errors import (
    MooptWarning,
    ObjectiveError,
    SearchFailed,
    SpaceError,
    SpecError,
    StoreError,
    StudyBusy,
    StudyExists,
    StudyMismatch,
    StudyNotFound,
    UsageError,
    WrongResult,
)
from moopt.store import open_store
from moopt.trial import Source, State, StepResult

SPACE = {"x": (0.0, 1.0), "y": (0.0, 1.0), "kind": ["a", "b"]}
OBJECTIVES = [moopt.Objective("error"), moopt.Objective("latency_ms", log=True)]


def score(config: dict[str, Any]) -> dict[str, float]:
    """Two goals that are at odds: error falls with x, latency grows with it."""
    shift = 0.1 if config["kind"] == "a" else 0.0
    return {"error": (1 - config["x"]) ** 2 + config["y"] + shift, "latency_ms": 1 + 9 * config["x"] + config["y"]}


def make(store: Path | None = None, **options: Any) -> moopt.Study:
    return moopt.create_study("s", SPACE, OBJECTIVES, **{"seed": 0, "store": store, **options})


def configs(study: moopt.Study) -> list[dict[str, Any]]:
    return [dict(trial.config) for trial in study.store.trials(study.name)]


@pytest.mark.parametrize("algorithm", ["nsga2", "moead", "random", "sobol"])
def test_a_function_is_optimised_by_every_algorithm(algorithm: str) -> None:
    study = make(algorithm=algorithm)
    assert study.optimize(score, n_trials=30) is Stop.TRIALS
    assert len(study.trials()) == 30
    assert 1 <= len(study.front()) <= 30
    assert 0 < study.hypervolume() <= 1.1**2


def test_the_default_config_is_tried_first_and_marked() -> None:
    study = make()
    study.optimize(score, n_trials=3)
    assert study.trials()["source"].tolist()[:2] == ["default", "search"]


def test_one_objective_may_be_a_bare_number() -> None:
    study = moopt.create_study("one", {"x": (0.0, 1.0)}, ["accuracy"], seed=1)
    study.optimize(lambda config: 1 - config["x"], n_trials=20)
    assert len(study.front()) == 1
    assert study.front()["accuracy"].iloc[0] == study.trials()["accuracy"].max()


def test_trials_are_counted_in_total() -> None:
    study = make()
    study.optimize(score, n_trials=5)
    study.optimize(score, n_trials=8)
    assert len(study.trials()) == 8
    assert study.optimize(score, n_trials=8) is Stop.TRIALS
    assert len(study.trials()) == 8


def test_a_study_that_is_loaded_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    whole = make(tmp_path / "whole.db")
    whole.optimize(score, n_trials=40)
    make(tmp_path / "parts.db").optimize(score, n_trials=23)
    parts = moopt.load_study(tmp_path / "parts.db", "s")
    parts.optimize(score, n_trials=40)
    assert configs(parts) == configs(whole)


def test_the_same_seed_gives_the_same_trials_and_another_others() -> None:
    studies = [make(seed=seed) for seed in (3, 3, 4)]
    for study in studies:
        study.optimize(score, n_trials=15)
    assert configs(studies[0]) == configs(studies[1]) != configs(studies[2])


def test_without_a_seed_one_is_drawn_and_stored(tmp_path: Path) -> None:
    study = make(tmp_path / "s.db", seed=None)
    assert moopt.load_study(tmp_path / "s.db").record.seed == study.record.seed


def test_a_lambda_runs_in_several_processes() -> None:
    shift = 0.5
    study = make()
    study.optimize(lambda c: {"error": c["x"] + shift, "latency_ms": 1.5 - c["x"]}, n_trials=6, n_jobs=2)
    assert set(study.trials()["state"]) == {"complete"}
    assert (study.trials()["error"] - study.trials()["param_x"]).to_numpy() == pytest.approx(0.5)


def test_any_executor_will_do() -> None:
    with ThreadPoolExecutor(4) as executor:
        study = make()
        study.optimize(score, n_trials=20, executor=executor)
    assert len(study.trials()) == 20


def test_deterministic_workers_propose_the_same_whatever_the_timing() -> None:
    def run(delay: dict[int, float]) -> list[dict[str, Any]]:
        lock, count = threading.Lock(), [0]

        def slow(config: dict[str, Any]) -> dict[str, float]:
            with lock:
                count[0] += 1
                mine = count[0]
            threading.Event().wait(delay.get(mine % 3, 0.0))
            if mine == 7:
                pass
            return score(config)

        study = make()
        with ThreadPoolExecutor(3) as executor:
            study.optimize(slow, n_trials=30, executor=executor, deterministic=True)
        assert study.trials()["state"].eq("complete").all()
        return configs(study)

    assert run({0: 0.01}) == run({1: 0.02, 2: 0.005})


def test_a_function_that_raises_fails_its_trial_and_the_search_goes_on() -> None:
    def sometimes(config: dict[str, Any]) -> dict[str, float]:
        if config["kind"] == "a":
            raise RuntimeError("no luck with a")
        return score(config)

    study = make()
    study.optimize(sometimes, n_trials=30)
    trials = study.trials()
    failed = trials[trials["state"] == "failed"]
    assert 0 < len(failed) < 30
    assert set(failed["failure"]) == {"error"}
    assert set(failed["param_kind"]) == {"a"}
    message = next(t.message for t in study.store.trials("s") if t.state is State.FAILED)
    assert message == "RuntimeError: no luck with a"
    assert not set(study.front()["param_kind"]) & {"a"}


@pytest.mark.parametrize(
    ("returned", "kind", "message"),
    [
        ({"error": math.nan, "latency_ms": 1}, "not finite", "error is nan"),
        ({"error": 1, "latency_ms": math.inf}, "not finite", "latency_ms is inf"),
        ({"error": 1, "latency_ms": 0}, "not finite", "latency_ms is 0, but is compared by its logarithm"),
        ({"error": 1}, "wrong result", "returned no 'latency_ms'"),
        ({"error": 1, "latency_ms": 1, "laterncy": 1}, "wrong result", "unknown objective 'laterncy'; did you mean"),
        ({"error": "low", "latency_ms": 1}, "wrong result", "error is 'low'; expected a number"),
        (7, "wrong result", "returned 7; expected a dict with error, latency_ms"),
        (None, "wrong result", "returned None; expected a dict"),
    ],
)
def test_a_result_that_is_none_fails_the_trial_with_the_reason(returned: Any, kind: str, message: str) -> None:
    study = make()
    study.optimize(lambda _: returned, n_trials=1)
    (trial,) = study.store.trials("s")
    assert trial.state is State.FAILED
    assert trial.failure == kind
    assert message in trial.message


def test_when_the_first_ten_trials_fail_the_search_stops_with_the_commonest_error() -> None:
    def never(config: dict[str, Any]) -> dict[str, float]:
        raise ValueError("no such file" if config["x"] > 0.1 else "rare")

    study = make()
    with pytest.raises(
        SearchFailed, match=r"the first 10 trials all failed, .* of them with: ValueError: no such file"
    ):
        study.optimize(never, n_trials=50)
    assert len(study.trials()) == 10
    study.optimize(score, n_trials=12)
    assert study.trials()["state"].tolist()[10:] == ["complete"] * 2


@pytest.mark.parametrize("deterministic", [False, True])
def test_the_first_error_is_raised_where_that_is_wanted_and_its_trial_kept(deterministic: bool) -> None:
    def never(config: dict[str, Any]) -> dict[str, float]:
        raise ValueError("no such file")

    study = make()
    with pytest.raises(ValueError, match="no such file"):
        study.optimize(never, n_trials=50, raise_errors=True, deterministic=deterministic)
    assert study.trials()["state"].tolist() == ["failed"]


def test_a_finite_space_ends_when_it_is_used_up() -> None:
    study = moopt.create_study("small", {"a": [1, 2, 3], "b": [True, False]}, ["accuracy"], seed=0)
    assert study.optimize(lambda c: c["a"] / 3, n_trials=100) is Stop.EXHAUSTED
    assert len(study.trials()) == 6
    with pytest.raises(UsageError, match="every config of the space was tried"):
        study.ask()


def test_time_may_be_the_budget() -> None:
    study = make()
    assert study.optimize(score, timeout_s=0.2) is Stop.TIME
    assert len(study.trials()) > 1


def test_steps_may_be_the_budget_and_are_never_passed() -> None:
    study = make(n_steps=3)
    assert study.optimize(Folds(fail=True), max_steps=20) is Stop.STEPS
    spent = sum(1 if trial.state is State.FAILED else 3 for trial in study.store.trials("s"))
    failed_later = sum(trial.state is State.FAILED for trial in study.store.trials("s"))
    assert 18 <= spent + failed_later <= 20
    assert study.optimize(Folds(), max_steps=20) is Stop.STEPS
    n_before = len(study.trials())
    study.optimize(Folds(), max_steps=26)
    assert len(study.trials()) > n_before


def test_steps_of_running_trials_count_in_full() -> None:
    study = make(n_steps=3)
    with ThreadPoolExecutor(4) as executor:
        study.optimize(Folds(), max_steps=13, executor=executor)
    assert [len(trial.steps) for trial in study.store.trials("s")] == [3] * 4


def test_why_and_when_a_search_ended_stays_with_the_study(tmp_path: Path) -> None:
    study = make(tmp_path / "s.db")
    assert study.stopped is None
    study.optimize(score, n_trials=2)
    stopped = moopt.load_study(tmp_path / "s.db").stopped
    assert stopped is not None
    assert (stopped["why"], stopped["reason"]) == ("trials", "all trials are done")
    assert stopped["at"] > study.record.created_at
    seen = []
    study.optimize(lambda config: seen.append(study.stopped) or score(config), n_trials=3)
    assert seen == [None]
    assert make(tmp_path / "s.db", resume=True).stopped is not None


def test_a_front_that_stalls_ends_the_search_where_that_is_wanted() -> None:
    study = make()
    assert study.optimize(lambda config: {"error": 1.0, "latency_ms": 2.0}, 200, stop_when_stalled=10) is Stop.STALLED
    assert len(study.trials()) == 20
    assert study.stopped is not None
    assert study.stopped["reason"] == (
        "the front has stalled: its hypervolume grew by 0.00% in the last 10 trials, of which 0.10% may be noise"
    )


def test_a_front_that_grows_does_not_stall() -> None:
    counted = iter(range(10**6))
    study = make()
    grows = lambda config: {"error": -float(next(counted)), "latency_ms": 1.0 + config["x"]}  # noqa: E731
    assert study.optimize(grows, n_trials=60, stop_when_stalled=True) is Stop.TRIALS


def test_ctrl_c_once_finishes_the_running_step_and_keeps_everything() -> None:
    study = make()
    calls = []

    def interrupted(config: dict[str, Any]) -> dict[str, float]:
        calls.append(config)
        if len(calls) == 4:
            signal.raise_signal(signal.SIGINT)
        return score(config)

    assert study.optimize(interrupted, n_trials=50) is Stop.INTERRUPTED
    assert study.trials()["state"].tolist() == ["complete"] * 4
    study.optimize(score, n_trials=6)
    assert len(study.trials()) == 6


def test_ctrl_c_twice_stops_at_once_and_the_trial_in_flight_is_run_again(tmp_path: Path) -> None:
    study = make(tmp_path / "s.db")
    calls = []

    def interrupted(config: dict[str, Any]) -> dict[str, float]:
        calls.append(config)
        if len(calls) == 4:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        return score(config)

    with pytest.raises(KeyboardInterrupt):
        study.optimize(interrupted, n_trials=50)
    assert study.trials()["state"].tolist() == ["complete"] * 3 + ["running"]
    again = moopt.load_study(tmp_path / "s.db")
    again.optimize(score, n_trials=6)
    assert again.trials()["state"].tolist() == ["complete"] * 6
    assert configs(again)[3] == calls[3]


class Folds:
    """An evaluator of three steps; step 1 of the configs of kind a fails where it is told to."""

    n_steps = 3

    def __init__(self, fail: bool = False) -> None:
        self.fail = fail
        self.calls: list[tuple[float, int]] = []

    def __call__(self, config: Any, step: int) -> tuple[StepResult, ...]:
        self.calls.append((config["x"], step))
        if self.fail and step == 1 and config["kind"] == "a":
            raise RuntimeError("fold without luck")
        values = score(config)
        return (StepResult({**values, "error": values["error"] + step}, seconds=0.1),)


def test_a_trials_value_is_the_mean_of_its_steps_and_every_step_is_kept() -> None:
    study = make(n_steps=3)
    study.optimize(Folds(), n_trials=4)
    for trial in study.store.trials("s"):
        assert trial.values["error"] == pytest.approx(score(dict(trial.config))["error"] + 1)
        assert sorted(trial.steps) == [0, 1, 2]


def test_the_steps_of_one_trial_are_run_before_those_of_the_next() -> None:
    study, folds = make(n_steps=3), Folds()
    study.optimize(folds, n_trials=5)
    assert [step for _, step in folds.calls] == [0, 1, 2] * 5


def test_a_failing_step_ends_its_trial_and_the_other_steps_are_not_paid_for() -> None:
    study, folds = make(n_steps=3), Folds(fail=True)
    study.optimize(folds, n_trials=20, early_stopping=False)
    for trial in study.store.trials("s"):
        assert len(trial.steps) == (1 if trial.config["kind"] == "a" else 3)
    assert study.trials()["state"].nunique() == 2


def test_an_evaluator_of_other_steps_is_refused() -> None:
    with pytest.raises(SpecError, match="has 1 steps a trial, the evaluator 3"):
        make().optimize(Folds(), n_trials=1)


def test_ask_and_tell() -> None:
    study = make()
    for _ in range(12):
        trial = study.ask()
        study.tell(trial, score(dict(trial.config)))
    assert study.trials()["state"].eq("complete").all()
    assert len(study.front()) >= 1


def test_told_failures_are_kept_with_their_reason() -> None:
    study = make()
    assert study.tell(study.ask(), None, reason="the cluster was down").message == "the cluster was down"
    assert study.tell(study.ask(), {"error": math.nan, "latency_ms": 1}).failure == "not finite"


def test_a_wrong_telling_tells_nothing() -> None:
    study = make()
    trial = study.ask()
    with pytest.raises(WrongResult, match="no 'latency_ms'"):
        study.tell(trial, {"error": 1.0})
    study.tell(trial, score(dict(trial.config)))
    with pytest.raises(UsageError, match="trial 0 is not pending"):
        study.tell(trial, score(dict(trial.config)))
    with pytest.raises(UsageError, match="trial 99 is not pending"):
        study.tell(99, {})


def test_several_asked_trials_may_be_pending_and_optimize_leaves_them_alone() -> None:
    study = make()
    asked = [study.ask() for _ in range(3)]
    study.optimize(score, n_trials=6)
    assert study.trials()["state"].tolist() == ["running"] * 3 + ["complete"] * 3
    for trial in asked:
        study.tell(trial, score(dict(trial.config)))
    assert len({study.space.key(config) for config in configs(study)}) == 6


def test_an_enqueued_config_is_tried_next_and_a_known_one_never_again() -> None:
    study = make()
    study.optimize(score, n_trials=1)
    mine = {"x": 0.25, "y": 0.0, "kind": "b"}
    study.enqueue(mine)
    study.enqueue(mine)
    study.optimize(score, n_trials=3)
    assert configs(study)[1] == mine
    assert study.trials()["source"].tolist() == ["default", "enqueued", "search"]


def test_an_enqueued_config_must_lie_in_the_space() -> None:
    with pytest.raises(SpaceError, match="kindd"):
        make().enqueue({"x": 0.5, "kindd": "a"})


def test_a_second_coordinator_is_refused(tmp_path: Path) -> None:
    first = make(tmp_path / "s.db")
    first.ask()
    with pytest.raises(StudyBusy, match="is being written by"):
        moopt.load_study(tmp_path / "s.db").ask()
    first.close()
    moopt.load_study(tmp_path / "s.db").ask()


def test_a_name_that_is_taken_is_refused_and_resumed_when_asked(tmp_path: Path) -> None:
    make(tmp_path / "s.db").optimize(score, n_trials=3)
    with pytest.raises(StudyExists, match="'s'"):
        make(tmp_path / "s.db")
    study = make(tmp_path / "s.db", resume=True)
    study.optimize(score, n_trials=5)
    assert len(study.trials()) == 5
    assert make(tmp_path / "s.db", seed=None, resume=True).record.seed == 0


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"seed": 1}, "seed is 1, stored is 0"),
        ({"algorithm": "random"}, "algorithm is 'random', stored is 'nsga2'"),
        ({"spec": {"data": {"sha256": "b"}}}, "data sha256 is 'b', stored is 'a'"),
    ],
)
def test_a_stored_study_that_differs_is_refused_with_the_difference(
    tmp_path: Path, change: dict[str, Any], difference: str
) -> None:
    make(tmp_path / "s.db", spec={"data": {"sha256": "a"}})
    with pytest.raises(StudyMismatch, match=difference):
        make(tmp_path / "s.db", resume=True, **{"spec": {"data": {"sha256": "a"}}, **change})


def test_other_objectives_and_another_space_are_named(tmp_path: Path) -> None:
    make(tmp_path / "s.db")
    with pytest.raises(StudyMismatch, match=r"x: .*objective error is not given"):
        moopt.create_study("s", {"x": (0.0, 2.0)}, ["accuracy"], store=tmp_path / "s.db", seed=0, resume=True)


def test_a_study_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    make(tmp_path / "s.db")
    with pytest.raises(StudyNotFound, match="s"):
        moopt.load_study(tmp_path / "s.db", "t")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"algorithm": "nsga3x"}, SpecError, "did you mean 'nsga2'"),
        ({"seed": -1}, SpecError, "seed is -1; give a whole number from 0"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make(**options)


def test_arguments_of_optimize_that_cannot_be_are_refused() -> None:
    study = make()
    with pytest.raises(SpecError, match="optimize has no end"):
        study.optimize(score)
    with pytest.raises(SpecError, match="n_jobs is 0"):
        study.optimize(score, n_trials=1, n_jobs=0)
    with pytest.raises(SpecError, match="n_trials is -3"):
        study.optimize(score, n_trials=-3)
    with pytest.raises(SpecError, match="timeout_s is 'long'; give seconds"):
        study.optimize(score, timeout_s="long")  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="max_steps is 0; give the study's steps in total, at least the 1 of one trial"):
        study.optimize(score, max_steps=0)
    with pytest.raises(SpecError, match="stop_when_stalled is 0; give True, or a number of trials such as 30"):
        study.optimize(score, stop_when_stalled=0)
    with pytest.raises(SpecError, match="give a function of a config"):
        study.optimize("score", n_trials=1)  # type: ignore[arg-type]
    with ThreadPoolExecutor(1) as executor, pytest.raises(SpecError, match="leave out executor="):
        study.optimize(score, n_trials=1, executor=executor, step_timeout_s=1)


def test_objectives_and_spaces_that_cannot_be_are_refused() -> None:
    with pytest.raises(ObjectiveError, match="unknown objective 'eror'"):
        moopt.create_study("s", SPACE, ["eror"])
    with pytest.raises(SpaceError):
        moopt.create_study("s", {"x": (1.0, 0.0)}, OBJECTIVES)
    with pytest.raises(SpaceError):
        moopt.create_study("s", 7, OBJECTIVES)  # type: ignore[arg-type]


def test_a_configspace_space_is_taken_as_it_is() -> None:
    study = moopt.create_study("s", ConfigurationSpace({"x": (0.0, 1.0), "y": (0.0, 1.0), "kind": ["a"]}), OBJECTIVES)
    study.optimize(score, n_trials=4)
    assert len(study.trials()) == 4


def test_limits_make_feasible_trials_win(tmp_path: Path) -> None:
    limited = [moopt.Objective("error"), moopt.Objective("latency_ms", log=True, limit=3)]
    study = moopt.create_study("s", SPACE, limited, seed=0)
    study.optimize(score, n_trials=80)
    latest = study.trials().tail(30)
    assert (latest["violation"] == 0).mean() > 0.5


def test_attributes_and_notes_stay_with_their_trial(tmp_path: Path) -> None:
    study = make(tmp_path / "s.db")
    study.optimize(score, n_trials=2)
    study.store.add_note("s", 1, "odd one")
    study.store.set_attribute("s", "owner", "ada", number=1)
    trial = open_store(tmp_path / "s.db", read_only=True).trial("s", 1)
    assert trial.notes == ("odd one",)
    assert trial.attributes == {"owner": "ada"}


# First configs


def test_ones_own_configs_come_after_the_defaults(tmp_path: Path) -> None:
    mine = [{"x": 0.25, "y": 0.0, "kind": "b"}, {"x": 0.75, "y": 0.0, "kind": "b"}]
    study = make(tmp_path / "s.db", start=mine)
    study.optimize(score, n_trials=4)
    assert configs(study)[1:3] == mine
    assert study.trials()["source"].tolist() == ["default", "enqueued", "enqueued", "search"]
    more = {"x": 0.125, "y": 0.5, "kind": "a"}
    again = make(tmp_path / "s.db", start=[*mine, more], resume=True)
    again.optimize(score, n_trials=5)
    assert configs(again)[4] == more
    again.ask()
    assert make(tmp_path / "s.db", start=mine, resume=True).name == "s"  # nothing to write, so nobody is in the way


def test_an_own_config_that_cannot_be_leaves_no_study(tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match="unknown hyperparameter 'z'"):
        make(tmp_path / "s.db", start=[{"z": 1}])
    assert open_store(tmp_path / "s.db").studies() == []


def searched(store: Any = None, **options: Any) -> moopt.Study:
    study = moopt.create_study("old", SPACE, OBJECTIVES, store=store, **{"seed": 5, **options})
    study.optimize(score, n_trials=40)
    return study


def test_a_warm_start_takes_the_front_of_another_study_spread_over_it() -> None:
    old = searched()
    study = make(warm_start_from=old, n_warm=4)
    study.optimize(score, n_trials=6)
    assert study.trials()["source"].tolist() == ["default", *["warm start"] * 4, "search"]
    front = {old.space.key(old.store.trial("old", number).config): number for number in old.front()["number"]}
    warm = study.store.trials("s")[1:5]
    assert [front[study.space.key(trial.config)] for trial in warm] == [t.attributes["from"]["trial"] for t in warm]
    assert warm[0].attributes["from"]["study"] == "old"
    on_front = pareto.nondominated(study.trials()[["error", "latency_ms"]].to_numpy()[1:5])
    assert on_front.all()
    spread = study.trials()["param_x"][1:5]
    assert spread.max() - spread.min() > 0.5 * (old.front()["param_x"].max() - old.front()["param_x"].min())


def test_a_warm_start_reads_a_store_once(tmp_path: Path) -> None:
    searched(tmp_path / "old.db").close()
    options: dict[str, Any] = {"warm_start_from": (tmp_path / "old.db", "old"), "n_warm": 2}
    make(tmp_path / "s.db", **options).optimize(score, n_trials=3)
    assert make(warm_start_from=tmp_path / "old.db").store.trials("s")[1].source is Source.WARM_START
    assert make(warm_start_from=open_store(tmp_path / "old.db")).store.trials("s")[1].source is Source.WARM_START
    (tmp_path / "old.db").rename(tmp_path / "gone.db")
    assert len(make(tmp_path / "s.db", resume=True, **options).trials()) == 3


def test_configs_that_do_not_fit_are_left_out_and_counted() -> None:
    old = searched()
    narrow = {**SPACE, "x": (0.0, 0.5)}
    with pytest.warns(MooptWarning, match=r"\d+ of the \d+ configs on the front of study 'old' do not fit this space"):
        study = moopt.create_study("s", narrow, OBJECTIVES, seed=0, warm_start_from=old)
    warm = study.trials().query("source == 'warm start'")
    assert (warm["param_x"] <= 0.5).all()


def test_a_warm_start_that_cannot_be_is_told_and_leaves_no_study(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store at"):
        make(tmp_path / "s.db", warm_start_from=tmp_path / "old.db")
    with pytest.raises(StudyNotFound, match="'older'"):
        make(tmp_path / "s.db", warm_start_from=(searched(tmp_path / "old.db").store, "older"))
    with pytest.raises(SpecError, match="n_warm is 0; give how many configs"):
        make(tmp_path / "s.db", warm_start_from=searched(), n_warm=0)
    assert open_store(tmp_path / "s.db").studies() == []
    with pytest.warns(MooptWarning, match="study 's' has no front to start from"):
        make(warm_start_from=make())


# Results of other studies


SPEC = {"function": "score", "data": {"file": "a.csv", "sha256": "a"}}


def reusing(store: Path, name: str = "s", **options: Any) -> tuple[moopt.Study, list[tuple[float, int]]]:
    """A study that reuses what it can, after six trials, and the steps that it ran."""
    known = {"seed": 5, "n_steps": 3, "spec": {**SPEC, "data": {"file": "b.csv", "sha256": "a"}}, **options}
    study, folds = moopt.create_study(name, SPACE, OBJECTIVES, store=store, **known), Folds()
    study.optimize(folds, n_trials=6, reuse=True)
    return study, folds.calls


@pytest.fixture
def evaluated(tmp_path: Path) -> Path:
    """A store with a study of five trials of three steps."""
    study = moopt.create_study("old", SPACE, OBJECTIVES, store=tmp_path / "r.db", seed=5, n_steps=3, spec=SPEC)
    study.optimize(Folds(), n_trials=5)
    return tmp_path / "r.db"


def test_what_another_study_evaluated_is_not_paid_for_again_and_is_marked(evaluated: Path) -> None:
    study, calls = reusing(evaluated)
    trials, old = study.store.trials("s"), study.store.trials("old")
    assert calls == [(trials[5].config["x"], step) for step in range(3)]
    assert [trial.values for trial in trials[:5]] == [trial.values for trial in old]
    assert [trial.steps for trial in trials[:5]] == [trial.steps for trial in old]
    assert study.trials()["source"].tolist() == ["default", *["reused"] * 4, "search"]
    assert [trial.attributes["from"] for trial in trials[:5]] == [
        {"study": "old", "trial": number, "reused": True} for number in range(5)
    ]
    assert study.optimize(Folds(), max_steps=3, reuse=True) is Stop.STEPS


def test_a_study_with_reused_trials_goes_on_as_if_they_had_been_run(evaluated: Path, tmp_path: Path) -> None:
    reusing(evaluated)
    again = moopt.load_study(evaluated, "s")
    again.optimize(Folds(), n_trials=12)
    plain = moopt.create_study("p", SPACE, OBJECTIVES, seed=5, n_steps=3, spec=SPEC)
    plain.optimize(Folds(), n_trials=12)
    assert configs(again) == configs(plain)


def test_reuse_holds_the_order_of_deterministic_workers(evaluated: Path) -> None:
    def run(name: str, reuse: bool) -> list[dict[str, Any]]:
        study = moopt.create_study(name, SPACE, OBJECTIVES, store=evaluated, seed=5, n_steps=3, spec=SPEC)
        with ThreadPoolExecutor(3) as executor:
            study.optimize(Folds(), n_trials=15, executor=executor, deterministic=True, reuse=reuse)
        return configs(study)

    assert run("first", reuse=True) == run("second", reuse=False)


@pytest.mark.parametrize(
    "other",
    [{"spec": {**SPEC, "data": {"sha256": "b"}}}, {"spec": {"function": "other"}}, {"spec": {**SPEC, "models": ["m"]}}],
)
def test_another_evaluation_is_never_reused(evaluated: Path, other: dict[str, Any]) -> None:
    study, calls = reusing(evaluated, **other)
    assert len(calls) == 18
    assert "reused" not in set(study.trials()["source"])


def test_other_versions_are_never_reused(evaluated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moopt.study.versions", lambda: {"numpy": "0.1"})
    _, calls = reusing(evaluated)
    assert len(calls) == 18


def test_a_study_that_went_on_with_other_versions_is_never_reused(
    evaluated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed, _ = reusing(evaluated)
    with monkeypatch.context() as patched:
        patched.setattr("moopt.study.versions", lambda: {"numpy": "0.1"})
        mixed.optimize(Folds(), n_trials=7)
    study, calls = reusing(evaluated, "third")
    assert len(calls) == 3
    assert {trial.attributes["from"]["study"] for trial in study.store.trials("third")[:5]} == {"old"}


def test_reuse_wants_to_know_how_a_trial_is_evaluated() -> None:
    with pytest.raises(SpecError, match=r"does not say how a trial is evaluated, .*; give create_study spec="):
        make().optimize(score, n_trials=1, reuse=True)

"""How a study came to its front: hypervolume, front size, pace and failures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from moopt import growth as front_growth
from moopt import pareto
from moopt.objectives import Objective, loss_matrix
from moopt.store import open_store
from moopt.store.base import StudyRecord
from moopt.trial import Failure, Source, State, Trial
from moopt_explorer import data, growth
from moopt_explorer.data import Snapshot
from tests.explorer import synthetic

TWO = (Objective("a"), Objective("b"))


def snapshot(
    trials: list[Trial], of: tuple[Objective, ...] = TWO, running: bool = False, **attributes: object
) -> Snapshot:
    record = StudyRecord("s", {}, of, {"algorithm": "random"}, 0, attributes=attributes)
    return Snapshot(record, 1, running, tuple(trials))


def traced(shown: Snapshot) -> pd.DataFrame:
    return front_growth.trace(shown.objectives, shown.trials)


def complete(number: int, a: float, b: float, at: float | None = None) -> Trial:
    at = float(number) if at is None else at
    return Trial(number, {}, state=State.COMPLETE, values={"a": a, "b": b}, finished_at=at)


def of_study(tmp_path: Path, count: int, n_objectives: int = 4) -> Snapshot:
    store = open_store(tmp_path / "s.db")
    synthetic.fill(store, "s", count, of=synthetic.objectives(n_objectives))
    return data.read(store, "s")


def test_the_hypervolume_ends_at_that_of_the_front_and_never_falls(tmp_path: Path) -> None:
    shown = of_study(tmp_path, 200)
    trace = traced(shown)
    assert shown.front is not None
    losses = loss_matrix(shown.objectives, shown.values)
    expected = pareto.hypervolume(losses, *pareto.ideal_nadir(losses[pareto.nondominated(losses)]))
    assert trace["hypervolume"].iloc[-1] == pytest.approx(expected)
    assert trace["share"].iloc[-1] == 1.0
    assert trace["hypervolume"].is_monotonic_increasing
    assert trace["front"].iloc[-1] == len(shown.front)
    assert trace["evaluations"].iloc[-1] == 200


def test_with_many_objectives_it_is_estimated_and_never_falls(tmp_path: Path) -> None:
    trace = traced(of_study(tmp_path, 120, n_objectives=8))
    assert trace["hypervolume"].is_monotonic_increasing
    assert 0 < trace["hypervolume"].iloc[-1] < 1.1**8


def test_what_is_estimated_agrees_with_what_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = of_study(tmp_path, 400)
    counted = traced(shown)
    assert counted["exact"].all()
    assert front_growth.basis(counted) == ""
    monkeypatch.setattr(front_growth, "_EXACT_FRONT", 1)
    estimated = traced(shown)
    assert not estimated["exact"].any()
    assert "estimates" in front_growth.basis(estimated)
    assert estimated["front"].tolist() == counted["front"].tolist()
    np.testing.assert_allclose(estimated["share"], counted["share"], atol=0.02)
    monkeypatch.setattr(front_growth, "_MOST_COUNTED", 120)
    sampled = traced(shown)
    assert sampled["front"].iloc[-1] == counted["front"].iloc[-1]
    np.testing.assert_allclose(sampled["front"], counted["front"], atol=25)


@pytest.mark.parametrize(
    ("count", "running", "until"), [(150, True, 150), (250, True, 250), (255, True, 254), (255, False, 255)]
)
def test_while_a_study_runs_its_course_is_drawn_as_far_as_its_points_tell(
    count: int, running: bool, until: int
) -> None:
    assert growth.drawn_until(snapshot([complete(n, n, n) for n in range(count)], running=running)) == until


def test_an_estimate_agrees_with_the_exact_volume() -> None:
    points = np.random.default_rng(1).dirichlet(np.ones(5), 60)
    front = 1 - points[pareto.nondominated(1 - points)]
    ideal, nadir = pareto.ideal_nadir(front)
    estimate = front_growth.volume(front, ideal, nadir)
    assert estimate == pytest.approx(pareto.hypervolume(front, ideal, nadir), abs=4 * 0.0071 * 1.1**5)


def test_evaluations_count_failures_and_not_siblings_in_the_order_of_their_ends() -> None:
    trials = [
        complete(0, 1, 2, at=30.0),
        Trial(1, {}, state=State.FAILED, failure=Failure.ERROR, finished_at=10.0),
        replace(complete(2, 2, 1, at=31.0), source=Source.SIBLING),
        complete(3, 3, 3, at=20.0),
        Trial(4, {}, state=State.RUNNING),
    ]
    trace = traced(snapshot(trials))
    assert trace["evaluations"].tolist() == [2, 3, 3]
    assert trace["front"].tolist() == [1, 1, 2]


def test_one_objective_grows_towards_its_best() -> None:
    trials = [replace(complete(n, 0, 0), values={"a": value}) for n, value in enumerate([5.0, 7.0, 3.0, 4.0, 1.0])]
    shares = traced(snapshot(trials, TWO[:1]))["share"].tolist()
    assert shares == sorted(shares)
    assert shares[0] < shares[2] < shares[-1] == 1.0


def test_a_study_without_a_complete_trial_has_no_course() -> None:
    assert traced(snapshot([])).empty
    assert traced(snapshot([Trial(0, {}, state=State.FAILED, finished_at=1.0)])).empty
    assert front_growth.reached(traced(snapshot([]))) is None


def test_a_large_study_is_looked_at_in_a_few_places(tmp_path: Path) -> None:
    trace = traced(of_study(tmp_path, 400))
    assert len(trace) <= front_growth.MOST_POINTS
    assert front_growth.reached(trace) in trace["evaluations"].tolist()


def test_the_pace_is_that_of_the_last_search_and_tells_what_is_left() -> None:
    trials = [complete(n, n, n, at=1000.0 if n < 50 else 2000.0 + 2 * n) for n in range(61)]
    pace = growth.pace(snapshot(trials, running=True, wanted={"n_trials": 100, "at": 1500.0}))
    assert (pace.n_done, pace.n_wanted) == (61, 100)
    assert pace.per_minute == pytest.approx(30.0)
    assert pace.remaining_s == pytest.approx(39 * 2.0)


@pytest.mark.parametrize("wanted", [None, "soon", {"n_trials": None, "at": 0.0}, {}])
def test_without_an_end_nothing_is_left_to_tell(wanted: object) -> None:
    pace = growth.pace(snapshot([complete(0, 1, 1)], running=True, wanted=wanted))
    assert (pace.n_wanted, pace.remaining_s, pace.per_minute) == (None, None, None)


def test_failures_are_gathered_by_what_they_say() -> None:
    def failed(number: int, kind: Failure, message: str) -> Trial:
        return Trial(number, {}, state=State.FAILED, failure=kind, message=message)

    trials = [failed(0, Failure.TIMEOUT, "slow"), failed(1, Failure.ERROR, "<b>"), failed(2, Failure.ERROR, "<b>")]
    found = front_growth.failures(trials)
    assert found.to_dict("records") == [
        {"failure": "error", "message": "<b>", "count": 2, "last": 2},
        {"failure": "timeout", "message": "slow", "count": 1, "last": 0},
    ]
    assert front_growth.failures([]).empty


@pytest.mark.parametrize(("seconds", "told"), [(0.2, "1 s"), (59, "59 s"), (300, "5 min"), (7800, "2 h 10 min")])
def test_a_time_to_come_is_told_in_its_unit(seconds: float, told: str) -> None:
    assert growth.clock(seconds) == told

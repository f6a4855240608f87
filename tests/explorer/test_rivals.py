"""Two studies of one store by their fronts."""

from __future__ import annotations

import pytest

from moopt.objectives import Objective
from moopt.store.base import StudyRecord
from moopt.trial import State, Trial
from moopt_explorer import charts, rivals
from moopt_explorer.data import Snapshot

A, B, C = Objective("a"), Objective("b", "maximize"), Objective("c")


def study(name: str, of: tuple[Objective, ...], *rows: tuple[float, ...]) -> Snapshot:
    names = [one.name for one in of]
    trials = [
        Trial(number, {}, state=State.COMPLETE, values=dict(zip(names, row, strict=True)))
        for number, row in enumerate(rows)
    ]
    return Snapshot(StudyRecord(name, {}, of, {"algorithm": "random"}, 0), 1, False, tuple(trials))


def test_each_front_is_told_by_how_much_of_it_the_other_dominates() -> None:
    one = study("one", (A, B), (1, 1), (2, 2), (3, 3), (3, 1))
    other = study("other", (B, A), (3, 2), (0.5, 0.5), (2, 1))
    found = rivals.rivals(one, other)
    assert found is not None
    assert found.objectives == (A, B)
    assert [numbers.tolist() for numbers in found.numbers] == [[0, 1, 2], [0, 1, 2]]
    assert found.dominated == (3, 0)
    assert found.hypervolumes[1] > found.hypervolumes[0] > 0


def test_a_study_is_equal_to_its_twin() -> None:
    one, twin = (study(name, (A, B), (1, 1), (2, 2)) for name in ("one", "twin"))
    found = rivals.rivals(one, twin)
    assert found is not None
    assert found.dominated == (0, 0)
    assert found.hypervolumes[0] == found.hypervolumes[1]


def test_only_what_both_measure_alike_is_compared() -> None:
    one = study("one", (A, B, C), (1, 1, 9), (2, 1, 1))
    other = study("other", (A, Objective("b"), Objective("c", log=True)), (2, 1, 1))
    found = rivals.rivals(one, other)
    assert found is not None
    assert found.objectives == (A,)
    assert [len(front) for front in found.fronts] == [1, 1]
    assert found.dominated == (0, 1)


def test_without_a_shared_objective_or_a_trial_there_is_nothing_to_compare() -> None:
    one = study("one", (A, B), (1, 1))
    assert rivals.rivals(one, study("other", (C,), (1,))) is None
    assert rivals.rivals(one, study("other", (A, B))) is None


def test_both_fronts_are_drawn_with_their_attainment_and_names_stay_text() -> None:
    one = study("one", (A, B), (1, 1), (2, 2))
    other = study("other", (A, B), (1.5, 3))
    found = rivals.rivals(one, other)
    assert found is not None
    odd = "</script>'🙂" + "n" * 300
    spec = charts.duel(found, (A, B), ("one", odd))
    points, steps = spec["datasets"]["points"], spec["datasets"]["steps"]
    assert points["study"].tolist() == ["one", "one", "other"]
    assert points["trial"].tolist() == ["#0", "#1", "#0"]
    assert points["y"].tolist() == pytest.approx([1, 2, 3])
    assert set(steps["study"]) == {"one", "other"}
    assert all(len(text) < 40 for text in spec["params"][0]["value"])

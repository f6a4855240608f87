"""Which hyperparameter moves which objective, and when that is found out anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from moopt.importance import Importance
from moopt.objectives import Objective
from moopt.space import as_space
from moopt.store.base import StudyRecord
from moopt.trial import State, Trial
from moopt_explorer import influence, wording
from moopt_explorer.data import Snapshot
from moopt_explorer.influence import Influence

OF = (Objective("a"), Objective("b", "maximize"))
SPACE = as_space({"x": (0.0, 1.0), "y": (0.0, 1.0), "kind": ["one", "two"]}).as_json()


def grown(count: int, revision: int = 1, running: bool = False) -> Snapshot:
    """A study whose ``a`` follows x, and whose ``b`` follows y."""
    rng = np.random.default_rng(0)
    trials = []
    for number in range(count):
        x, y = map(float, rng.uniform(size=2))
        config = {"x": x, "y": y, "kind": "one" if x + y < 1 else "two"}
        trials.append(Trial(number, config, state=State.COMPLETE, values={"a": x, "b": y**2}))
    return Snapshot(StudyRecord("s", SPACE, OF, {"algorithm": "random"}, 0), revision, running, tuple(trials))


def test_each_objective_names_what_moves_it() -> None:
    found = influence.find_out(grown(60))
    assert influence.ranking(found, "a")[0] == "x"
    assert influence.ranking(found, "b")[0] == "y"
    assert [one.target for one in found.importances] == influence.target_names(OF)
    assert influence.target_names(OF) == ["a", "b", "towards a", "towards b"]
    frame = influence.shares_frame(found)
    assert set(frame["hyperparameter"]) == {"x", "y", "kind"}
    assert frame.groupby("target")["share"].sum().round(6).tolist() == [1.0] * 4


def test_an_objective_is_predicted_along_a_hyperparameter() -> None:
    along = influence.depends(grown(60), "b", "y")
    assert along is not None
    assert along.mean[0] < along.mean[-1]
    assert influence.depends(grown(60), "b", "nothing") is None


def test_too_few_trials_or_an_unknown_space_say_nothing() -> None:
    assert influence.find_out(grown(5)).importances == ()
    unknown = replace(grown(60), record=StudyRecord("s", {}, OF, {"algorithm": "random"}, 0))
    assert influence.find_out(unknown).importances == ()
    assert influence.depends(unknown, "a", "x") is None
    assert influence.ranking(influence.find_out(unknown), "a") == []


@pytest.mark.parametrize(
    ("n_complete", "running", "due"),
    [(20, False, False), (21, False, True), (20, True, False), (21, True, False), (22, True, True)],
)
def test_a_running_study_is_looked_into_when_it_has_grown_by_a_tenth(n_complete: int, running: bool, due: bool) -> None:
    found = Influence(20, ())
    assert influence.is_due(found, grown(n_complete, running=running)) is due
    assert influence.is_due(None, grown(n_complete, running=running))


def test_a_note_is_no_reason_to_look_again() -> None:
    assert not influence.is_due(Influence(20, ()), grown(20, revision=7))


def test_it_is_said_that_some_of_many_are_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moopt.importance.MOST_TRIALS", 30)
    told = wording.explained_line(influence.find_out(grown(60)))
    assert told.startswith("Learned from 30 complete trials of 60, drawn at random.")


def test_what_the_forest_cannot_predict_is_named() -> None:
    found = Influence(50, (Importance("a", {"x": 1.0}, 0.9, 50), Importance("b", {"x": 1.0}, -0.2, 50)))
    assert [one.target for one in influence.unexplained(found)] == ["b"]

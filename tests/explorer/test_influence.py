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
from moopt_explorer import influence
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
    found = influence.find_out(grown(60), now=5.0)
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
    assert influence.find_out(grown(5), now=0.0).importances == ()
    unknown = replace(grown(60), record=StudyRecord("s", {}, OF, {"algorithm": "random"}, 0))
    assert influence.find_out(unknown, now=0.0).importances == ()
    assert influence.depends(unknown, "a", "x") is None
    assert influence.ranking(influence.find_out(unknown, now=0.0), "a") == []


@pytest.mark.parametrize(
    ("revision", "running", "now", "due"),
    [(1, False, 1000.0, False), (2, False, 101.0, True), (2, True, 101.0, False), (2, True, 130.0, True)],
)
def test_a_running_study_is_not_looked_into_again_and_again(
    revision: int, running: bool, now: float, due: bool
) -> None:
    found = Influence(1, 100.0, ())
    assert influence.is_due(found, grown(3, revision, running), now) is due
    assert influence.is_due(None, grown(3, revision, running), now)


def test_what_the_forest_cannot_predict_is_named() -> None:
    found = Influence(1, 0.0, (Importance("a", {"x": 1.0}, 0.9, 50), Importance("b", {"x": 1.0}, -0.2, 50)))
    assert [one.target for one in influence.unexplained(found)] == ["b"]

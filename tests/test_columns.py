"""Many trials as columns."""

import numpy as np
import pytest

from moopt.columns import Trials
from moopt.frames import front_trials, value_matrix
from moopt.objectives import Objective
from moopt.trial import Source, State, Trial

OF = (Objective("error"), Objective("latency_ms"))
SOME = (
    Trial(3, {"x": 1}, state=State.COMPLETE, values={"error": 0.2, "latency_ms": 1.0}, finished_at=5.0),
    Trial(4, {"x": 2}, state=State.RUNNING, source=Source.DEFAULT),
    Trial(7, {"x": 3}, state=State.COMPLETE, values={"error": 0.1}, finished_at=6.0),
)


def test_columns_hold_what_the_trials_say():
    found = Trials.of(SOME)
    assert found.number.tolist() == [3, 4, 7]
    assert found.state.tolist() == ["complete", "running", "complete"]
    assert found.source.tolist() == ["search", "default", "search"]
    assert np.isnan(found.finished_at).tolist() == [False, True, False]
    np.testing.assert_array_equal(found.matrix(OF), value_matrix(OF, SOME))
    np.testing.assert_array_equal(value_matrix(OF, found), value_matrix(OF, SOME))
    assert Trials.of(found) is found


def test_they_are_a_sequence_of_trials():
    found = Trials.of(iter(SOME))
    assert tuple(found) == SOME
    assert found[1] is SOME[1]
    assert found[-1] is SOME[-1]
    assert tuple(found[1:]) == SOME[1:]
    assert SOME[2] in found
    with pytest.raises(IndexError, match="out of bounds"):
        found[3]


def test_some_are_taken_by_place_mask_or_state():
    found = Trials.of(SOME)
    assert tuple(found.take(np.array([2, 0]))) == (SOME[2], SOME[0])
    assert tuple(found.take(np.array([False, True, False]))) == SOME[1:2]
    assert found.where(State.COMPLETE).number.tolist() == [3, 7]
    assert len(found.where(State.FAILED)) == 0


def test_fresh_trials_take_the_place_of_what_was_known():
    ended = Trial(4, {"x": 2}, state=State.COMPLETE, values={"size_kb": 9.0}, finished_at=7.0)
    new = Trial(5, {"x": 5}, state=State.RUNNING)
    found = Trials.of(SOME).updated(Trials.of([ended, new]))
    assert tuple(found) == (SOME[0], ended, new, SOME[2])
    assert found.values["size_kb"].tolist() == pytest.approx([np.nan, 9.0, np.nan, np.nan], nan_ok=True)
    assert found.values["error"].tolist() == pytest.approx([0.2, np.nan, np.nan, 0.1], nan_ok=True)


def test_no_trials_are_columns_too():
    found = Trials.of([])
    assert found.matrix(OF).shape == (0, 2)
    assert front_trials(OF, found) == []
    assert tuple(found.updated(Trials.of(SOME))) == SOME

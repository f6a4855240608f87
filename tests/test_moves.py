"""Moves on a front: wishes, and the next trial along one objective."""

import pytest

from moopt.choose import front_of
from moopt.choose.moves import ANYTHING, IMPROVE, answer_wishes, next_along
from moopt.errors import UsageError
from moopt.objectives import Objective

ACCURACY = Objective("accuracy", "maximize")
LATENCY = Objective("latency_ms", log=True)
SIZE = Objective("size_kb", log=True)
POINTS = {
    0: {"accuracy": 0.80, "latency_ms": 1.0, "size_kb": 10.0},
    1: {"accuracy": 0.85, "latency_ms": 2.0, "size_kb": 10.0},
    2: {"accuracy": 0.90, "latency_ms": 2.0, "size_kb": 40.0},
    3: {"accuracy": 0.95, "latency_ms": 8.0, "size_kb": 90.0},
    4: {"accuracy": 0.90, "latency_ms": 9.0, "size_kb": 15.0},
}


def front(*objectives: Objective):
    return front_of(objectives or (ACCURACY, LATENCY, SIZE), POINTS)


def test_what_may_get_worse_pays_for_what_shall_improve():
    assert answer_wishes(front(), 1, {"accuracy": IMPROVE, "size_kb": ANYTHING}).number == 2
    assert answer_wishes(front(), 1, {"accuracy": IMPROVE, "latency_ms": ANYTHING, "size_kb": 20.0}).number == 4


def test_of_several_that_suit_the_best_bargain_is_taken():
    move = answer_wishes(front(), 1, {"accuracy": IMPROVE, "latency_ms": ANYTHING, "size_kb": ANYTHING})
    assert move.n_suited == 3
    assert move.number == 2


def test_where_none_suits_the_one_wish_in_the_way_is_named():
    move = answer_wishes(front(), 1, {"accuracy": IMPROVE})
    assert move.number is None
    assert move.hindrance == "No trial on the front does that; size would have to be 40 kB (#2)."
    move = answer_wishes(front(), 3, {"accuracy": IMPROVE, "latency_ms": IMPROVE})
    assert "accuracy would have to be" in move.hindrance
    assert answer_wishes(front(), 3, {}).hindrance == "Nothing is asked to improve."


def test_a_move_stays_within_the_limits():
    limited = front(ACCURACY, LATENCY, Objective("size_kb", log=True, limit=30))
    assert answer_wishes(limited, 1, {"accuracy": IMPROVE, "size_kb": ANYTHING, "latency_ms": ANYTHING}).number == 4


def test_the_next_trial_along_an_objective():
    assert next_along(front(), 1, "accuracy", better=True) == 2  # 4 is as accurate, but further away
    assert next_along(front(), 2, "accuracy", better=True) == 3
    assert next_along(front(), 3, "accuracy", better=True) is None
    assert next_along(front(), 1, "latency_ms", better=False) == 3
    limited = front(ACCURACY, LATENCY, Objective("size_kb", log=True, limit=50))
    assert next_along(limited, 2, "accuracy", better=True) is None


def test_what_cannot_be_wished_is_refused():
    with pytest.raises(UsageError, match="a wish is given for 'acuracy', which is no objective here; did you mean"):
        answer_wishes(front(), 1, {"acuracy": IMPROVE})
    with pytest.raises(UsageError, match="the wish for accuracy is 'more'; give 'improve', 'anything' or"):
        answer_wishes(front(), 1, {"accuracy": "more"})
    with pytest.raises(UsageError, match="trial 9 is not on the front"):
        answer_wishes(front(), 9, {})

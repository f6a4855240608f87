"""Limits, preferences, swaps: from a front to one trial and its reason."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moopt import pareto
from moopt.choose import BALANCED, KNEE, Points, choose, parse_limits, pick, relaxations, swaps
from moopt.errors import NoTrialLeft, ObjectiveError, UsageError
from moopt.objectives import Objective, as_objectives, loss_matrix
from moopt.trial import State, Trial

OBJECTIVES = as_objectives(["accuracy", "recall", "latency", "size"])
FRONT: dict[int, dict[str, float]] = {
    3: {"accuracy": 0.90, "recall": 0.80, "latency_ms": 1.0, "size_kb": 10.0},
    5: {"accuracy": 0.95, "recall": 0.90, "latency_ms": 3.0, "size_kb": 100.0},
    8: {"accuracy": 0.96, "recall": 0.95, "latency_ms": 30.0, "size_kb": 900.0},
    9: {"accuracy": 0.94, "recall": 0.97, "latency_ms": 100.0, "size_kb": 1000.0},
}
DOMINATED = {1: {"accuracy": 0.89, "recall": 0.79, "latency_ms": 1.5, "size_kb": 20.0}}
TWO = (Objective("error"), Objective("cost"))


def test_a_balanced_choice_is_the_trial_whose_worst_place_is_best() -> None:
    choice = choose(OBJECTIVES, FRONT | DOMINATED)
    assert (choice.number, choice.n_front, choice.n_left, choice.preference) == (5, 4, 4, BALANCED)


def test_preferring_an_objective_moves_the_choice_towards_its_best() -> None:
    line = {n: {"error": n / 10, "cost": 1 - n / 10} for n in range(11)}
    assert choose(TWO, line).number == 5
    assert choose(TWO, line, prefer="error").number == 1
    assert choose(TWO, line, prefer="cost").number == 9


def test_a_small_spread_of_a_logarithmic_objective_does_not_outweigh_the_preferred_one() -> None:
    alike = {
        0: {"accuracy": 0.98, "recall": 0.96, "latency_ms": 0.95, "size_kb": 4.5},
        1: {"accuracy": 0.96, "recall": 0.94, "latency_ms": 0.83, "size_kb": 4.4},
        2: {"accuracy": 0.92, "recall": 0.89, "latency_ms": 0.60, "size_kb": 3.3},
    }
    assert choose(OBJECTIVES, alike, prefer="recall").number == 0


def test_the_short_name_of_an_objective_is_a_preference() -> None:
    assert choose(OBJECTIVES, FRONT, prefer="latency").preference == "latency_ms"


def test_the_knee_is_that_of_pareto() -> None:
    losses = loss_matrix(OBJECTIVES, np.array([list(row.values()) for row in FRONT.values()]))
    assert choose(OBJECTIVES, FRONT, prefer=KNEE).number == list(FRONT)[pareto.knee(losses)]


def test_aspirations_are_met_where_they_can_be() -> None:
    assert choose(OBJECTIVES, FRONT, aspirations={"recall": 0.95}).number in (8, 9)
    assert choose(OBJECTIVES, FRONT, aspirations={"latency": 1.0}).number == 3
    assert choose(OBJECTIVES, FRONT, aspirations={"recall": 0.89, "latency_ms": 4.0}).number == 5


def test_limits_filter_before_the_preference() -> None:
    choice = choose(OBJECTIVES, FRONT, limits={"latency": "2 ms"}, prefer="recall")
    assert (choice.number, choice.n_left, choice.limits) == (3, 1, {"latency_ms": 2.0})


def test_a_value_at_its_limit_meets_it() -> None:
    assert choose(OBJECTIVES, FRONT, limits={"latency_ms": 1.0, "size_kb": 10.0}).number == 3


def test_an_objectives_own_limit_applies_unless_another_is_given_or_it_is_lifted() -> None:
    limited = as_objectives([Objective("error", limit=0.1), Objective("cost")])
    line = {n: {"error": n / 10, "cost": 1 - n / 10} for n in range(11)}
    assert choose(limited, line).n_left == 2
    assert choose(limited, line, limits={"error": 0.3}).n_left == 4
    assert choose(limited, line, limits={"error": None}).n_left == 11
    assert choose(limited, line, limits={"error": None}).limits == {}


def test_a_limit_that_the_choice_meets_can_be_tightened_up_to_it() -> None:
    free = choose(OBJECTIVES, FRONT)
    assert choose(OBJECTIVES, FRONT, limits=FRONT[free.number]).number == free.number


def test_ties_go_to_the_lowest_number() -> None:
    twins = {7: {"error": 0.5, "cost": 0.5}, 2: {"error": 0.5, "cost": 0.5}, 4: {"error": 0.5, "cost": 0.5}}
    assert choose(TWO, twins).number == 2


def test_one_objective_gives_its_best_trial() -> None:
    choice = choose([Objective("error")], {0: {"error": 0.3}, 1: {"error": 0.1}, 2: {"error": 0.2}})
    assert (choice.number, choice.n_front, choice.robustness, choice.neighbours) == (1, 1, 1.0, ())


def test_only_complete_trials_are_chosen() -> None:
    trials = [
        Trial(0, {}, state=State.COMPLETE, values={"error": 0.5, "cost": 2.0}),
        Trial(1, {}, state=State.STOPPED, values={"error": 0.1, "cost": 1.0}),
        Trial(2, {}, state=State.FAILED),
        Trial(3, {}, state=State.RUNNING),
    ]
    assert choose(TWO, trials).number == 0


def test_the_reason_names_the_trial_its_values_with_units_and_the_limits() -> None:
    reason = choose(OBJECTIVES, FRONT, limits={"latency_ms": 5, "recall": 0.85}, prefer="recall").reason
    assert reason.startswith(
        "Trial 5 (accuracy 0.95, recall 0.9, latency 3 ms and size 100 kB) is the best with recall first, "
        "out of 1 of the 4 trials on the front within recall >= 0.85 and latency_ms <= 5 ms. 100 % of 200"
    )


def test_the_reason_names_aspirations_with_units() -> None:
    reason = choose(OBJECTIVES, FRONT, aspirations={"recall": 0.89, "latency": 4.0}, prefer="size").reason
    assert "is the best for the aspiration recall 0.89 and latency 4 ms, size_kb first, out of" in reason


def test_robustness_is_the_share_of_preferences_that_choose_the_trial() -> None:
    shares = [pick(OBJECTIVES, FRONT, number).robustness for number in FRONT]
    assert sum(shares) == pytest.approx(1)
    assert choose(OBJECTIVES, FRONT).robustness == shares[1] > 0


def test_a_trial_picked_by_hand_says_when_it_misses_a_limit() -> None:
    picked = pick(OBJECTIVES, FRONT, 9, limits={"latency_ms": 5})
    assert (picked.within_limits, picked.preference, picked.robustness) == (False, "picked", 0.0)
    assert "It misses a limit." in picked.reason


def test_picking_a_dominated_trial_names_the_front() -> None:
    with pytest.raises(UsageError, match="trial 1 is not on the front; on the front are: 3, 5, 8, 9"):
        pick(OBJECTIVES, FRONT | DOMINATED, 1)


def test_a_choice_becomes_a_decision() -> None:
    choice = choose(OBJECTIVES, FRONT, limits={"latency_ms": 5})
    decision = choice.decision(decided_at=12.0)
    assert (decision.number, decision.limits, decision.preference) == (5, {"latency_ms": 5.0}, BALANCED)
    assert (decision.reason, decision.decided_at) == (choice.reason, 12.0)


def test_without_a_complete_trial_there_is_nothing_to_choose() -> None:
    with pytest.raises(NoTrialLeft, match="no trial is complete"):
        choose(TWO, [])


def test_an_unknown_preference_suggests_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown preference 'recal'; did you mean 'recall'"):
        choose(OBJECTIVES, FRONT, prefer="recal")


def test_an_aspiration_for_no_objective_is_refused() -> None:
    with pytest.raises(UsageError, match=r"an aspiration is given for 'acuracy'.*'accuracy'"):
        choose(OBJECTIVES, FRONT, aspirations={"acuracy": 1.0})


def test_the_knee_takes_no_aspirations() -> None:
    with pytest.raises(UsageError, match="the knee takes no aspirations"):
        choose(OBJECTIVES, FRONT, prefer=KNEE, aspirations={"recall": 1.0})


# Relaxations


def test_where_none_is_left_the_limit_to_relax_is_named() -> None:
    with pytest.raises(
        NoTrialLeft, match=r"no trial meets latency_ms <= 0\.9 ms\nRelax one limit: latency_ms 0.9 -> 1"
    ):
        choose(OBJECTIVES, FRONT, limits={"latency_ms": 0.9})


def test_the_limit_that_frees_most_for_its_step_comes_first() -> None:
    many = {n: {"error": 0.2 + n / 1000, "cost": 0.5 - n / 100} for n in range(10)}
    far = {20: {"error": 0.0, "cost": 5.0}}
    ways = relaxations(TWO, many | far, limits={"error": 0.19, "cost": 0.5})
    assert [(way.name, way.n_left) for way in ways] == [("error", 10), ("cost", 1)]
    assert ways[0].text == "error 0.19 -> 0.21 leaves 10"


def test_a_relaxed_limit_leaves_what_it_says() -> None:
    for way in relaxations(OBJECTIVES, FRONT, limits={"latency_ms": 2, "recall": 0.9}):
        limits = {"latency_ms": 2, "recall": 0.9} | {way.name: way.relaxed}
        assert choose(OBJECTIVES, FRONT, limits=limits).n_left == way.n_left


def test_two_limits_that_no_trial_meets_name_the_closest_trial() -> None:
    with pytest.raises(NoTrialLeft, match=r"No single limit frees one; the closest is trial \d: .* -> .* and .* -> "):
        choose(OBJECTIVES, FRONT, limits={"accuracy": 0.99, "recall": 0.99})


# Limits from texts


def test_limits_are_read_with_their_units() -> None:
    texts = ["latency_ms<=5", "recall >= 90 %", "size<=0.2 MB", "accuracy≥.9"]
    assert parse_limits(OBJECTIVES, texts) == pytest.approx(
        {"latency_ms": 5.0, "recall": 0.9, "size_kb": 200.0, "accuracy": 0.9}
    )


def test_a_name_may_hold_spaces() -> None:
    assert parse_limits([Objective("my error")], ["my error <= 3"]) == {"my error": 3.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("recall<=0.9", r"turns the wrong way: higher recall is better.*write 'recall>=0.9'"),
        ("latency>=5 ms", r"turns the wrong way: lower latency_ms is better.*write 'latency_ms<=5 ms'"),
        ("recal>=0.9", "names 'recal', which is no objective here; did you mean 'recall'"),
        ("latency<=5 kB", "'5 kB', a size; give a limit in ms"),
        ("latency=5", "cannot be read; give a name, <= or >=, and a value, such as 'accuracy>=0.9'"),
        ("latency<=", "cannot be read"),
        ("latency<=fast", "give a number with a unit"),
        ("latency<=0", "compared by its logarithm; give a limit above 0"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(ObjectiveError, match=message):
        parse_limits(OBJECTIVES, [text])


def test_an_objective_is_limited_once() -> None:
    with pytest.raises(ObjectiveError, match="latency_ms has two limits, again by 'latency<=3'"):
        parse_limits(OBJECTIVES, ["latency_ms<=5", "latency<=3"])


# Swaps


def test_a_swap_is_a_sentence_in_the_users_units() -> None:
    pair = {
        0: {"accuracy": 0.954, "recall": 0.9, "latency_ms": 3.1, "size_kb": 10.0},
        1: {"accuracy": 0.950, "recall": 0.9, "latency_ms": 1.0, "size_kb": 10.0},
    }
    assert [swap.text for swap in swaps(OBJECTIVES, pair, 0)] == ["-0.4 pt accuracy buys 3.1 times lower latency"]
    assert [swap.text for swap in swaps(OBJECTIVES, pair, 1)] == ["3.1 times higher latency buys +0.4 pt accuracy"]


def test_plain_numbers_and_units_are_differences() -> None:
    objectives = (Objective("loss"), Objective("wait_ms"), Objective("model_kb", log=True))
    pair = {
        0: {"loss": 40.0, "wait_ms": 2.0, "model_kb": 100.0},
        1: {"loss": 38.5, "wait_ms": 2.5, "model_kb": 102.0},
    }
    (swap,) = swaps(objectives, pair, 0)
    assert swap.text == "+0.5 ms wait and 2 % larger model buy -1.5 loss"


def test_swaps_within_the_limits_come_first_and_others_say_so() -> None:
    limited = as_objectives(["accuracy", "recall", Objective("latency_ms", log=True, limit=50), "size"])
    found = swaps(limited, FRONT, 5)
    assert [swap.within_limits for swap in found] == sorted((swap.within_limits for swap in found), reverse=True)
    assert len({swap.number for swap in found}) == len(found)
    assert all(("beyond a limit" in swap.text) != swap.within_limits for swap in found)


# What always holds

values = st.floats(0.01, 100, allow_nan=False).map(lambda value: float(f"{value:.3g}"))
tables = st.lists(st.tuples(values, values, values), min_size=1, max_size=12)
preferences = st.sampled_from([BALANCED, KNEE, "gain", "error", "time_ms"])
THREE = (Objective("gain", "maximize"), Objective("error"), Objective("time_ms", log=True))


def as_points(rows: list[tuple[float, float, float]]) -> dict[int, dict[str, float]]:
    return {number: dict(zip(("gain", "error", "time_ms"), row, strict=True)) for number, row in enumerate(rows)}


@given(tables, preferences, st.tuples(values, values, values))
@settings(max_examples=100, deadline=None)
def test_a_choice_is_on_the_front_and_within_the_limits(
    rows: list[tuple[float, float, float]], prefer: str, worst: tuple[float, float, float]
) -> None:
    limits = dict(zip(("gain", "error", "time_ms"), worst, strict=True))
    within = [row[0] >= worst[0] and row[1] <= worst[1] and row[2] <= worst[2] for row in rows]
    try:
        choice = choose(THREE, as_points(rows), limits=limits, prefer=prefer)
    except NoTrialLeft:
        assert not any(within)
        return
    assert within[choice.number]
    assert pareto.nondominated(loss_matrix(THREE, np.array(rows)))[choice.number]


@given(tables, preferences, st.integers(0, 2), st.integers(-20, 20))
@settings(max_examples=100, deadline=None)
def test_the_scale_of_one_objective_changes_nothing(
    rows: list[tuple[float, float, float]], prefer: str, column: int, power: int
) -> None:
    factor = np.where(np.arange(3) == column, 2.0**power, 1.0)
    scaled: Points = as_points([tuple(np.array(row) * factor) for row in rows])
    assert choose(THREE, scaled, prefer=prefer).number == choose(THREE, as_points(rows), prefer=prefer).number


@given(tables, st.tuples(values, values, values))
@settings(max_examples=100, deadline=None)
def test_every_relaxation_leaves_the_count_it_names(
    rows: list[tuple[float, float, float]], worst: tuple[float, float, float]
) -> None:
    limits = dict(zip(("gain", "error", "time_ms"), worst, strict=True))
    for way in relaxations(THREE, as_points(rows), limits=limits):
        assert way.n_freed > 0
        assert choose(THREE, as_points(rows), limits=limits | {way.name: way.relaxed}).n_left == way.n_left

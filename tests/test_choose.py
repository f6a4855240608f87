"""Limits, preferences, swaps: from a front to one trial and its reason."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moopt import pareto
from moopt.certainty import Certainty, certainty
from moopt.choose import (
    BALANCED,
    FIRST_WEIGHT,
    KNEE,
    WEIGHTED,
    Points,
    choose,
    front_of,
    parse_aspirations,
    parse_limits,
    parse_weights,
    pick,
    recommend,
    relaxations,
    representatives,
    swaps,
)
from moopt.choose.limits import apply_limits
from moopt.errors import NoTrialLeft, ObjectiveError, UsageError
from moopt.objectives import Objective, as_objectives, loss_matrix
from moopt.trial import State, StepResult, Trial

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


@pytest.mark.parametrize("prefer", [BALANCED, KNEE, "recall", "latency"])
def test_a_recommendation_is_the_choice_without_its_reason(prefer: str) -> None:
    within = apply_limits(OBJECTIVES, {"latency": 50})
    assert recommend(within, FRONT | DOMINATED, prefer=prefer) == choose(within, FRONT, prefer=prefer).number
    with pytest.raises(NoTrialLeft, match="no trial"):
        recommend(apply_limits(OBJECTIVES, {"latency": 0.1}), FRONT, prefer=prefer)


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


# Weights and aspirations with units


def test_weights_count_objectives_and_one_alone_does_as_the_preference_of_its_weight() -> None:
    assert choose(OBJECTIVES, FRONT, weights={"latency": 20}).number == 3
    weighted = choose(OBJECTIVES, FRONT, weights={"recall": FIRST_WEIGHT})
    preferred = choose(OBJECTIVES, FRONT, prefer="recall")
    assert (weighted.number, weighted.robustness) == (preferred.number, preferred.robustness)
    assert weighted.preference == WEIGHTED
    assert "is the best with the weights recall 5, out of" in weighted.reason


def test_an_aspiration_may_carry_its_unit() -> None:
    choice = choose(OBJECTIVES, FRONT, aspirations={"recall": "89 %", "latency": "4 ms"})
    assert choice.number == 5
    assert "the aspiration recall 0.89 and latency 4 ms" in choice.reason


def test_weights_and_aspirations_are_read_from_texts() -> None:
    assert parse_weights(OBJECTIVES, ["recall=2", " size = .5 "]) == {"recall": 2.0, "size_kb": 0.5}
    assert parse_aspirations(OBJECTIVES, ["accuracy>=.95", "latency<=3 ms"]) == {"accuracy": 0.95, "latency_ms": 3.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("recall:2", "the weight 'recall:2' cannot be read; give a name, = and a number, such as 'accuracy=2'"),
        ("recall=1e", "the weight 'recall=1e' has no number after ="),
        ("recal=2", "a weight is given for 'recal', which is no objective here; did you mean 'recall'"),
        ("recall=0", r"the weight of recall is 0.0; give a number above 0"),
    ],
)
def test_a_weight_that_cannot_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_weights(OBJECTIVES, [text])


def test_what_is_given_twice_or_against_each_other_is_refused() -> None:
    with pytest.raises(UsageError, match="size_kb has two weights, again by 'size_kb=3'"):
        parse_weights(OBJECTIVES, ["size=2", "size_kb=3"])
    with pytest.raises(ObjectiveError, match="recall has two aspirations, again by 'recall>=0"):
        parse_aspirations(OBJECTIVES, ["recall>=0.9", "recall>=0.8"])
    with pytest.raises(UsageError, match="weights and the preference 'recall' say the same thing twice"):
        choose(OBJECTIVES, FRONT, prefer="recall", weights={"recall": 2})
    with pytest.raises(UsageError, match="the next preference 'sise' is no objective here; expected one of: accuracy"):
        choose(OBJECTIVES, FRONT, prefer=["recall", "sise"])


# Ties


def with_folds(number: int, accuracy: float, recall: float, latency: float, size: float, noise: float = 0.02) -> Trial:
    """A complete trial of five folds, whose scores are ``noise`` apart in an order of its own."""
    wobble = noise * np.roll([-1.0, 1.0, 0.5, -0.5, 0.0], number)
    rows = [(accuracy + one, recall + one, latency, size) for one in wobble.tolist()]
    names = ("accuracy", "recall", "latency_ms", "size_kb")
    steps = {step: StepResult(dict(zip(names, row, strict=True))) for step, row in enumerate(rows)}
    values = dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))
    return Trial(number, {"x": number}, state=State.COMPLETE, n_steps=5, steps=steps, values=values)


ALIKE = [
    with_folds(0, 0.90, 0.905, 2.0, 300.0),
    with_folds(1, 0.90, 0.930, 2.2, 200.0),
    with_folds(2, 0.90, 0.900, 1.0, 400.0),
    with_folds(3, 0.70, 0.700, 0.9, 90.0),
]


def sure(trials: list[Trial]) -> Certainty:
    known = certainty(OBJECTIVES, trials)
    assert known is not None
    return known


def test_a_tie_is_not_ranked_by_its_noise_and_the_user_s_next_objective_decides() -> None:
    assert choose(OBJECTIVES, ALIKE, prefer="recall").number == 1
    fast = choose(OBJECTIVES, ALIKE, prefer=["recall", "latency"], certainty=sure(ALIKE))
    assert (fast.number, fast.tie) == (2, (0, 1, 2))
    assert "is up to noise the best with recall first" in fast.reason
    assert (
        "Trial 1 ties with trials 0, 2: they differ within noise in accuracy and recall, so costs decide: "
        "of these it is the cheapest in latency and size, latency first." in fast.reason
    )
    small = choose(OBJECTIVES, ALIKE, prefer=["recall", "size"], certainty=sure(ALIKE))
    assert small.number == 1


def test_a_tie_leaves_limits_in_force() -> None:
    choice = choose(OBJECTIVES, ALIKE, limits={"size": "350 kB"}, prefer=["recall", "latency"], certainty=sure(ALIKE))
    assert (choice.number, choice.tie) == (0, (0, 1))


def test_one_cost_decides_alone_and_without_costs_the_values_stand() -> None:
    known = certainty(OBJECTIVES[:3], ALIKE)
    choice = choose(OBJECTIVES[:3], ALIKE[:3], prefer="recall", certainty=known)
    assert "of these it is the one with the lowest latency." in choice.reason
    scores = OBJECTIVES[:2]
    several = [with_folds(0, 0.90, 0.91, 1, 1), with_folds(1, 0.91, 0.90, 1, 1)]
    choice = choose(scores, several, prefer="recall", certainty=certainty(scores, several))
    assert (choice.number, choice.tie) == (0, (0, 1))
    assert "Trial 0 ties with trial 1: they differ within noise in accuracy and recall." in choice.reason


def test_a_difference_beyond_noise_is_ranked() -> None:
    apart = [with_folds(0, 0.9, 0.95, 2.0, 300.0, noise=0.001), with_folds(1, 0.9, 0.90, 1.0, 200.0, noise=0.001)]
    choice = choose(OBJECTIVES, apart, prefer="recall", certainty=sure(apart))
    assert (choice.number, choice.tie) == (0, ())


def test_only_trials_that_are_likely_enough_are_chosen() -> None:
    known = sure(ALIKE)
    likely = {number: known.probability_of(number) or 0.0 for number in range(4)}
    assert likely[3] == 1.0
    choice = choose(OBJECTIVES, ALIKE, certainty=known, at_least_likely=1.0)
    assert choice.probability == 1.0
    assert choice.n_left == sum(one == 1.0 for one in likely.values())
    assert "It is on the front with a probability of 100 % (an estimate from 5 folds)." in choice.reason


def test_where_none_is_likely_enough_the_most_likely_is_named() -> None:
    close = [with_folds(0, 0.90, 0.90, 1.0, 1.0), with_folds(1, 0.901, 0.901, 1.0, 1.0), with_folds(2, 0.5, 0.5, 9, 9)]
    with pytest.raises(NoTrialLeft, match=r"of at least 0.999\nThe most likely is trial 1 with 0\.\d"):
        choose(OBJECTIVES, close, certainty=sure(close), at_least_likely=0.999)
    with pytest.raises(UsageError, match="at_least_likely is 80; give a probability above 0 and at most 1"):
        choose(OBJECTIVES, close, certainty=sure(close), at_least_likely=80)
    with pytest.raises(UsageError, match="is not known: that takes trials of several folds, or confirmed ones"):
        choose(OBJECTIVES, FRONT, at_least_likely=0.8)


# Representatives


def test_representatives_are_spread_over_the_front_and_a_few_are_the_first_of_many() -> None:
    line = {n: {"error": n / 10, "cost": (1 - n / 10) ** 2} for n in range(11)}
    assert representatives(TWO, line, 1) == (4,)
    many = representatives(TWO, line, 7)
    assert many[:3] == representatives(TWO, line, 3)
    assert len(set(many)) == 7
    assert set(representatives(TWO, line, 99)) == set(line)


def test_representatives_are_within_the_limits() -> None:
    assert set(representatives(OBJECTIVES, FRONT, 4, limits={"latency": "5 ms"})) == {3, 5}
    with pytest.raises(NoTrialLeft, match="Relax one limit: latency_ms"):
        representatives(OBJECTIVES, FRONT, 2, limits={"latency": "0.5 ms"})
    with pytest.raises(UsageError, match="0 representatives were asked for; give a number of at least 1"):
        representatives(OBJECTIVES, FRONT, 0)


def test_a_front_stays_what_it_is_under_other_limits() -> None:
    front = front_of(OBJECTIVES, FRONT | DOMINATED)
    limited = apply_limits(OBJECTIVES, {"latency": 5})
    again = front_of(limited, front)
    assert again.objectives == limited
    np.testing.assert_array_equal(again.numbers, front_of(limited, FRONT | DOMINATED).numbers)
    np.testing.assert_array_equal(again.scaled, front_of(limited, FRONT | DOMINATED).scaled)
    assert choose(limited, front) == choose(limited, FRONT | DOMINATED)

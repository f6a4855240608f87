"""What confirmations hold is read back typed."""

import numpy as np

from moopt import confirmed
from moopt.confirmed import Round, Score, pack_draws, unpack_draws
from moopt.trial import Confirmation

LAPTOP = {"processor": "a laptop's", "cores": 4}
SERVER = {"processor": "a server's", "cores": 64}
ROUND = {
    "median_ms": 2.0,
    "calibration_before_s": 0.1,
    "calibration_after_s": 0.11,
    "flagged": False,
    "tries": 1,
}
TIMING = {"median_ms": 2.0, "low_ms": 1.9, "high_ms": 2.2, "n": 90, "batch": 1, "percentiles": {"p90": 2.5}}
DRAWS = np.random.default_rng(0).random((500, 2)).astype(np.float32)


def a_confirmation(number: int = 3, look: int = 1, **changes: object) -> Confirmation:
    measures = {
        "scores": {
            "accuracy": {"value": 0.9, "low": 0.88, "high": 0.92, "confidence": 0.9},
            "recall": {"value": 0.5, "low": None, "high": None, "confidence": None},
        },
        "look": look,
        "n_rows": 400,
        "draws": pack_draws(DRAWS),
        "latency": {"latency_ms": {**TIMING, "rounds": [ROUND]}},
        "size_kb": 12.5,
        "rss_mb": 30.0,
        "load_s": 0.2,
        "backend": "sklearn",
        "repeats": {"accuracy": [0.89, 0.91]},
    }
    return Confirmation(number, LAPTOP, {**measures, **changes}, confirmed_at=7.0)


def test_draws_come_back_as_they_were() -> None:
    assert np.array_equal(unpack_draws(pack_draws(DRAWS), 2), DRAWS)
    assert unpack_draws(pack_draws(np.empty((0, 2))), 2).shape == (0, 2)


def test_scores_come_with_intervals_draws_and_their_look() -> None:
    found = confirmed.scored([a_confirmation()])[3]
    assert found.scores["accuracy"] == Score(0.9, 0.88, 0.92, 0.9)
    assert found.scores["recall"].low is None
    assert np.array_equal(found.draws, DRAWS)
    assert (found.look, found.n_rows) == (1, 400)


def test_a_confirmation_that_only_timed_again_leaves_the_scores_as_they_were() -> None:
    timed = Confirmation(3, SERVER, {"latency": {"latency_ms": {**TIMING, "median_ms": 1.0}}, "size_kb": 12.5}, 9.0)
    confirmations = [a_confirmation(), timed]
    assert confirmed.scored(confirmations)[3].confirmed_at == 7.0
    assert confirmed.looks(confirmations) == 1
    by_machine = confirmed.measured(confirmations)
    assert {name: found[3].latency["latency_ms"].median_ms for name, found in by_machine.items()} == {
        "a laptop's, 4 cores": 2.0,
        "a server's, 64 cores": 1.0,
    }


def test_the_latest_look_counts() -> None:
    confirmations = [a_confirmation(), a_confirmation(look=2)]
    assert confirmed.looks(confirmations) == 2
    assert confirmed.scored(confirmations)[3].look == 2
    assert confirmed.looks([]) == 0


def test_a_timing_is_flagged_where_one_of_its_rounds_is() -> None:
    busy = {**TIMING, "rounds": [ROUND, {**ROUND, "flagged": True, "tries": 3}]}
    found = confirmed.measured([a_confirmation(latency={"latency_ms": busy})])["a laptop's, 4 cores"][3]
    assert found.latency["latency_ms"].flagged
    assert found.latency["latency_ms"].rounds[0] == Round(2.0, 0.1, 0.11, False, 1)
    assert found.latency["latency_ms"].percentiles == {"p90": 2.5}
    quiet = confirmed.measured([a_confirmation()])["a laptop's, 4 cores"][3]
    assert not quiet.latency["latency_ms"].flagged


def test_repeats_are_told_by_trial() -> None:
    assert confirmed.repeats([a_confirmation()]) == {3: {"accuracy": [0.89, 0.91]}}
    assert confirmed.repeats([a_confirmation(repeats={})]) == {}

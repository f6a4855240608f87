"""Times of predict: beside other workers, and as they are kept with a step."""

import gc
import json
import threading
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from moopt.errors import ObjectiveError, StoreError
from moopt.measure.clock import Budget
from moopt.measure.latency import BUDGET, latency
from moopt.measure.samples import KEPT, samples

ROWS = np.arange(200.0).reshape(100, 2)


class FakeClock:
    """A clock of its own: each reading costs ``cost`` ns, and time is seen in steps of ``step`` ns."""

    def __init__(self, cost: int = 1, step: int = 1) -> None:
        self.now, self.cost, self.step = 0, cost, step

    def __call__(self) -> int:
        self.now += self.cost
        return self.now // self.step * self.step

    def call(self, takes: Callable[[int], int]) -> Callable[[object], None]:
        """A predict whose n-th call, the warm-up being 0, takes so many nanoseconds."""
        self.n_calls = 0

        def predict(rows: object) -> None:
            self.now += takes(self.n_calls)
            self.n_calls += 1

        return predict


def test_a_latency_is_a_low_quantile_of_the_calls():
    clock = FakeClock()
    predict = clock.call(lambda n: 1_000_000 * (1 + n % 20))
    found = latency(predict, ROWS, clock=clock, budget=Budget(40, 0, 9, 10))
    assert found.n_calls == len(found.ns) == 40
    assert found.ns.tolist() == sorted(found.ns)
    assert found.ms == pytest.approx(np.quantile(np.repeat(np.arange(1, 21), 2), 0.05), rel=1e-5)


def test_warm_up_calls_do_not_count():
    clock = FakeClock()
    predict = clock.call(lambda n: 10**9 if n < 3 else 10**6)
    found = latency(predict, ROWS, clock=clock, budget=Budget(30, 0, 9, 10, warm_up=3))
    assert found.ns.max() < 2 * 10**6


@pytest.mark.parametrize(
    ("takes_ms", "n_calls"),
    [
        (1, 60),  # .06 s
        (5, 30),  # 30 calls
        (10, 20),  # no more once .2 s are spent
        (400, 10),  # but 10
    ],
)
def test_a_search_times_enough_calls_and_no_more(takes_ms, n_calls):
    clock = FakeClock()
    found = latency(clock.call(lambda n: takes_ms * 10**6), ROWS, clock=clock)
    assert abs(found.n_calls - n_calls) <= 1
    assert found.ms == pytest.approx(takes_ms, rel=1e-3)
    assert found.n_calls >= BUDGET.fewest


def test_calls_that_are_too_short_for_the_clock_share_a_reading():
    clock = FakeClock(step=1_000)
    found = latency(clock.call(lambda n: 300), ROWS, clock=clock, budget=Budget(30, 0.001, 9, 10))
    assert found.calls_a_sample == 256
    assert found.n_calls == len(found.ns) * 256
    assert found.ms == pytest.approx(300e-6, rel=0.02)


def test_calls_that_are_long_enough_have_a_reading_each():
    clock = FakeClock(cost=200)
    assert latency(clock.call(lambda n: 10_100), ROWS, clock=clock).calls_a_sample == 1
    assert latency(clock.call(lambda n: 9_000), ROWS, clock=clock).calls_a_sample == 2


def test_calls_that_take_no_time_are_a_clear_failure():
    clock = FakeClock()
    predict = clock.call(lambda n: 0)

    def sees_no_calls() -> int:
        return 0 if clock.n_calls > 1 else clock()

    with pytest.raises(ObjectiveError, match=r"too short for this machine's clock: 65536 calls.*\nDeclare more rows"):
        latency(predict, ROWS, clock=sees_no_calls, budget=BUDGET)


def test_a_clock_that_stands_still_is_a_clear_failure():
    with pytest.raises(ObjectiveError, match="the clock stands still"):
        latency(lambda rows: None, ROWS, clock=lambda: 5)


@pytest.mark.parametrize("wrap", [np.asarray, pd.DataFrame, list, csr_array])
def test_a_batch_has_its_rows_and_they_vary(wrap):
    seen = set()

    def predict(rows: object) -> None:
        table = rows.toarray() if isinstance(rows, csr_array) else np.asarray(rows)
        assert len(table) == 16
        seen.add(float(table[0, 0]))

    latency(predict, wrap(ROWS), batch=16, budget=Budget(30, 0, 9, 10))
    assert len(seen) > 10


def test_few_rows_are_repeated_to_fill_a_batch():
    seen = set()
    latency(lambda rows: seen.add(len(rows)), np.zeros((5, 2)), batch=256, budget=Budget(30, 0, 9, 10))
    assert seen == {256}


@pytest.mark.parametrize(
    ("given", "kind"),
    [(ROWS, "array"), (pd.DataFrame(ROWS), "frame"), (ROWS.tolist(), "list"), (csr_array(ROWS), "csr_array")],
)
def test_what_a_call_is_given_is_recorded(given, kind):
    assert latency(lambda rows: None, given, budget=Budget(30, 0, 9, 10)).record()["input"] == kind


def test_waiting_is_no_service_time_on_the_search_s_own_clock():
    wakes = threading.Event()
    found = latency(lambda rows: wakes.wait(0.02), ROWS, budget=Budget(1, 0, 0, 1, warm_up=0))
    assert 0 < found.ns.min() < 20_000_000


def test_the_garbage_collector_is_off_meanwhile_and_on_again():
    states: list[bool] = []
    latency(lambda rows: states.append(gc.isenabled()), ROWS, budget=Budget(30, 0, 9, 10))
    assert not any(states[1:])
    assert gc.isenabled()


def test_the_garbage_collector_is_on_again_after_an_error():
    calls: list[int] = []

    def predict(rows: object) -> None:
        calls.append(1)
        if len(calls) > 2:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        latency(predict, ROWS)
    assert gc.isenabled()


# What a step keeps


def test_a_few_samples_are_all_kept():
    rng = np.random.default_rng(0)
    times = rng.integers(10**6, 2 * 10**6, 50).tolist()
    clock = FakeClock()
    given = iter([0, times[0], *times])
    found = latency(clock.call(lambda n: next(given) - 1), ROWS, clock=clock, budget=Budget(50, 0, 9, 10))
    details = json.loads(json.dumps({"latency": {"latency_ms": found.record()}}))
    assert samples(details, "latency_ms").tolist() == sorted(times)
    assert details["latency"]["latency_ms"]["n_calls"] == 50


def test_many_samples_are_thinned_and_the_latency_is_still_theirs():
    rng = np.random.default_rng(0)
    clock = FakeClock()
    found = latency(clock.call(lambda n: int(rng.integers(10**4, 10**5))), ROWS, clock=clock)
    back = samples({"latency": {"latency_ms": found.record()}}, "latency_ms")
    assert found.n_calls > 300
    assert len(back) == KEPT
    assert found.ms == np.quantile(back, 0.05) / 1e6
    assert back[0] < 1.1 * 10**4 < 9.9 * 10**4 < back[-1]


def test_what_is_kept_is_small_and_holds_long_times_too():
    rng = np.random.default_rng(0)
    clock = FakeClock()
    found = latency(clock.call(lambda n: int(10**6 * (1 + rng.gamma(1, 0.1)))), ROWS, clock=clock)
    assert len(json.dumps(found.record())) < 500
    slow = latency(clock.call(lambda n: 3600 * 10**9), ROWS, clock=clock)
    assert samples({"latency": {"latency_ms": slow.record()}}, "latency_ms").tolist() == slow.ns.tolist()


@pytest.mark.parametrize(
    ("details", "message"),
    [
        ({}, "the step keeps no samples of latency_ms; it has none of any latency"),
        ({"latency": {"latency_b8_ms": {}}}, "no samples of latency_ms; did you mean 'latency_b8_ms'"),
        ({"latency": {"latency_ms": {"samples": "&"}}}, "the samples '&' cannot be read: .*; the store is damaged"),
        ({"latency": {"latency_ms": {"samples": "AAAA"}}}, "cannot be read: .*; the store is damaged"),
    ],
)
def test_samples_that_are_not_there_are_a_clear_error(details, message):
    with pytest.raises(StoreError, match=message):
        samples(details, "latency_ms")

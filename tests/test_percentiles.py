"""Percentiles of times, and what they promise."""

import math

import numpy as np
import pytest

from moopt.errors import UsageError
from moopt.measure.percentiles import least_samples, median_interval, percentiles, response_times


@pytest.mark.parametrize(
    ("n", "keys"),
    [
        (0, []),
        (1, ["p50"]),
        (43, ["p50"]),
        (44, ["p50", "p90"]),
        (89, ["p50", "p90"]),
        (90, ["p50", "p90", "p95"]),
        (458, ["p50", "p90", "p95"]),
        (459, ["p50", "p90", "p95", "p99"]),
    ],
)
def test_a_percentile_wants_enough_samples(n, keys):
    assert list(percentiles(np.arange(n))) == keys


def test_how_many_samples_a_percentile_wants():
    assert [least_samples(percent) for percent in (90, 95, 99)] == [44, 90, 459]


def test_with_the_fewest_samples_the_bound_is_the_largest():
    assert percentiles(range(44))["p90"] == 43
    assert percentiles(range(459))["p99"] == 458


@pytest.mark.parametrize("n", [44, 100, 459, 1000])
def test_a_bound_holds_with_its_confidence(n):
    rng = np.random.default_rng(0)
    quantiles = {"p90": -math.log(0.1), "p95": -math.log(0.05), "p99": -math.log(0.01)}
    draws = [percentiles(rng.exponential(size=n)) for _ in range(1000)]
    for key in draws[0].keys() - {"p50"}:
        held = np.mean([one[key] >= quantiles[key] for one in draws])
        assert held >= 0.985, key


def test_a_bound_gets_closer_with_more_samples():
    rng = np.random.default_rng(0)
    few, many = (np.mean([percentiles(rng.exponential(size=n))["p90"] for _ in range(200)]) for n in (50, 2000))
    assert -math.log(0.1) < many < 2.5 < few


def test_the_order_of_samples_means_nothing_and_they_are_not_changed():
    samples = np.random.default_rng(3).exponential(size=500)
    before = samples.copy()
    assert percentiles(samples) == percentiles(np.sort(samples))
    np.testing.assert_array_equal(samples, before)


@pytest.mark.parametrize("n", [8, 31, 200])
def test_the_median_lies_in_its_interval(n):
    rng = np.random.default_rng(0)
    intervals = [median_interval(rng.exponential(size=n)) for _ in range(1000)]
    assert np.mean([low <= math.log(2) <= high for low, high in intervals]) >= 0.985


def test_an_interval_of_few_samples_is_everything():
    assert median_interval(range(7)) == (-math.inf, math.inf)
    assert median_interval(range(8)) == (0, 7)


@pytest.mark.parametrize("function", [percentiles, median_interval])
def test_nan_is_no_time(function):
    with pytest.raises(UsageError, match="a sample is NaN; give measured times only"):
        function([1.0, math.nan])


# Response times


def test_who_comes_to_a_server_of_one_time_waits_as_the_theory_says():
    found = response_times([1.0], 0.5, np.random.default_rng(0), 200_000)
    assert found.min() == 1.0
    assert found.mean() == pytest.approx(1.5, rel=0.03)  # M/D/1: 1 + rho / (2 (1 - rho))


def test_random_service_times_double_the_waiting():
    service = np.random.default_rng(1).exponential(size=20_000)
    found = response_times(service, 0.5 / service.mean(), np.random.default_rng(0), 200_000)
    assert found.mean() == pytest.approx(2 * service.mean(), rel=0.05)  # M/M/1: 1 / (1 - rho)


def test_rare_requests_wait_for_nobody():
    service = [1.0, 2.0]
    assert set(response_times(service, 1e-9, np.random.default_rng(0), 1000)) == {1.0, 2.0}


def test_more_requests_than_can_be_served_wait_for_ever():
    assert np.isinf(response_times([1.0], 1.0, np.random.default_rng(0), 10)).all()


@pytest.mark.parametrize(("service", "rate"), [([], 1.0), ([1.0], 0.0), ([1.0], math.nan)])
def test_a_server_needs_times_and_requests(service, rate):
    with pytest.raises(UsageError, match="give at least one sample, and a rate above 0"):
        response_times(service, rate, np.random.default_rng(0))

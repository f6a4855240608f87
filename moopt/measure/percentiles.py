"""Percentiles of times with their confidence; arrays only.

A percentile is claimed as the order statistic that is no lower than the true one with the stated confidence,
whatever the distribution: a bound by the binomial law of how many samples fall below it. Where there are too few
samples for any of them to be such a bound there is no percentile, after the rule of MLPerf inference
(Reddi et al. 2020, DOI 10.1109/ISCA45697.2020.00045).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from moopt.errors import UsageError

PERCENTILES = (90, 95, 99)
CONFIDENCE = 0.99
Floats = NDArray[np.float64]


def percentiles(samples: ArrayLike, confidence: float = CONFIDENCE) -> dict[str, float]:
    """``p50``, the median, and upper bounds of ``p90``, ``p95`` and ``p99`` of samples (n,), in their unit.

    At 99 % confidence p90 wants 44 samples, p95 90 and p99 459; below that its key is absent, and with no sample
    every key. Samples are taken as independent. Raises UsageError for NaN.
    """
    ordered = _ordered(samples)
    found = {"p50": float(np.median(ordered))} if len(ordered) else {}
    for percent in PERCENTILES:
        rank = _upper_rank(len(ordered), percent / 100, confidence)
        if rank is not None:
            found[f"p{percent}"] = float(ordered[rank])
    return found


def median_interval(samples: ArrayLike, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Two order statistics of samples (n,) between which the true median lies with at least this confidence.

    From minus to plus infinity where there are too few samples: 8 are the least at 99 %. Raises UsageError for NaN.
    """
    ordered = _ordered(samples)
    rank = _upper_rank(len(ordered), 0.5, (1 + confidence) / 2)
    if rank is None:
        return -math.inf, math.inf
    return float(ordered[len(ordered) - 1 - rank]), float(ordered[rank])


def least_samples(percent: float, confidence: float = CONFIDENCE) -> int:
    """How many samples a percentile wants before the largest of them bounds it with this confidence."""
    return math.ceil(math.log(1 - confidence) / math.log(percent / 100))


def response_times(service: ArrayLike, rate: float, rng: np.random.Generator, n: int = 100_000) -> Floats:
    """Times (n,) from arrival to answer of one server: requests arrive at random, ``rate`` for each unit of time.

    Service times are drawn from the samples ``service`` (k,), arrivals are a Poisson process; each request waits for
    those before it (Lindley 1952, DOI 10.1017/S0305004100027638). All infinite where requests arrive faster than
    they are served. Raises UsageError for a rate that is not above 0, for no samples and for NaN.
    """
    times = _ordered(service)
    if not len(times) or not rate > 0:
        raise UsageError(f"{len(times)} service times at rate {rate!r}; give at least one sample, and a rate above 0")
    if rate * float(times.mean()) >= 1:
        return np.full(n, math.inf)
    served = rng.choice(times, n)
    gaps = rng.exponential(1 / rate, n)
    gaps[0] = 0.0
    slack = np.cumsum(np.append(0.0, served[:-1]) - gaps)  # w[k] = max(0, w[k-1] + served[k-1] - gaps[k])
    answered: Floats = slack - np.minimum(np.minimum.accumulate(slack), 0.0) + served
    return answered


def _ordered(samples: ArrayLike) -> Floats:
    ordered = np.sort(np.asarray(samples, dtype=np.float64).ravel())
    if len(ordered) and np.isnan(ordered[-1]):
        raise UsageError("a sample is NaN; give measured times only")
    return ordered


def _upper_rank(n: int, share: float, confidence: float) -> int | None:
    """Place, from 0, of the least order statistic that is no lower than the quantile with this confidence.

    It is none while fewer than so many samples lie below the quantile: binomial(n, share) <= rank.
    """
    from scipy.stats import binom

    if not n or 1 - share**n < confidence:
        return None
    return int(binom.ppf(confidence, n, share))

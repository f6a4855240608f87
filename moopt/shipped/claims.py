"""What an export claims of its model, and the same measured again: one function measures both.

A latency is measured as in the search, on the stored sample of rows. It travels with the calibration of the machine
that measured it, so that another machine can tell what to expect.
"""

from __future__ import annotations

import importlib.metadata
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from moopt.measure.clock import timings
from moopt.measure.latency import BUDGET, QUANTILE
from moopt.measure.machine import calibration, fingerprint
from moopt.shipped.predict import ONNX, Columns, Model
from moopt.trial import Json

CLAIMS, REQUIREMENTS = "claims.json", "requirements.txt"
SAMPLE, SAMPLE_PREDICTIONS = "sample.csv", "sample_predictions.csv"
PROTOCOL = (
    f"{QUANTILE:.0%} quantile of the thread-CPU times of calls of predict, one thread, after a warm-up, on rows of "
    "sample.csv in turn, which are in memory as the runtime takes them"
)
_MOST_REQUESTS = 16


@dataclass(frozen=True)
class Claims:
    """What was measured of a model file, on one machine."""

    model: str
    """The file."""
    size_kb: float
    """Its bytes in kB (1,000 bytes)."""
    n_rows: int
    """Rows of the sample that were predicted and timed; 0 where there is none."""
    latency_ms: Mapping[str, float]
    """Objective -> milliseconds."""
    batches: Mapping[str, int]
    """Objective -> rows a call."""
    calibration_ms: float
    """Thread-CPU milliseconds of the workload by which machines are compared."""
    machine: Mapping[str, Json]
    """Its fingerprint."""
    versions: Mapping[str, str]
    """Of Python and of what the model needs to run."""
    protocol: str = PROTOCOL

    def as_json(self) -> dict[str, Json]:
        """Plain data that ``Claims.from_json`` takes back."""
        return dict(vars(self))

    @classmethod
    def from_json(cls, given: Mapping[str, Json]) -> Claims:
        """The claims of :meth:`as_json`. Raises ValueError for anything else."""
        known = {one.name for one in fields(cls)}
        if not isinstance(given, dict) or set(given) != known:
            raise ValueError(f"{CLAIMS} does not say {', '.join(sorted(known))}")
        claims = cls(**given)
        if set(claims.latency_ms) != set(claims.batches) or not claims.calibration_ms > 0:
            raise ValueError(f"{CLAIMS} has latencies without their rows a call, or without a calibration")
        return claims


def measure(name: str, content: bytes, model: Model, columns: Columns | None, batches: Mapping[str, int]) -> Claims:
    """Weigh a model file and time it on the rows of its sample, if there is one.

    ``batches`` says by objective how many rows a call has.
    """
    from threadpoolctl import threadpool_limits

    times: dict[str, float] = {}
    if columns is not None:
        with threadpool_limits(1):
            times = {objective: _latency_ms(model, columns, batch) for objective, batch in batches.items()}
    return Claims(
        model=name,
        size_kb=len(content) / 1000,
        n_rows=0 if columns is None else _n_rows(columns),
        latency_ms=times,
        batches={objective: batches[objective] for objective in times},
        calibration_ms=calibration(time.thread_time_ns),
        machine=fingerprint(),
        versions={"python": platform.python_version(), **runtime(name)},
    )


def _latency_ms(model: Model, columns: Columns, batch: int) -> float:
    requests = _requests(model, columns, batch)
    return float(np.quantile(timings(model.predict, requests, time.thread_time_ns, BUDGET).ns, QUANTILE)) / 1e6


def _requests(model: Model, columns: Columns, batch: int) -> list[Any]:
    """Up to 16 batches of rows that begin at evenly spread ones, repeated where there are fewer than a batch."""
    n = _n_rows(columns)
    starts = np.unique(np.linspace(0, max(n - batch, 0), _MOST_REQUESTS).astype(int)).tolist()
    return [
        model.rows({name: [values[(start + row) % n] for row in range(batch)] for name, values in columns.items()})
        for start in starts
    ]


def _n_rows(columns: Columns) -> int:
    return len(next(iter(columns.values())))


def runtime(name: str) -> dict[str, str]:
    """Package -> installed version of what a model file needs to run."""
    needed = ("numpy", "onnxruntime") if name == ONNX else ("numpy", "pandas", "scikit-learn", "scipy", "skops")
    return {package: importlib.metadata.version(package) for package in needed}


def requirements(name: str) -> bytes:
    """:func:`runtime` as a requirements file: a plain ``name==version`` a line."""
    return "".join(f"{package}=={version}\n" for package, version in runtime(name).items()).encode()

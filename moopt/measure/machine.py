"""The machine that something was measured on, and a fixed workload by which two machines, or two moments, compare."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Mapping
from pathlib import Path

from moopt.measure.clock import Clock
from moopt.trial import Json
from moopt.versions import versions

THREAD_SETTINGS = (
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""Variables of the environment by which native libraries choose their threads."""
_CPUINFO = Path("/proc/cpuinfo")
_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
_RUNTIMES = ("onnx", "onnxruntime", "skl2onnx")
_REPEATS = 15


def fingerprint() -> dict[str, Json]:
    """What decides a time on this machine, as JSON: no name of the host or its user.

    ``processor`` (model), ``architecture``, ``system``, ``cores`` and ``usable_cores`` (of this process),
    ``memory_mb``, ``governor`` (of the clock rate; None where it cannot be read), ``threads`` (the environment's
    settings, and the threads of each native library that is loaded), ``versions``.
    """
    import psutil

    return {
        "processor": _processor(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "usable_cores": _usable_cores(),
        "memory_mb": round(psutil.virtual_memory().total / 1e6),
        "governor": _line(_GOVERNOR),
        "threads": {"settings": _settings(os.environ), "libraries": _libraries()},
        "versions": versions(_RUNTIMES),
    }


def calibration(clock: Clock = time.perf_counter_ns) -> float:
    """Milliseconds of wall-clock that a fixed workload of one thread takes: the median of 15 repeats, .1 to .3 s in
    all.

    Half of it is the interpreter at work on integers, texts and dicts, half numpy: products of matrices, sorting,
    exponentials and gathers. A busy machine takes longer than the same machine when quiet; the quotient of two quiet
    machines' is by what a latency claim is scaled from one to the other.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        _workload()
        taken = [_timed(clock) for _ in range(_REPEATS)]
    return statistics.median(taken) / 1e6


def _timed(clock: Clock) -> int:
    start = clock()
    _workload()
    return clock() - start


def _workload() -> float:
    import numpy as np

    counts: dict[str, int] = {}
    for number in range(12_000):
        word = f"{number % 97}"
        counts[word] = counts.get(word, 0) + number * number % 31
    rows = np.linspace(0.0, 1.0, 40_000).reshape(200, 200)
    for _ in range(4):
        rows = np.sin(rows @ rows.T)
        rows = np.sort(rows, axis=1)[:, ::-1]
        rows = np.exp(-rows)[np.argsort(rows[:, 0])]
    return float(rows.sum()) + sum(counts.values())


def _processor() -> str:
    names = ("model name", "Model", "Hardware")
    fields = dict(line.split(":", 1) for line in (_read(_CPUINFO) or "").splitlines() if ":" in line)
    found = {key.strip(): value.strip() for key, value in fields.items()}
    return next((found[name] for name in names if name in found), platform.processor() or platform.machine())


def _usable_cores() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _settings(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: environment[name] for name in THREAD_SETTINGS if name in environment}


def _libraries() -> list[dict[str, Json]]:
    from threadpoolctl import threadpool_info

    keys = ("internal_api", "version", "num_threads")
    return [{key: one.get(key) for key in keys} for one in threadpool_info()]


def _line(path: Path) -> str | None:
    return (_read(path) or "").strip() or None


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None

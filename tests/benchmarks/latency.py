"""Latency as the search measures it while every core trains, against quiet references of the same run; JSON lines.

    python tests/benchmarks/latency.py [--rounds 5]

14 models on the breast-cancer data, 1 and 256 rows a call. A process a core trains without end; it is stopped (SIGSTOP)
for the quiet windows before and after each loaded one. The reference of a model and batch is the median of its quiet
wall-clock times, calls left out in which another process had this one's core (on a quiet machine there are none);
errors are |measured / reference - 1|. `user` is the mean of 20 wall-clock calls, which most people would write.
A model and batch with fewer than 20 uninterrupted calls has no reference and is not judged; `without_reference` counts
them, and a quiet machine has none. `undisturbed` is the share of quiet calls that count, and `quiet_windows` how
far the medians of all calls of single quiet windows are from the reference: both say how quiet it was. Other people's
load shows there.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.stats import kendalltau
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from moopt.measure.latency import latency, requests
from moopt.pool import WORKER_ENVIRONMENT

BATCHES = (1, 256)
QUIET_S = 0.25
OWN_SHARE = 0.95
"""A call that had less of its wall-clock time on a core was interrupted."""
FEWEST_QUIET = 20
TRAINING = """
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
rng = np.random.default_rng(0)
X = rng.normal(size=(4000, 30))
y = X[:, 0] + rng.normal(size=4000) > 0
while True:
    RandomForestClassifier(20).fit(X, y)
    HistGradientBoostingClassifier(max_iter=40).fit(X, y)
"""
BOUNDS = {"median_error": 0.05, "p90_error": 0.15, "to_user": 1 / 20, "kendall": 0.97}


def models() -> dict[str, tuple[Any, bool]]:
    """Unfitted models, and whether they are given frames."""

    def scaled(model: Any) -> Any:
        return make_pipeline(StandardScaler(), model)

    return {
        "logistic": (LogisticRegression(max_iter=5000), False),
        "scaled logistic": (scaled(LogisticRegression()), True),
        "tree": (DecisionTreeClassifier(random_state=0), False),
        "naive Bayes": (GaussianNB(), False),
        "scaled mlp": (scaled(MLPClassifier((100, 100), random_state=0)), False),
        "scaled svc": (scaled(SVC()), True),
        "scaled knn": (scaled(KNeighborsClassifier()), False),
        "forest of 10": (RandomForestClassifier(10, random_state=0), True),
        "forest of 100": (RandomForestClassifier(100, random_state=0), False),
        "extra trees of 50": (ExtraTreesClassifier(50, random_state=0), False),
        "gradient boosting": (GradientBoostingClassifier(random_state=0), False),
        "histogram boosting of 30": (HistGradientBoostingClassifier(max_iter=30, random_state=0), True),
        "histogram boosting of 200": (HistGradientBoostingClassifier(max_iter=200, random_state=0), False),
        "adaboost of 50": (AdaBoostClassifier(random_state=0), False),
    }


@dataclass
class Seen:
    """What was measured of one model and batch."""

    windows: list[float] = field(default_factory=list)
    """Medians of all calls of a quiet window, milliseconds."""
    quiet: list[float] = field(default_factory=list)
    """Quiet calls in which no other process had the core, milliseconds."""
    n_quiet: int = 0
    """All quiet calls."""
    ours: list[float] = field(default_factory=list)
    user: list[float] = field(default_factory=list)

    @property
    def reference(self) -> float | None:
        """None where the machine was never quiet for long enough."""
        return statistics.median(self.quiet) if len(self.quiet) >= FEWEST_QUIET else None


@contextmanager
def training() -> Iterator[list[subprocess.Popen[bytes]]]:
    """A process a core that trains."""
    environment = {**os.environ, **WORKER_ENVIRONMENT}
    started = [subprocess.Popen([sys.executable, "-c", TRAINING], env=environment) for _ in range(os.cpu_count() or 1)]
    time.sleep(5)
    try:
        yield started
    finally:
        for one in started:
            one.kill()
            one.wait()


def signalled(processes: list[subprocess.Popen[bytes]], number: signal.Signals) -> None:
    for one in processes:
        one.send_signal(number)
    time.sleep(0.05)


def quiet(predict: Callable[[Any], Any], rows: list[Any], seen: Seen) -> None:
    """A quiet window."""
    taken = []
    predict(rows[0])
    until = time.perf_counter() + QUIET_S
    while time.perf_counter() < until or len(taken) < 20:
        given = rows[len(taken) % len(rows)]
        start, cpu_start = time.perf_counter_ns(), time.thread_time_ns()
        predict(given)
        cpu_end, end = time.thread_time_ns(), time.perf_counter_ns()
        taken.append(((end - start) / 1e6, (cpu_end - cpu_start) / 1e6))
    seen.windows.append(statistics.median(wall for wall, _ in taken))
    seen.quiet += [wall for wall, cpu in taken if cpu > OWN_SHARE * wall]
    seen.n_quiet += len(taken)


def users_mean(predict: Callable[[Any], Any], rows: list[Any]) -> float:
    start = time.perf_counter()
    for _ in range(20):
        predict(rows[0])
    return (time.perf_counter() - start) / 20 * 1e3


def measured(rounds: int) -> dict[tuple[str, int], Seen]:
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    fitted = {}
    for name, (model, frame) in models().items():
        given = X if frame else X.to_numpy()
        fitted[name] = (model.fit(given, y).predict, given)
    found = {(name, batch): Seen() for name in fitted for batch in BATCHES}
    with training() as processes:
        for _ in range(rounds):
            for (name, batch), seen in found.items():
                predict, given = fitted[name]
                rows = requests(given, batch)
                signalled(processes, signal.SIGSTOP)
                quiet(predict, rows, seen)
                signalled(processes, signal.SIGCONT)
                seen.user.append(users_mean(predict, rows))
                seen.ours.append(latency(predict, given, batch).ms)
                signalled(processes, signal.SIGSTOP)
                quiet(predict, rows, seen)
                signalled(processes, signal.SIGCONT)
    return found


def errors(taken: list[list[float]], references: list[float]) -> dict[str, float]:
    """Of estimates by model and round."""
    found = [abs(one / reference - 1) for row, reference in zip(taken, references, strict=True) for one in row]
    return {"median_error": float(np.median(found)), "p90_error": float(np.quantile(found, 0.9))}


def kendall(taken: list[list[float]], references: list[float]) -> float:
    """Mean over the rounds."""
    return float(np.mean([kendalltau(one, references).statistic for one in zip(*taken, strict=True)]))


def judged(everything: list[Seen]) -> dict[str, Any]:
    known = [(one, one.reference) for one in everything if one.reference is not None]
    found, references = [one for one, _ in known], [reference for _, reference in known]
    ours, windows = [one.ours for one in found], [one.windows for one in found]
    got = errors(ours, references)
    user = errors([one.user for one in found], references)
    return {
        **got,
        "to_user": got["median_error"] / user["median_error"],
        "kendall": kendall(ours, references),
        "user": user,
        "without_reference": len(everything) - len(found),
        "undisturbed": sum(len(one.quiet) for one in everything) / sum(one.n_quiet for one in everything),
        "quiet_windows": {**errors(windows, references), "kendall": kendall(windows, references)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = measured(rounds)
    for (name, batch), seen in found.items():
        show(
            model=name,
            batch=batch,
            reference_ms=seen.reference,
            undisturbed=len(seen.quiet) / seen.n_quiet,
            ours_ms=seen.ours,
            user_ms=seen.user,
        )
    for batch in BATCHES:
        show(batch=batch, **judged([seen for (_, one), seen in found.items() if one == batch]))
    show(batch="both", rounds=rounds, models=len(models()), **judged(list(found.values())), bounds=BOUNDS)


def show(**line: Any) -> None:
    print(json.dumps({"benchmark": "latency", **rounded(line)}), flush=True)


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()

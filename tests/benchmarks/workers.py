"""How busy two workers are on fits that differ tenfold, and what a task costs over the pool; JSON lines.

    python tests/benchmarks/workers.py [--trials 120] [--longest-ms 1000] [--rounds 3]

A fit is a loop of Python of a fixed CPU cost, 1 to 10 tenths of the longest, drawn by the config; nothing sleeps.
Each step tells when it began and ended by a clock that all processes of a machine share. A worker is busy from the
beginning to the end of its steps; the time counts from when every worker has begun its first step to when the first
worker has nothing left to begin.
The machine must have nothing else to do.
"""

import argparse
import json
import math
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import moopt
from moopt.pool import ProcessPool
from moopt.trial import Config, StepResult

N_WORKERS = 2


def spin(rounds: int) -> float:
    """A fixed amount of work in Python."""
    total = 0.0
    for number in range(rounds):
        total += math.sqrt(number)
    return total


def rounds_per_second() -> float:
    """Of this machine, measured over half a second."""
    rounds, began = 0, time.process_time()
    while (spent := time.process_time() - began) < 0.5:
        spin(20_000)
        rounds += 20_000
    return rounds / spent


class Fits:
    """An evaluator of one step whose cost is the config's ``x``, 1 to 10 tenths of the longest."""

    n_steps = 1

    def __init__(self, longest_rounds: float) -> None:
        self.longest_rounds = longest_rounds

    def __call__(self, config: Config, step: int) -> tuple[StepResult, ...]:  # noqa: ARG002 - an evaluator's
        began = time.clock_gettime(time.CLOCK_MONOTONIC)
        x = float(config["x"])
        spin(int(self.longest_rounds * x))
        ended = time.clock_gettime(time.CLOCK_MONOTONIC)
        details = {"worker": os.getpid(), "began": began, "ended": ended}
        return (StepResult({"loss": (x - 0.3) ** 2, "cost": x}, details=details),)


SEARCHES: dict[str, dict[str, Any]] = {
    "nsga2, no surrogate": {"algorithm": "nsga2", "surrogate": "none"},
    "moead, no surrogate": {"algorithm": "moead", "surrogate": "none"},
    "random": {"algorithm": "random"},
    # A proposal of a model takes a tenth of a second of one core, so the shortest fits cannot keep two workers busy.
    "nsga2": {"algorithm": "nsga2"},
    "moead": {"algorithm": "moead"},
}


def busy_share(
    store: Path | None, n_trials: int, longest_rounds: float, search: dict[str, Any], seed: int
) -> dict[str, float]:
    """Run a study on two workers; the busy share of their time, and the longest pause between two steps of one."""
    space = {"x": (0.1, 1.0), "y": (0.0, 1.0)}
    study = moopt.create_study(
        "busy", space, [moopt.Objective("loss"), moopt.Objective("cost")], store=store, seed=seed, **search
    )
    study.optimize(Fits(longest_rounds), n_trials=n_trials, n_jobs=N_WORKERS)
    done = [result.details for trial in study.store.trials("busy") for result in trial.steps.values()]
    workers = {detail["worker"] for detail in done}
    spans = {
        worker: sorted((one["began"], one["ended"]) for one in done if one["worker"] == worker) for worker in workers
    }
    start = max(span[0][0] for span in spans.values())
    end = min(span[-1][1] for span in spans.values())
    busy = sum(max(0.0, min(ended, end) - max(began, start)) for span in spans.values() for began, ended in span)
    pauses = [later[0] - earlier[1] for span in spans.values() for earlier, later in pairwise(span)]
    return {
        "busy_share": busy / (N_WORKERS * (end - start)),
        "seconds": end - start,
        "pause_ms_median": 1000 * statistics.median(pauses),
        "pause_ms_longest": 1000 * max(pauses),
    }


def ms_a_task(make: Callable[[], Executor], n_tasks: int = 500) -> float:
    """Wall-clock milliseconds a task that does nothing costs, one after another."""
    with make() as executor:
        for _ in range(20):
            executor.submit(abs, -1).result()
        began = time.perf_counter()
        for _ in range(n_tasks):
            executor.submit(abs, -1).result()
        return 1000 * (time.perf_counter() - began) / n_tasks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=120)
    parser.add_argument("--longest-ms", type=float, default=1000.0)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    longest_rounds = rounds_per_second() * given.longest_ms / 1000
    for name, search in SEARCHES.items():
        shares = []
        for seed in range(given.rounds):
            with TemporaryDirectory() as folder:
                found = busy_share(Path(folder) / "busy.db", given.trials, longest_rounds, search, seed)
            shares.append(found["busy_share"])
            print(json.dumps({"benchmark": "workers", "search": name, "seed": seed, **found}), flush=True)
        least = {"busy_share_median": statistics.median(shares), "goal": 0.95, "load_1min": os.getloadavg()[0]}
        print(json.dumps({"benchmark": "workers", "search": name, **least}), flush=True)
    ours = ms_a_task(lambda: ProcessPool(1))
    peer = ms_a_task(lambda: ProcessPoolExecutor(1, mp_context=get_context("spawn")))
    print(json.dumps({"benchmark": "task", "ms": ours, "standard_pool_ms": peer, "ratio": ours / peer, "goal_ms": 4}))


if __name__ == "__main__":
    main()

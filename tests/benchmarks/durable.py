"""What a durable trial costs: our SQLite store beside Optuna's, in turn, in one run; JSON lines.

    python tests/benchmarks/durable.py [--trials 400] [--rounds 5]

Each side runs the same number of trials (12 hyperparameters, 4 objectives, a function that costs nothing, random
search) once in memory and once on disk; what the disk adds is the cost of the store.
"""

import argparse
import json
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import moopt
from moopt.store import open_store

NAMES = [f"x{k}" for k in range(12)]
OBJECTIVES = [moopt.Objective(f"f{k}") for k in range(4)]


def values(config: dict[str, float]) -> list[float]:
    return [abs(config[NAMES[k]] - 0.5) + config[NAMES[k + 4]] for k in range(4)]


def ours(n_trials: int, folder: Path | None) -> None:
    store = None if folder is None else folder / "ours.db"
    study = moopt.create_study(
        "s", dict.fromkeys(NAMES, (0.0, 1.0)), OBJECTIVES, algorithm="random", store=store, seed=0
    )
    study.optimize(
        lambda config: dict(zip([o.name for o in OBJECTIVES], values(config), strict=True)), n_trials=n_trials
    )
    study.store.close()


def optunas(n_trials: int, folder: Path | None) -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        directions=["minimize"] * 4,
        sampler=optuna.samplers.RandomSampler(seed=0),
        storage=None if folder is None else f"sqlite:///{folder / 'optuna.db'}",
    )
    study.optimize(lambda trial: values({name: trial.suggest_float(name, 0, 1) for name in NAMES}), n_trials=n_trials)


def cost(run: Callable[[int, Path | None], None], n_trials: int, folder: Path | None) -> tuple[float, float]:
    """CPU and wall-clock microseconds a trial, without what a run of one trial costs."""
    taken = []
    for trials in (1, n_trials + 1):
        cpu, wall = time.process_time(), time.perf_counter()
        if folder is None:
            run(trials, None)
        else:
            with tempfile.TemporaryDirectory(dir=folder) as fresh:
                run(trials, Path(fresh))
        taken.append((time.process_time() - cpu, time.perf_counter() - wall))
    (cpu_1, wall_1), (cpu_n, wall_n) = taken
    return (cpu_n - cpu_1) / n_trials * 1e6, (wall_n - wall_1) / n_trials * 1e6


def settings(folder: Path) -> dict[str, Any]:
    """What SQLite says of the connection that our store writes with."""
    store: Any = open_store(folder / "settings.db")
    with store._database.writing() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        }
    store.close()
    return {**found, "synchronous_means": "FULL is 2"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    warnings.filterwarnings("ignore", module="optuna")
    added: dict[str, list[tuple[float, float]]] = {"moopt": [], "optuna": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(given.rounds):
            for name, run, trials in (("moopt", ours, given.trials), ("optuna", optunas, max(20, given.trials // 8))):
                memory, disk = cost(run, trials, None), cost(run, trials, Path(folder))
                added[name].append((disk[0] - memory[0], disk[1] - memory[1]))
        for name, pairs in added.items():
            cpu, wall = zip(*pairs, strict=True)
            line = {
                "store": name,
                "cpu_us_a_trial": round(statistics.median(cpu)),
                "min": round(min(cpu)),
                "max": round(max(cpu)),
            }
            print(json.dumps({**line, "wall_us_a_trial": round(statistics.median(wall))}))
        ratios = [ours_cpu / optuna_cpu for (ours_cpu, _), (optuna_cpu, _) in zip(*added.values(), strict=True)]
        print(
            json.dumps(
                {
                    "benchmark": "durable",
                    "cpu_ratio": round(statistics.median(ratios), 4),
                    "bound": round(1 / 30, 4),
                    **settings(Path(folder)),
                }
            )
        )


if __name__ == "__main__":
    main()

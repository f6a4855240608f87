"""What a durable trial costs: our SQLite store beside Optuna's, in turn, in one run; JSON lines.

    python tests/benchmarks/durable.py [--trials 400] [--rounds 5]

Each side runs the same objectives on the same hyperparameters (12, of which 5 log floats, 3 integers, 3 choices and a
flag; 4 objectives that cost nothing; random search), once in memory and once on disk: what the disk adds is the cost
of the store. The figures are the median of the rounds. Optuna runs an eighth of the trials, where it is fastest: a
trial of its costs more the more there are.
"""

import argparse
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna

import moopt
from moopt.store.engine import sqlite_engine

FLOATS = [f"float{k}" for k in range(5)]
INTEGERS = [f"integer{k}" for k in range(3)]
CHOICES = [f"choice{k}" for k in range(3)]
LEVELS = ["a", "b", "c", "d"]
LOW, HIGH, MOST = 1e-4, 1e2, 50
NAMES = [f"f{k}" for k in range(4)]
BOUND = 1 / 30


def losses(config: dict[str, Any]) -> list[float]:
    x = [math.log10(config[name]) for name in FLOATS]
    return [abs(x[k] - x[k + 1]) + config[INTEGERS[k % 3]] / MOST for k in range(4)]


def ours(n_trials: int, folder: Path | None) -> None:
    from ConfigSpace import Float

    space: dict[str, Any] = {name: Float(name, (LOW, HIGH), log=True) for name in FLOATS}
    space |= dict.fromkeys(INTEGERS, (1, MOST)) | dict.fromkeys(CHOICES, LEVELS) | {"flag": [True, False]}
    study = moopt.create_study(
        "s",
        space,
        [moopt.Objective(name) for name in NAMES],
        algorithm="random",
        store=None if folder is None else folder / "ours.db",
        seed=0,
    )
    study.optimize(lambda config: dict(zip(NAMES, losses(config), strict=True)), n_trials=n_trials)
    study.store.close()


def optunas(n_trials: int, folder: Path | None) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = None if folder is None else optuna.storages.RDBStorage(f"sqlite:///{folder / 'optuna.db'}")
    study = optuna.create_study(
        directions=["minimize"] * len(NAMES), sampler=optuna.samplers.RandomSampler(seed=0), storage=storage
    )

    def objective(trial: optuna.Trial) -> list[float]:
        config: dict[str, Any] = {name: trial.suggest_float(name, LOW, HIGH, log=True) for name in FLOATS}
        config |= {name: trial.suggest_int(name, 1, MOST) for name in INTEGERS}
        config |= {name: trial.suggest_categorical(name, LEVELS) for name in CHOICES}
        trial.suggest_categorical("flag", [True, False])
        return losses(config)

    study.optimize(objective, n_trials=n_trials)


Run = Callable[[int, Path | None], None]


def cost(run: Run, n_trials: int, folder: Path | None) -> tuple[float, float]:
    """CPU and wall-clock microseconds a trial, without what a run of one trial costs."""
    taken = []
    for trials in (1, n_trials + 1):
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            cpu, wall = time.process_time(), time.perf_counter()
            run(trials, None if folder is None else Path(fresh))
            taken.append((time.process_time() - cpu, time.perf_counter() - wall))
    (cpu_1, wall_1), (cpu_n, wall_n) = taken
    return (cpu_n - cpu_1) / n_trials * 1e6, (wall_n - wall_1) / n_trials * 1e6


def added(run: Run, n_trials: int, folder: Path) -> tuple[float, float]:
    """What the disk adds to CPU and wall-clock microseconds a trial."""
    memory, disk = cost(run, n_trials, None), cost(run, n_trials, folder)
    return disk[0] - memory[0], disk[1] - memory[1]


def settings(folder: Path) -> dict[str, Any]:
    """What SQLite says of a connection that our store writes with; synchronous=2 is FULL."""
    (folder / "settings.db").touch()
    engine = sqlite_engine(folder / "settings.db", "rw")
    with engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        }
    engine.dispose()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    sides: dict[str, tuple[Run, int]] = {"moopt": (ours, given.trials), "optuna": (optunas, max(20, given.trials // 8))}
    rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(given.rounds):
            for name, (run, n_trials) in sides.items():
                rounds[name].append(added(run, n_trials, Path(folder)))
        found = settings(Path(folder))
    median = {}
    for name, pairs in rounds.items():
        cpu, wall = ([round(value) for value in side] for side in zip(*pairs, strict=True))
        median[name] = statistics.median(cpu), statistics.median(wall)
        show(
            store=name, trials=sides[name][1], cpu_us_a_trial=median[name][0], wall_us_a_trial=median[name][1], cpu=cpu
        )
    cpu_ratio, wall_ratio = (mine / theirs for mine, theirs in zip(median["moopt"], median["optuna"], strict=True))
    show(cpu_ratio=round(cpu_ratio, 4), bound=round(BOUND, 4), wall_ratio=round(wall_ratio, 4), **found)


def show(**line: Any) -> None:
    print(json.dumps({"benchmark": "durable", **line}), flush=True)


if __name__ == "__main__":
    main()

"""What early stopping saves and what it loses, replayed on recorded folds; JSON lines.

    python tests/benchmarks/early_stopping.py [--tables FILE...] [--forgiving 1 1.5 2] [--seeds 10]

A table holds five folds of accuracy and recall, the latency and the size of every config of a space (see
``tables.py`` in the folder of shared tools). For each seed 200 random configs are run in random order by the engine
itself, each fold looked up; the order is the same for every value, so a run differs from that without early stopping in
nothing else. A line a table and value, means over the seeds: the share of the folds saved, of the front's hypervolume
lost, and of the front's points lost; then their means over the tables.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import moopt
from moopt import pareto
from moopt.objectives import Floats, loss_matrix
from moopt.stopping import FORGIVING
from moopt.trial import State, StepResult

SHARED = Path(__file__).resolve().parents[3] / "shared"
FOLDS = 5
OBJECTIVES = (
    moopt.Objective("accuracy", "maximize"),
    moopt.Objective("recall", "maximize"),
    moopt.Objective("latency_ms", log=True),
    moopt.Objective("size_kb", log=True),
)


class Replay:
    """An evaluator that looks its results up."""

    n_steps = FOLDS

    def __init__(self, task: Any) -> None:
        self._task = task

    def __call__(self, config: Mapping[str, Any], step: int) -> tuple[StepResult, ...]:
        row = self._task.frame.iloc[self._task.row(config)]
        values = {name: float(row[f"{name}_{step + 1}"]) for name in ("accuracy", "recall")}
        costs = {"latency_ms": row["latency_1_us"] / 1e3, "size_kb": row["size_bytes"] / 1e3}
        return (StepResult({**values, **{name: float(value) for name, value in costs.items()}}),)


def random_configs(task: Any, n: int, seed: int) -> list[dict[str, Any]]:
    """Different ones."""
    space = task.space
    space.seed(seed)
    found: dict[int, dict[str, Any]] = {}
    while len(found) < n:
        config = {name: str(value) for name, value in dict(space.sample_configuration()).items()}
        found.setdefault(task.row(config), config)
    return list(found.values())


def run(task: Any, configs: Sequence[Mapping[str, Any]], early_stopping: bool | float) -> list[moopt.trial.Trial]:
    study = moopt.create_study(
        "s", task.space, OBJECTIVES, algorithm="random", seed=0, n_steps=FOLDS, defaults=[], start=configs
    )
    study.optimize(Replay(task), n_trials=len(configs), early_stopping=early_stopping)
    return study.store.trials("s")


def losses_of(trials: Sequence[moopt.trial.Trial]) -> Floats:
    return loss_matrix(OBJECTIVES, np.array([[trial.values[one.name] for one in OBJECTIVES] for trial in trials]))


def compared(whole: Sequence[moopt.trial.Trial], stopped: Sequence[moopt.trial.Trial]) -> dict[str, float]:
    """What the run with early stopping saved and lost against the one without; the trials are the same."""
    losses = losses_of(whole)
    front = pareto.nondominated(losses)
    ideal, nadir = pareto.ideal_nadir(losses[front])
    kept = np.array([trial.state is State.COMPLETE for trial in stopped])
    volume = pareto.hypervolume(losses, ideal, nadir)
    return {
        "folds_saved": 1 - sum(len(trial.steps) for trial in stopped) / sum(len(trial.steps) for trial in whole),
        "hypervolume_lost": 1 - pareto.hypervolume(losses[kept], ideal, nadir) / volume,
        "front_points_lost": float((front & ~kept).sum() / front.sum()),
    }


def mean(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: round(float(np.mean([one[name] for one in figures])), 5) for name in figures[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, nargs="+", default=sorted((SHARED / "data" / "tables").glob("*.csv.gz")))
    parser.add_argument("--forgiving", type=float, nargs="+", default=[1.0, FORGIVING, 2.0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=200)
    arguments = parser.parse_args()
    if not arguments.tables:
        parser.error("there is no table; give --tables FILE...")
    sys.path.insert(0, str(SHARED / "tools"))
    from tables import load_table

    found: dict[float, list[dict[str, float]]] = {value: [] for value in arguments.forgiving}
    for path in arguments.tables:
        task = load_table(path.name.removesuffix(".csv.gz"), path.parent)
        of_table: dict[float, list[dict[str, float]]] = {value: [] for value in arguments.forgiving}
        for seed in range(arguments.seeds):
            configs = random_configs(task, arguments.trials, seed)
            whole = run(task, configs, early_stopping=False)
            for value in arguments.forgiving:
                of_table[value].append(compared(whole, run(task, configs, early_stopping=value)))
        for value, figures in of_table.items():
            found[value].append(mean(figures))
            print(
                json.dumps({"table": task.name, "forgiving": value, "seeds": len(figures), **found[value][-1]}),
                flush=True,
            )
    for value, of_tables in found.items():
        print(json.dumps({"table": "all", "forgiving": value, "tables": len(of_tables), **mean(of_tables)}), flush=True)


if __name__ == "__main__":
    main()

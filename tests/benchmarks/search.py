"""Search quality: hypervolume of all that was evaluated, ours beside random search, pymoo and Optuna; resumable.

    python tests/benchmarks/search.py run results.jsonl --roles report --seeds 5 --budget 200
    python tests/benchmarks/search.py show results.jsonl --chart search.html

``run`` appends one JSON line a task, method and seed and leaves out those that are there. Tasks are those of the
folder `shared` beside the checkout (or ``--shared``): neural surrogates of real tuning runs and tables of measured
configs; where it is absent two bundled analytic ones. Every method starts with the space's default config and sees the
same losses, logarithms taken. Optuna gets conditional spaces define-by-run, GPSampler and pymoo their flat form.
"""

import argparse
import json
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from search_methods import METHODS, Task, known_methods  # noqa: E402 - the path comes first

from moopt import pareto  # noqa: E402
from moopt.space import Space  # noqa: E402

CHECKPOINTS = (25, 50, 75, 100, 150, 200, 300)
GOALS = (0.97, 0.99)

Row = Mapping[str, Any]


# Tasks


def tasks(shared: Path) -> Iterator[Task]:
    if not shared.is_dir():
        yield from bundled()
        return
    sys.path.insert(0, str(shared / "tools"))
    import tables
    import yahpo

    for key in yahpo.TASKS:
        yield surrogate_task(yahpo, key)
    for path in sorted((shared / "data" / "tables").glob("*.csv.gz")):
        yield table_task(tables, path.name.removesuffix(".csv.gz"), path.parent)


def surrogate_task(yahpo: Any, key: Any) -> Task:
    task = key.load()
    reference = yahpo.load_reference(task)

    def losses(config: Mapping[str, Any]) -> np.ndarray:
        return np.asarray(task.scale(task.evaluate_many([config]))[0])

    def share(told: np.ndarray) -> float:
        return float(yahpo.hypervolume(told, reference.ideal, reference.nadir) / reference.volume)

    return Task(task.name, key.role, Space(task.space), len(task.objectives), losses, share)


def table_task(tables: Any, name: str, folder: Path) -> Task:
    table = tables.load_table(name, folder)
    role = "tune" if name == "adult" else "report"
    front = table.losses[pareto.nondominated(table.losses)]
    ideal, nadir = pareto.ideal_nadir(front)
    whole = pareto.hypervolume(front, ideal, nadir)

    def losses(config: Mapping[str, Any]) -> np.ndarray:
        return np.asarray(table.evaluate_many([config])[0])

    return Task(
        f"table-{name}",
        role,
        Space(table.space),
        front.shape[1],
        losses,
        lambda told: pareto.hypervolume(told, ideal, nadir) / whole,
    )


def bundled() -> Iterator[Task]:
    from tests.problems import families, switch

    for make in (families, switch):
        problem = make()

        def losses(config: Mapping[str, Any], problem: Any = problem) -> np.ndarray:
            return np.array(problem.losses(config))

        def share(told: np.ndarray, problem: Any = problem) -> float:
            return pareto.hypervolume(told, problem.ideal, problem.nadir) / 1.1**problem.n_objectives

        yield Task(make.__name__, "report", problem.space, problem.n_objectives, losses, share)


# Running


@dataclass(frozen=True)
class Measured:
    shares: list[float]
    cpu_ms: list[float]
    distinct: int


def measure(task: Task, method: str, seed: int, budget: int) -> Measured:
    """Hypervolume after each evaluation, and the CPU time that each proposal took."""
    told: list[np.ndarray] = []
    shares, cpu, keys = [], [], set()
    search, answer = METHODS[method](task, seed), None
    for _ in range(budget):
        start = time.process_time()
        config = search.send(answer)
        cpu.append(1e3 * (time.process_time() - start))
        keys.add(task.space.key(config))
        answer = task.losses(config)
        told.append(answer)
        front = pareto.nondominated(np.array(told))
        if front[-1]:
            told = [row for row, kept in zip(told, front, strict=True) if kept]
            shares.append(task.share(np.array(told)))
        else:
            told.pop()
            shares.append(shares[-1])
    return Measured(shares, cpu, len(keys))


def run(file: Path, chosen: Iterable[Task], methods: list[str], seeds: Iterable[int], budget: int) -> None:
    done = {(row["task"], row["method"], row["seed"]) for row in read(file) if len(row["shares"]) >= budget}
    everything = list(chosen)
    for seed in seeds:
        for task in everything:
            for method in methods:
                if (task.name, method, seed) in done:
                    continue
                found = measure(task, method, seed, budget)
                row = {
                    "task": task.name,
                    "role": task.role,
                    "method": method,
                    "seed": seed,
                    "distinct": found.distinct,
                    "cpu_ms": {k: round(float(np.mean(found.cpu_ms[k - 10 : k])), 2) for k in reached(budget)},
                    "shares": [round(share, 5) for share in found.shares],
                }
                with file.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(row) + "\n")
                at = {k: round(found.shares[k - 1], 3) for k in reached(budget)}
                print(task.name, method, seed, at, f"{np.mean(found.cpu_ms):.1f} ms", flush=True)


def reached(budget: int) -> list[int]:
    return [k for k in CHECKPOINTS if k <= budget] or [budget]


def read(file: Path) -> list[Row]:
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


# Showing


def show(rows: list[Row], ours: str) -> None:
    """Means, ranks and paired wins over the tasks and seeds that all methods have; JSON lines."""
    for role in sorted({row["role"] for row in rows}):
        by_pair: dict[tuple[str, int], dict[str, Row]] = defaultdict(dict)
        for row in rows:
            if row["role"] == role:
                by_pair[row["task"], row["seed"]][row["method"]] = row
        methods = sorted({method for pair in by_pair.values() for method in pair})
        pairs = [pair for pair in by_pair.values() if len(pair) == len(methods)]
        if not pairs:
            print(f"{role}: no task and seed that all of {', '.join(methods)} have")
            continue
        n = min(len(row["shares"]) for pair in pairs for row in pair.values())
        at = reached(n)
        # (pairs, methods, checkpoints)
        shares = np.array([[[pair[method]["shares"][k - 1] for k in at] for method in methods] for pair in pairs])
        ranks = 1 + (shares[:, None] > shares[:, :, None] + 1e-12).sum(axis=2)
        seeds = sorted({seed for _, seed in by_pair})
        for place, method in enumerate(methods):
            own = shares[:, place]
            of_seed = [own[[pair[method]["seed"] == seed for pair in pairs]].mean(axis=0) for seed in seeds]
            line = {
                "role": role,
                "method": method,
                "pairs": len(pairs),
                "hypervolume": labelled(at, own.mean(axis=0)),
                "sd_over_seeds": labelled(at, np.std(of_seed, axis=0)),
                "rank": labelled(at, ranks[:, place].mean(axis=0)),
                "cpu_ms": labelled(
                    at, np.mean([[pair[method]["cpu_ms"][str(k)] for k in at] for pair in pairs], axis=0)
                ),
                "distinct": round(float(np.mean([pair[method]["distinct"] for pair in pairs])), 1),
            }
            if ours in methods and method != ours:
                mine = shares[:, methods.index(ours)]
                line[f"{ours}_wins"] = labelled(at, (mine > own).mean(axis=0))
                line[f"{ours}_loses"] = labelled(at, (mine < own).mean(axis=0))
            line["evaluations_on_tables"] = {str(goal): to_goal(pairs, method, goal) for goal in GOALS}
            print(json.dumps(line))


def labelled(at: list[int], values: np.ndarray) -> dict[str, float]:
    return {str(k): round(float(value), 3) for k, value in zip(at, values, strict=True)}


def to_goal(pairs: list[dict[str, Row]], method: str, goal: float) -> float | None:
    """Mean evaluations until a table's share is reached, the budget's end where it never is."""
    tables = [pair[method]["shares"] for pair in pairs if pair[method]["task"].startswith("table-")]
    counts = [next((k for k, share in enumerate(shares, start=1) if share >= goal), len(shares)) for shares in tables]
    return round(float(np.mean(counts)), 1) if counts else None


def chart(rows: list[Row], file: Path) -> None:
    """Mean hypervolume by evaluations, a line a method."""
    import altair as alt
    import pandas as pd

    frame = pd.DataFrame(
        (row["role"], row["method"], k, share) for row in rows for k, share in enumerate(row["shares"], start=1)
    )
    frame.columns = pd.Index(["role", "method", "evaluations", "hypervolume"])
    means = frame.groupby(["role", "method", "evaluations"], as_index=False)["hypervolume"].mean()
    lines = alt.Chart(means).mark_line().encode(x="evaluations", y="hypervolume", color="method", column="role")
    lines.save(str(file))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    runs = verbs.add_parser("run")
    runs.add_argument("file", type=Path)
    runs.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    runs.add_argument("--roles", nargs="+", default=["tune", "report"])
    runs.add_argument("--tasks", nargs="+", help="names, all where left out")
    runs.add_argument("--methods", nargs="+", default=known_methods(), choices=known_methods())
    runs.add_argument("--seeds", type=int, default=5)
    runs.add_argument("--first-seed", type=int, default=0)
    runs.add_argument("--budget", type=int, default=200)
    shows = verbs.add_parser("show")
    shows.add_argument("file", type=Path)
    shows.add_argument("--ours", default="nsga2")
    shows.add_argument("--chart", type=Path)
    given = parser.parse_args()
    if given.verb == "show":
        show(read(given.file), given.ours)
        if given.chart:
            chart(read(given.file), given.chart)
        return
    warnings.filterwarnings("ignore", module="optuna")
    chosen = [
        task
        for task in tasks(given.shared)
        if task.role in given.roles and (not given.tasks or task.name in given.tasks)
    ]
    run(given.file, chosen, given.methods, range(given.first_seed, given.first_seed + given.seeds), given.budget)


if __name__ == "__main__":
    main()

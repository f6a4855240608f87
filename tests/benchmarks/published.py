"""jMetal's ZDT table with our NSGA-II and MOEA/D: medians of the final population's hypervolume; JSON lines.

    python tests/benchmarks/published.py results.jsonl [--seeds 10] [--algorithms nsga2 moead] [--problems ZDT1 ...]

Population 100, 25,000 evaluations; NSGA-II with SBX and polynomial mutation, MOEA/D with differential evolution,
T 20, nr 2, Tchebycheff. Scored as the table is: the front of the final population, normalised by the true front's
ideal and nadir, reference point (1, 1). One line a run is added to the file, and runs that it has already are left
out, so that the program may be stopped and called again. The last lines, on the screen alone, hold our medians
against the published ones.

The problems: Zitzler, Deb and Thiele 2000, doi:10.1162/106365600568202. The table: jMetal's ZDT study (25 runs).
`--operators auto` scores the operators made for hyperparameters instead.
"""

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import moocore
import numpy as np
from ConfigSpace import Float

from moopt.searchers import make_searcher, search_options
from moopt.searchers.base import Observation, Pending, Proposal
from moopt.space import Space, as_space
from moopt.trial import State

EVALUATIONS, POPULATION = 25_000, 100
OPERATORS = {"nsga2": "sbx", "moead": "de"}
SLACK = {"nsga2": 0.0015, "moead": 0.0}
"""How much less than the published median still passes."""


@dataclass(frozen=True)
class ZDT:
    """One problem with two losses."""

    d: int
    low: float
    high: float
    """Range of all variables but the first, which is a share."""
    losses: Callable[[list[float]], tuple[float, float]]
    ideal: tuple[float, float]
    nadir: tuple[float, float]
    published: dict[str, float]

    def space(self) -> Space:
        ranges = [(0.0, 1.0)] + [(self.low, self.high)] * (self.d - 1)
        return as_space({f"x{k:02d}": Float(f"x{k:02d}", ends) for k, ends in enumerate(ranges)})

    def hypervolume(self, losses: np.ndarray) -> float:
        scaled = (losses - self.ideal) / np.subtract(self.nadir, self.ideal)
        return float(moocore.hypervolume(scaled, ref=[1.0, 1.0]))


def linear(x: list[float]) -> float:
    return 1 + 9 * sum(x[1:]) / (len(x) - 1)


def zdt1(x: list[float]) -> tuple[float, float]:
    g = linear(x)
    return x[0], g - math.sqrt(x[0] * g)


def zdt2(x: list[float]) -> tuple[float, float]:
    g = linear(x)
    return x[0], g - x[0] ** 2 / g


def zdt3(x: list[float]) -> tuple[float, float]:
    g = linear(x)
    return x[0], g - math.sqrt(x[0] * g) - x[0] * math.sin(10 * math.pi * x[0])


def zdt4(x: list[float]) -> tuple[float, float]:
    g = 1 + 10 * (len(x) - 1) + sum(value * value - 10 * math.cos(4 * math.pi * value) for value in x[1:])
    return x[0], g - math.sqrt(x[0] * g)


def zdt6(x: list[float]) -> tuple[float, float]:
    first = 1 - math.exp(-4 * x[0]) * math.sin(6 * math.pi * x[0]) ** 6
    g = 1 + 9 * (sum(x[1:]) / (len(x) - 1)) ** 0.25
    return first, g - first**2 / g


# The ends of the fronts of ZDT3 and ZDT6 are where their first loss is least for ZDT6, and where the last of five
# pieces has its minimum for ZDT3.
ZDT3_END, ZDT3_LEAST = 0.8518328654, -0.7733690123
ZDT6_START = 0.2807753191

PROBLEMS = {
    "ZDT1": ZDT(30, 0, 1, zdt1, (0, 0), (1, 1), {"nsga2": 0.659511, "moead": 0.638231}),
    "ZDT2": ZDT(30, 0, 1, zdt2, (0, 0), (1, 1), {"nsga2": 0.326290, "moead": 0.309438}),
    "ZDT3": ZDT(30, 0, 1, zdt3, (0, ZDT3_LEAST), (ZDT3_END, 1), {"nsga2": 0.514715, "moead": 0.444765}),
    "ZDT4": ZDT(10, -5, 5, zdt4, (0, 0), (1, 1), {"nsga2": 0.656168, "moead": 0.346897}),
    "ZDT6": ZDT(10, 0, 1, zdt6, (ZDT6_START, 0), (1, 1 - ZDT6_START**2), {"nsga2": 0.390142, "moead": 0.401339}),
}


def run(algorithm: str, operators: str, problem: ZDT, seed: int) -> dict[str, Any]:
    """One search; its final population's hypervolume, and CPU seconds."""
    start = time.process_time()
    options = search_options(algorithm, population=POPULATION, operators=operators, surrogate="none")
    searcher: Any = make_searcher(options, problem.space(), 2, seed)
    for number in range(EVALUATIONS):
        proposal = searcher.ask(number)
        assert isinstance(proposal, Proposal)
        searcher.started(Pending(number, proposal.config, proposal.origin))
        losses = np.array(problem.losses(list(proposal.config.values())))
        searcher.tell(Observation(number, proposal.config, proposal.origin, State.COMPLETE, losses, 0.0, 1, 1))
    reached = problem.hypervolume(searcher.population_losses)
    return {"hypervolume": round(reached, 6), "cpu_s": round(time.process_time() - start, 1)}


def summary(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Median and spread of each algorithm on each problem, beside the published median."""
    out = []
    for algorithm, operators, name in dict.fromkeys(
        (one["algorithm"], one["operators"], one["problem"]) for one in lines
    ):
        wanted = {"algorithm": algorithm, "operators": operators, "problem": name}
        values = [one["hypervolume"] for one in lines if wanted.items() <= one.items()]
        published, median = PROBLEMS[name].published[algorithm], statistics.median(values)
        spread = {"least": min(values), "median": round(median, 6), "most": max(values)}
        passes = median >= published - SLACK[algorithm]
        out.append({**wanted, "seeds": len(values), **spread, "published": published, "passes": passes})
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="file of JSON lines, made or added to")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--algorithms", nargs="+", choices=list(OPERATORS), default=list(OPERATORS))
    parser.add_argument("--problems", nargs="+", choices=list(PROBLEMS), default=list(PROBLEMS))
    parser.add_argument("--operators", help="instead of those of the table")
    given = parser.parse_args()
    text = given.results.read_text() if given.results.exists() else ""
    lines = [json.loads(line) for line in text.splitlines()]
    with given.results.open("a") as file:
        for seed in range(given.seeds):
            for algorithm in given.algorithms:
                for name in given.problems:
                    operators = given.operators or OPERATORS[algorithm]
                    what = {"algorithm": algorithm, "operators": operators, "problem": name, "seed": seed}
                    if any(what.items() <= line.items() for line in lines):
                        continue
                    lines.append({"benchmark": "published", **what, **run(algorithm, operators, PROBLEMS[name], seed)})
                    file.write(json.dumps(lines[-1]) + "\n")
                    file.flush()
    for line in summary(lines):
        print(json.dumps({"benchmark": "published", **line}))


if __name__ == "__main__":
    main()

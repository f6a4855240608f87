"""What a prior belief is worth, and what a wrong one costs: hypervolume with a helpful, a misleading and no prior.

    python tests/benchmarks/priors.py --seeds 4 --budget 60

The problem is the bundled ``switch``, best where four of its numbers are 0. The helpful prior peaks there, the
misleading one at the other end, both with a standard deviation of about .1; of the switch the right value, or a wrong
one, counts three times as likely as the others. Prints a JSON line an algorithm and prior: means over the seeds, and
what they are to those of no prior.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from ConfigSpace import BetaFloatHyperparameter, CategoricalHyperparameter, ConfigurationSpace, EqualsCondition, Float

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from moopt import pareto  # noqa: E402 - the path comes first
from moopt.searchers import make_searcher, search_options  # noqa: E402
from moopt.space import Space  # noqa: E402
from tests.contracts.searchers import Simulation  # noqa: E402
from tests.problems import switch  # noqa: E402

AT = (10, 20, 40, 60, 100)
PEAKS: Mapping[str, tuple[float, float]] = {"helpful": (1.0, 8.0), "misleading": (8.0, 1.0)}
WEIGHTS: Mapping[str, list[float]] = {"helpful": [1.0, 3.0, 1.0], "misleading": [3.0, 1.0, 1.0]}
METHODS: Mapping[str, Mapping[str, str]] = {
    "nsga2": {"algorithm": "nsga2"},
    "nsga2 plain": {"algorithm": "nsga2", "surrogate": "none"},
    "parego": {"algorithm": "parego"},
}


def believed(prior: str) -> Space:
    """The space of ``switch`` with a prior."""
    if prior == "none":
        return switch().space
    space = ConfigurationSpace()
    kind = CategoricalHyperparameter("kind", ["a", "b", "c"], weights=WEIGHTS[prior])
    alpha, beta = PEAKS[prior]
    numbers = [BetaFloatHyperparameter(f"x{k}", alpha, beta, 0.0, 1.0) for k in range(1, 5)]
    gain = Float("gain", (0.1, 10.0), log=True)
    space.add(kind, Float("x0", (0.0, 1.0)), *numbers, gain)
    space.add(EqualsCondition(gain, kind, "b"))
    return Space(space)


def volumes(method: str, prior: str, seed: int, budget: int) -> list[float]:
    """Hypervolume after each of AT."""
    problem, space = switch(), believed(prior)
    study = Simulation(make_searcher(search_options(**METHODS[method]), space, 2, seed), problem.losses)
    study.run(budget)
    losses = np.array([problem.losses(config) for config in study.configs])
    return [pareto.hypervolume(losses[:n], problem.ideal, problem.nadir) for n in AT if n <= budget]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    given = parser.parse_args()
    at = [str(n) for n in AT if n <= given.budget]
    for method in given.methods:
        found = {
            prior: np.array([volumes(method, prior, seed, given.budget) for seed in range(given.seeds)])
            for prior in ("none", "helpful", "misleading")
        }
        for prior, own in found.items():
            line = {
                "method": method,
                "prior": prior,
                "hypervolume": dict(zip(at, own.mean(axis=0).round(3).tolist(), strict=True)),
                "to_none": dict(
                    zip(at, (own.mean(axis=0) / found["none"].mean(axis=0)).round(3).tolist(), strict=True)
                ),
            }
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()

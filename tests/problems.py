"""Small analytic problems over conditional spaces, for searchers that should beat random search."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ConfigSpace import Categorical, ConfigurationSpace, EqualsCondition, Float, InCondition, Integer

from moopt import pareto
from moopt.objectives import Floats
from moopt.searchers import make_searcher, search_options
from moopt.space import Space
from moopt.trial import Config
from tests.contracts.searchers import Simulation


@dataclass(frozen=True)
class Problem:
    space: Space
    losses: Callable[[Config], list[float]]
    ideal: Floats
    nadir: Floats

    @property
    def n_objectives(self) -> int:
        return len(self.ideal)

    def hypervolume(self, n_trials: int, seed: int, algorithm: str, **options: object) -> float:
        """Of all trials of one search, within the problem's own ideal and nadir."""
        searcher = make_searcher(search_options(algorithm, **options), self.space, self.n_objectives, seed)
        study = Simulation(searcher, self.losses)
        study.run(n_trials)
        losses = np.array([self.losses(config) for config in study.configs])
        return pareto.hypervolume(losses, self.ideal, self.nadir)


def families() -> Problem:
    """Three families of models: error, miss rate, log latency, log size."""
    space = ConfigurationSpace()
    model = Categorical("model", ["linear", "trees", "net"])
    c, rate = Float("c", (1e-4, 1e3), log=True), Float("rate", (1e-4, 1.0), log=True)
    depth, n_trees = Integer("depth", (1, 20)), Integer("n_trees", (1, 500), log=True)
    units, dropout = Integer("units", (4, 512), log=True), Float("dropout", (0.0, 0.9))
    scale = Categorical("scale", ["standard", "range", "none"])
    space.add(model, c, rate, depth, n_trees, units, dropout, scale)
    space.add(
        EqualsCondition(c, model, "linear"),
        InCondition(rate, model, ["trees", "net"]),
        EqualsCondition(depth, model, "trees"),
        EqualsCondition(n_trees, model, "trees"),
        EqualsCondition(units, model, "net"),
        EqualsCondition(dropout, model, "net"),
    )

    def losses(x: Config) -> list[float]:
        scaled = {"standard": 0.0, "range": 0.03, "none": 0.1}[x["scale"]]
        if x["model"] == "linear":
            off = abs(math.log10(x["c"]) - 0.5)
            return [0.35 + 0.02 * off + scaled, 0.3 + 0.03 * off + scaled, -1.0, 0.1 + 0.05 * off]
        slow = math.log10(x["rate"])
        if x["model"] == "trees":
            error = 0.12 + 0.1 * (slow + 1) ** 2 + scaled / 4 + 0.25 * math.exp(-x["n_trees"] * x["depth"] / 150)
            size = math.log10(x["n_trees"])
            return [error, error + 0.01 * abs(x["depth"] - 6), 0.8 * size + 0.03 * x["depth"], size + 0.1 * x["depth"]]
        error = 0.05 + 0.15 * (slow + 2.5) ** 2 + 0.2 * math.exp(-x["units"] / 60) + scaled
        width = math.log10(x["units"])
        return [error + 0.3 * abs(x["dropout"] - 0.3), error + 0.05 - 0.05 * x["dropout"], 0.9 * width, 1.6 * width]

    return Problem(Space(space), losses, np.array([0.05, 0.05, -1.0, 0.0]), np.array([0.4, 0.4, 2.0, 2.5]))


def switch() -> Problem:
    """A convex front in two objectives, at its best below one value of a switch with a branch of its own."""
    space = ConfigurationSpace()
    kind = Categorical("kind", ["a", "b", "c"])
    numbers = [Float(f"x{k}", (0.0, 1.0)) for k in range(5)]
    gain = Float("gain", (0.1, 10.0), log=True)
    space.add(kind, *numbers, gain)
    space.add(EqualsCondition(gain, kind, "b"))

    def losses(x: Config) -> list[float]:
        rest = sum(x[f"x{k}"] for k in range(1, 5)) / 4
        extra = abs(math.log10(x["gain"]) - 0.5) if x["kind"] == "b" else 1.0
        depth = 1 + 3 * rest + extra
        return [x["x0"], depth * (1 - math.sqrt(x["x0"] / depth))]

    return Problem(Space(space), losses, np.zeros(2), np.array([1.0, 2.0]))

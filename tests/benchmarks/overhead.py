"""CPU of ask and tell a trial, in memory, for a free objective, beside pymoo and Optuna; JSON lines.

    python tests/benchmarks/overhead.py [--searchers] [--rounds 3]

12 hyperparameters (5 log floats, 3 integers, 3 categories, 1 flag), 4 objectives, population 100. Microseconds a
trial are the median of five blocks of 100 trials around a count (so that a burst of other work on the machine does
not count), then the median of the rounds; the objective's own time is left out.
`--searchers` leaves the study out and measures the searchers alone.
"""

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import optuna
from ConfigSpace import Float
from pymoo.core.mixed import MixedVariableGA
from pymoo.core.problem import Problem
from pymoo.core.variable import Binary, Choice, Integer, Real
from pymoo.operators.survival.rank_and_crowding import RankAndCrowding

import moopt
from moopt.searchers import make_searcher, search_options
from moopt.searchers.base import Observation, Pending, Proposal
from moopt.space import Space, as_space
from moopt.trial import Config, State

FLOATS = [f"float{k}" for k in range(5)]
INTEGERS = [f"integer{k}" for k in range(3)]
CHOICES = [f"choice{k}" for k in range(3)]
LEVELS = ["a", "b", "c", "d"]
LOW, HIGH, MOST = 1e-4, 1e2, 50
POPULATION = 100
BLOCK, BLOCKS = POPULATION, 5
OBJECTIVES = [f"f{k}" for k in range(4)]
EARLY, MIDDLE, LATE = 1_000, 5_000, 10_000
PYMOO, OPTUNA = "pymoo mixed-variable NSGA-II", "optuna NSGAIISampler"


class Loop(Protocol):
    """Runs trials one after the other; CPU seconds spent in ask and tell."""

    def __call__(self, n: int) -> float: ...


def losses(config: Mapping[str, Any]) -> list[float]:
    """Four smooth losses in conflict."""
    x = [math.log10(config[name]) / 6 + 2 / 3 for name in FLOATS]
    k = [config[name] / MOST for name in INTEGERS]
    extra = sum((config[name] != "b") * 0.1 for name in CHOICES) + 0.1 * (not config["flag"])
    extra += sum((value - 0.4) ** 2 for value in x[3:] + k)
    a, b, c = (value * math.pi / 2 for value in x[:3])
    size = 1 + extra
    return [
        size * math.cos(a) * math.cos(b) * math.cos(c),
        size * math.cos(a) * math.cos(b) * math.sin(c),
        size * math.cos(a) * math.sin(b),
        size * math.sin(a),
    ]


def space() -> Space:
    given: dict[str, Any] = {name: Float(name, (LOW, HIGH), log=True) for name in FLOATS}
    given |= dict.fromkeys(INTEGERS, (1, MOST))
    given |= dict.fromkeys(CHOICES, LEVELS)
    return as_space({**given, "flag": [True, False]})


def searcher_loop(algorithm: str) -> Loop:
    searcher = make_searcher(search_options(algorithm, population=POPULATION), space(), len(OBJECTIVES), seed=0)
    done = 0

    def run(n: int) -> float:
        nonlocal done
        spent = 0.0
        for number in range(done, done + n):
            start = time.process_time()
            proposal = searcher.ask(number)
            assert isinstance(proposal, Proposal)
            searcher.started(Pending(number, proposal.config, proposal.origin))
            spent += time.process_time() - start
            told = np.array(losses(proposal.config))
            start = time.process_time()
            searcher.tell(Observation(number, proposal.config, proposal.origin, State.COMPLETE, told, 0.0, 1, 1))
            spent += time.process_time() - start
        done += n
        return spent

    return run


def study_loop(algorithm: str) -> Loop:
    objectives = [moopt.Objective(name) for name in OBJECTIVES]
    study = moopt.create_study(
        "overhead", space(), objectives, algorithm=algorithm, population=POPULATION, surrogate="none", seed=0
    )

    def run(n: int) -> float:
        return timed(n, study.ask, lambda trial: trial.config, lambda trial, told: study.tell(trial, told))

    return run


def optuna_loop() -> Loop:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.NSGAIISampler(population_size=POPULATION, seed=0)
    study = optuna.create_study(directions=["minimize"] * len(OBJECTIVES), sampler=sampler)

    def ask() -> Any:
        trial = study.ask()
        for name in FLOATS:
            trial.suggest_float(name, LOW, HIGH, log=True)
        for name in INTEGERS:
            trial.suggest_int(name, 1, MOST)
        for name in CHOICES:
            trial.suggest_categorical(name, LEVELS)
        trial.suggest_categorical("flag", [True, False])
        return trial

    def run(n: int) -> float:
        return timed(n, ask, lambda trial: trial.params, lambda trial, told: study.tell(trial, list(told.values())))

    return run


def timed(
    n: int, ask: Callable[[], Any], config: Callable[[Any], Config], tell: Callable[[Any, dict[str, float]], Any]
) -> float:
    spent = 0.0
    for _ in range(n):
        start = time.process_time()
        trial = ask()
        spent += time.process_time() - start
        told = dict(zip(OBJECTIVES, losses(config(trial)), strict=True))
        start = time.process_time()
        tell(trial, told)
        spent += time.process_time() - start
    return spent


def pymoo_loop() -> Loop:
    variables: dict[str, Any] = {name: Real(bounds=(-4.0, 2.0)) for name in FLOATS}
    variables |= {name: Integer(bounds=(1, MOST)) for name in INTEGERS}
    variables |= {name: Choice(options=LEVELS) for name in CHOICES}
    problem = Problem(vars={**variables, "flag": Binary()}, n_obj=len(OBJECTIVES))
    algorithm = MixedVariableGA(pop_size=POPULATION, survival=RankAndCrowding())
    algorithm.setup(problem, termination=("n_gen", 10**6), seed=0, verbose=False)

    def run(n: int) -> float:
        """Whole generations."""
        spent, done = 0.0, 0
        while done < n:
            start = time.process_time()
            born = algorithm.ask()
            spent += time.process_time() - start
            configs = [{**one, **{name: 10.0 ** one[name] for name in FLOATS}} for one in born.get("X")]
            told = np.array([losses(config) for config in configs])
            start = time.process_time()
            born.set("F", told)
            for one in born:
                one.evaluated = {"F"}
            algorithm.tell(infills=born)
            spent += time.process_time() - start
            done += len(born)
        return spent * n / done

    return run


def around(loop: Loop, counts: list[int]) -> dict[int, float]:
    """Microseconds of CPU a trial in the windows around these counts."""
    out, done = {}, 0
    for count in counts:
        first = count - BLOCK * BLOCKS // 2
        loop(first - done)
        out[count] = round(statistics.median(loop(BLOCK) for _ in range(BLOCKS)) / BLOCK * 1e6, 1)
        done = first + BLOCK * BLOCKS
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--searchers", action="store_true", help="without the study")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    ours = searcher_loop if given.searchers else study_loop
    makers: dict[str, tuple[Callable[[], Loop], list[int]]] = {
        PYMOO: (pymoo_loop, [EARLY]),
        OPTUNA: (optuna_loop, [EARLY, MIDDLE]),
        "nsga2": (lambda: ours("nsga2"), [EARLY, MIDDLE, LATE]),
        "moead": (lambda: ours("moead"), [EARLY, MIDDLE, LATE]),
    }
    rounds: dict[str, list[dict[int, float]]] = {name: [] for name in makers}
    for _ in range(given.rounds):
        for name, (make, counts) in makers.items():
            rounds[name].append(around(make(), counts))
    cost = {
        name: {count: statistics.median(one[count] for one in taken) for count in taken[0]}
        for name, taken in rounds.items()
    }
    for name, taken in rounds.items():
        show(who=name, cpu_us_a_trial_at={count: round(value, 1) for count, value in cost[name].items()}, rounds=taken)
    for name in ("nsga2", "moead"):
        mine = cost[name]
        for against, ratio, bound in (
            (f"pymoo at {EARLY}", mine[EARLY] / cost[PYMOO][EARLY], 3.0),
            (f"optuna at {EARLY}", mine[EARLY] / cost[OPTUNA][EARLY], 0.6),
            (f"optuna at {MIDDLE}", mine[MIDDLE] / cost[OPTUNA][MIDDLE], 0.1),
            (f"itself, {LATE} to {EARLY}", mine[LATE] / mine[EARLY], 1.3),
        ):
            show(who=name, against=against, ratio=round(ratio, 3), bound=bound)


def show(**line: Any) -> None:
    print(json.dumps({"benchmark": "overhead", **line}), flush=True)


if __name__ == "__main__":
    main()

"""What a search must keep: invariance, distinct configs, its quality with many workers, its price; JSON lines.

    python tests/benchmarks/search_traits.py invariance --roles report --seeds 3 --budget 60
    python tests/benchmarks/search_traits.py workers --roles report --seeds 3 --budget 100
    python tests/benchmarks/search_traits.py exhaustion
    python tests/benchmarks/search_traits.py price --rounds 3

Tasks are those of search.py. ``invariance`` searches with every loss times a power of two (the proposals must be the
same to the last bit), and times any factor and shifted (the hypervolume must be the same within 1 %). ``workers``
simulates eight workers whose evaluations take between 1 and 10 seconds, and compares after the same number of
evaluations. ``price`` is the CPU of a proposal at 100 trials, beside Optuna's samplers in the same run.
"""

import argparse
import heapq
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from search import tasks  # noqa: E402 - the path comes first
from search_methods import METHODS, Task, known_methods  # noqa: E402

import moopt  # noqa: E402
from moopt.searchers import make_searcher, search_options  # noqa: E402
from moopt.searchers.base import Observation, Pending, Proposal  # noqa: E402
from moopt.trial import Config, State  # noqa: E402

ALGORITHMS = ("nsga2", "moead", "nsga2 plain", "moead plain")
WORKERS = 8
FACTOR, SHIFT = 1_000.0, 50.0
EXPENSIVE = "optuna gp"


# Invariance


def searched(task: Task, method: str, seed: int, budget: int) -> tuple[list[Config], float]:
    """The configs that a method evaluates, and the hypervolume of all of them."""
    search, answer = METHODS[method](task, seed), None
    configs, told = [], []
    for _ in range(budget):
        configs.append(search.send(answer))
        answer = task.losses(configs[-1])
        told.append(answer)
    return configs, task.share(np.array(told))


def in_other_units(task: Task, factor: np.ndarray, shift: float = 0.0) -> Task:
    """The task with losses of another scale; its hypervolume is still counted in its own."""
    return replace(
        task,
        losses=lambda config: factor * task.losses(config) + shift,
        share=lambda told: task.share((told - shift) / factor),
    )


def invariance(chosen: Iterable[Task], seeds: Iterable[int], budget: int) -> None:
    everything = list(chosen)
    for method in ALGORITHMS:
        same, before, after = [], [], []
        for task in everything:
            powers = 2.0 ** (7 * (np.arange(task.n_objectives) - 1))
            factors = FACTOR ** (np.arange(task.n_objectives) - 1.0)
            for seed in seeds:
                configs, share = searched(task, method, seed, budget)
                same.append(configs == searched(in_other_units(task, powers), method, seed, budget)[0])
                before.append(share)
                after.append(searched(in_other_units(task, factors, SHIFT), method, seed, budget)[1])
        say(
            method=method,
            pairs=len(same),
            same_bits=float(np.mean(same)),
            hypervolume=float(np.mean(before)),
            in_other_units=float(np.mean(after)),
            ratio=float(np.mean(after) / np.mean(before)),
        )


# Many workers


def with_workers(task: Task, options: dict[str, Any], seed: int, budget: int, n_workers: int) -> float:
    """Hypervolume after ``budget`` evaluations; each takes between 1 and 10 seconds, by its config and not by turn."""
    searcher = make_searcher(search_options(**options), task.space, task.n_objectives, seed)
    running: list[tuple[float, int, Proposal]] = []
    told: list[np.ndarray] = []
    clock, number = 0.0, 0
    while len(told) < budget:
        while len(running) < n_workers and number < budget:
            proposal: Any = Proposal(task.space.default()) if number == 0 else searcher.ask(number)
            searcher.started(Pending(number, proposal.config, proposal.origin))
            took = 10.0 ** np.random.default_rng([seed, number]).random()
            heapq.heappush(running, (clock + took, number, proposal))
            number += 1
        clock, ended, proposal = heapq.heappop(running)
        told.append(task.losses(proposal.config))
        searcher.tell(Observation(ended, proposal.config, proposal.origin, State.COMPLETE, told[-1], 0.0, 1, 1))
    return task.share(np.array(told))


def workers(chosen: Iterable[Task], seeds: Iterable[int], budget: int) -> None:
    everything = list(chosen)
    for method in ALGORITHMS:
        algorithm, _, plain = method.partition(" ")
        options = {"algorithm": algorithm, **({"surrogate": "none"} if plain else {})}
        pairs = np.array(
            [
                [with_workers(task, options, seed, budget, n) for n in (1, WORKERS)]
                for task in everything
                for seed in seeds
            ]
        )
        one, many = pairs.mean(axis=0)
        error = (pairs[:, 1] - pairs[:, 0]).std() / len(pairs) ** 0.5 / one
        say(method=method, pairs=len(pairs), one=one, many=many, ratio=many / one, standard_error=error)


# A finite space


def exhaustion() -> None:
    space = {"a": ["u", "v", "w", "x"], "b": (1, 4), "c": [True, False], "d": (0, 1)}
    for method in ALGORITHMS:
        algorithm, _, plain = method.partition(" ")
        options: dict[str, Any] = {"surrogate": "none"} if plain else {}
        study = moopt.create_study(
            "finite", space, [moopt.Objective("f0"), moopt.Objective("f1")], algorithm=algorithm, seed=0, **options
        )
        stop = study.optimize(lambda config: {"f0": config["b"] + config["d"], "f1": config["d"] - config["b"]}, 1_000)
        trials = study.trials()
        distinct = len(trials.filter(like="param_").drop_duplicates())
        say(method=method, trials=len(trials), distinct=distinct, said=stop.value)


# The price of a proposal


def price(rounds: int, at: int = 100, repeats: int = 10) -> None:
    from overhead import losses, space

    task = Task("overhead", "report", space(), 4, lambda config: np.array(losses(config)), lambda told: 0.0)
    names = [*ALGORITHMS, "optuna tpe", *(name for name in known_methods() if name == EXPENSIVE)]
    spent: dict[str, list[float]] = {name: [] for name in names}
    for seed in range(rounds):
        for name in names:
            spent[name].append(
                proposal_ms(METHODS[name](task, seed), task.losses, at, 2 if name == EXPENSIVE else repeats)
            )
    ms = {name: float(np.median(values)) for name, values in spent.items()}
    for name in names:
        ratios = {f"of_{peer}": ms[name] / ms[peer] for peer in ("optuna tpe", EXPENSIVE) if peer in ms}
        say(method=name, rounds=rounds, proposal_ms=ms[name], **ratios)


def proposal_ms(search: Any, losses: Callable[[Config], np.ndarray], at: int, repeats: int) -> float:
    """CPU milliseconds of a proposal, the mean of those after ``at`` trials."""
    answer, spent = None, 0.0
    for number in range(at + repeats):
        start = time.process_time()
        config = search.send(answer)
        spent += (time.process_time() - start) * (number >= at)
        answer = losses(config)
    return 1e3 * spent / repeats


def say(**line: Any) -> None:
    rounded = {key: float(f"{value:.5g}") if isinstance(value, float) else value for key, value in line.items()}
    print(json.dumps(rounded), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, budget in (("invariance", 60), ("workers", 100)):
        own = verbs.add_parser(verb)
        own.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
        own.add_argument("--roles", nargs="+", default=["tune", "report"])
        own.add_argument("--tasks", nargs="+", help="names, all where left out")
        own.add_argument("--seeds", type=int, default=3)
        own.add_argument("--budget", type=int, default=budget)
    verbs.add_parser("exhaustion")
    verbs.add_parser("price").add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    warnings.filterwarnings("ignore", module="optuna")
    if given.verb == "exhaustion":
        exhaustion()
    elif given.verb == "price":
        price(given.rounds)
    else:
        chosen = [
            task
            for task in tasks(given.shared)
            if task.role in given.roles and (not given.tasks or task.name in given.tasks)
        ]
        {"invariance": invariance, "workers": workers}[given.verb](chosen, range(given.seeds), given.budget)


if __name__ == "__main__":
    main()

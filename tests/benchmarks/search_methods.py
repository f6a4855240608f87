"""The searches that search.py compares: each a generator that yields configs and is sent their losses."""

import importlib.util
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ConfigSpace import (
    CategoricalHyperparameter,
    Constant,
    OrdinalHyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)

from moopt.searchers import make_searcher, search_options
from moopt.searchers.base import Observation, Pending, Proposal
from moopt.space import Space
from moopt.trial import Config, State

POPULATION = 20


@dataclass(frozen=True)
class Task:
    name: str
    role: str
    """``tune``: defaults may be tuned on it; ``report``: for reporting only."""
    space: Space
    n_objectives: int
    losses: Callable[[Config], np.ndarray]
    """Shape (m,), logarithms taken."""
    share: Callable[[np.ndarray], float]
    """Hypervolume of losses (n, m) over that of the best-known front."""


Search = Generator[Config, np.ndarray, None]
Method = Callable[[Task, int], Search]


# moopt


def ours(algorithm: str, **options: Any) -> Method:
    def search(task: Task, seed: int) -> Search:
        searcher = make_searcher(search_options(algorithm, **options), task.space, task.n_objectives, seed)
        proposal: Any = Proposal(task.space.default())
        number = 0
        while True:
            searcher.started(Pending(number, proposal.config, proposal.origin))
            losses = yield proposal.config
            told = (number, proposal.config, proposal.origin, State.COMPLETE, losses, 0.0, 1, 1)
            searcher.tell(Observation(*told))
            number += 1
            proposal = searcher.ask(number)

    return search


# Optuna


def optuna_search(make: Callable[[Any, int], Any], *, flat: bool = False) -> Method:
    def search(task: Task, seed: int) -> Search:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = optuna.create_study(directions=["minimize"] * task.n_objectives, sampler=make(optuna.samplers, seed))
        study.enqueue_trial(_optuna_params(task.space, task.space.default()))
        while True:
            trial = study.ask()
            losses = yield _suggested(task.space, trial, flat)
            study.tell(trial, [float(loss) for loss in losses])

    return search


def _suggested(space: Space, trial: Any, flat: bool) -> Config:
    """Define-by-run in the order of the space, parents first; flat: inactive ones are suggested too and dropped."""
    config: dict[str, Any] = {}
    for name in space.names:
        active = _active(space, name, config)
        if active or flat:
            value = _suggest(space.configspace[name], trial)
            if active:
                config[name] = value
    return space.check(config)


def _suggest(given: Any, trial: Any) -> Any:
    if isinstance(given, UniformFloatHyperparameter):
        return trial.suggest_float(given.name, float(given.lower), float(given.upper), log=given.log)
    if isinstance(given, UniformIntegerHyperparameter):
        return trial.suggest_int(given.name, int(given.lower), int(given.upper), log=given.log)
    if isinstance(given, OrdinalHyperparameter):
        return given.sequence[trial.suggest_int(given.name, 0, len(given.sequence) - 1)]
    if isinstance(given, CategoricalHyperparameter):
        return trial.suggest_categorical(given.name, list(given.choices))
    if isinstance(given, Constant):
        return given.value
    raise TypeError(f"{given.name}: Optuna is given no {type(given).__name__} here")


def _optuna_params(space: Space, config: Config) -> dict[str, Any]:
    out = {}
    for name, value in config.items():
        given = space.configspace[name]
        if isinstance(given, OrdinalHyperparameter):
            out[name] = list(given.sequence).index(value)
        elif not isinstance(given, Constant):
            out[name] = value
    return out


def _active(space: Space, name: str, config: Mapping[str, Any]) -> bool:
    for condition in space.configspace.parent_conditions_of[name]:
        parent = condition.parent.name
        if parent not in config or not condition.satisfied_by_value({parent: config[parent]}):
            return False
    return True


def _tpe(samplers: Any, seed: int, **options: Any) -> Any:
    return samplers.TPESampler(seed=seed, **options)


# pymoo, on the unit cube: every hyperparameter always there, what is inactive dropped


def pymoo_search(make: Callable[[Task, np.ndarray], Any]) -> Method:
    def search(task: Task, seed: int) -> Search:
        from pymoo.core.problem import Problem
        from pymoo.core.termination import NoTermination

        rng = np.random.default_rng(seed)
        first = rng.random((POPULATION, task.space.d))
        default = task.space.encode(task.space.default())
        first[0] = np.where(np.isnan(default), 0.5, default)
        problem = Problem(n_var=task.space.d, n_obj=task.n_objectives, xl=0.0, xu=1.0)
        algorithm = make(task, first)
        algorithm.setup(problem, termination=NoTermination(), seed=seed, verbose=False)
        while True:
            infills = algorithm.ask()
            batch = [infills] if not hasattr(infills, "__len__") else infills
            for one in batch:
                losses = yield task.space.decode(np.asarray(one.X, dtype=float))
                one.F = losses
                one.evaluated = {"F"}
            algorithm.tell(infills=infills)

    return search


def _pymoo_nsga2(task: Task, first: np.ndarray) -> Any:
    from pymoo.algorithms.moo.nsga2 import NSGA2

    return NSGA2(pop_size=POPULATION, sampling=first)


def _pymoo_moead(task: Task, first: np.ndarray) -> Any:
    from pymoo.algorithms.moo.moead import MOEAD
    from pymoo.util.ref_dirs import get_reference_directions

    directions = get_reference_directions("energy", task.n_objectives, POPULATION, seed=1)
    return MOEAD(directions, sampling=first, n_neighbors=min(15, POPULATION))


METHODS: dict[str, Method] = {
    "nsga2": ours("nsga2"),
    "moead": ours("moead"),
    "nsga2 plain": ours("nsga2", surrogate="none"),
    "moead plain": ours("moead", surrogate="none"),
    "parego": ours("parego"),
    "random": ours("random"),
    "optuna nsga2": optuna_search(lambda samplers, seed: samplers.NSGAIISampler(population_size=POPULATION, seed=seed)),
    "optuna tpe": optuna_search(_tpe),
    "optuna tpe group": optuna_search(lambda samplers, seed: _tpe(samplers, seed, multivariate=True, group=True)),
    "pymoo nsga2": pymoo_search(_pymoo_nsga2),
    "pymoo moead": pymoo_search(_pymoo_moead),
    "optuna gp": optuna_search(lambda samplers, seed: samplers.GPSampler(seed=seed), flat=True),
}


def known_methods() -> list[str]:
    """GPSampler only where torch is installed: it is for this benchmark alone."""
    return [name for name in METHODS if name != "optuna gp" or importlib.util.find_spec("torch")]

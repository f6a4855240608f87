"""Any algorithm of pymoo that works by ask and tell, as a searcher.

pymoo's algorithms go by generations and change when asked. Here a generation is asked for as soon as the one
before it is told, so that the searcher's own ``ask`` changes nothing; while the last results of a generation are
missing it says WAIT. Replaying the events to a copy of the user's fresh algorithm gives the same generations.
"""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from moopt.errors import SpecError
from moopt.objectives import Floats
from moopt.searchers.base import EXHAUSTED, WAIT, Observation, Pending, Proposal, Signal, Stream, generator
from moopt.searchers.common import Seen
from moopt.space import Space
from moopt.trial import Json, State

PYMOO = "pymoo"
"""What a study's record has as ``algorithm``."""
_FAR = 1e12
"""Beyond it all losses are equally far off."""


@dataclass(frozen=True)
class PymooAlgorithm:
    """A fresh pymoo algorithm as ``algorithm=`` of a study: ``PymooAlgorithm(RVEA(directions))``.

    It searches the unit cube of the space; choices are numbers to it, by their index. It is copied and seeded from
    the study, so one may serve many studies. A termination of its own does not end the study, but algorithms
    that plan by it (RVEA) need one: ``RVEA(directions, termination=("n_gen", 20))``.

    A study's record keeps the algorithm's name, not the algorithm: whoever goes on with a stored study gives it again.
    Another class, or plain settings and directions that differ, are refused then; operators are not compared.

    Raises SpecError for what is no pymoo algorithm, and for one that has run already.
    """

    algorithm: Any

    def __post_init__(self) -> None:
        from pymoo.core.algorithm import Algorithm

        if not isinstance(self.algorithm, Algorithm):
            raise SpecError(
                f"PymooAlgorithm was given {self.algorithm!r}; give an algorithm of pymoo, such as NSGA3(directions)"
            )
        if self.algorithm.problem is not None:
            raise SpecError(f"this {self.name} was set up already; give PymooAlgorithm a fresh one")

    @property
    def name(self) -> str:
        """Its class, as in ``RVEA``."""
        return type(self.algorithm).__name__

    def as_json(self) -> dict[str, Json]:
        """What a study's record keeps: its class, and those of its settings that are plain values or arrays."""
        kind = type(self.algorithm)
        settings = {key: _plain(value) for key, value in sorted(vars(self.algorithm).items())}
        kept = {key: value for key, value in settings.items() if value is not None}
        return {"algorithm": PYMOO, "class": f"{kind.__module__}.{kind.__qualname__}", "settings": kept}

    def searcher(self, space: Space, n_objectives: int, seed: int) -> PymooSearcher:
        """The searcher of a study. Raises SpecError where the algorithm cannot search with so many objectives."""
        directions = getattr(self.algorithm, "ref_dirs", None)
        if directions is not None and np.shape(directions)[-1] != n_objectives:
            raise SpecError(
                f"the directions of this {self.name} are for {np.shape(directions)[-1]} objectives, "
                f"the study has {n_objectives}; make them anew"
            )
        return PymooSearcher(self.algorithm, space, n_objectives, seed)


def pymoo_searcher(
    search: Mapping[str, Json], given: PymooAlgorithm | None, space: Space, n_objectives: int, seed: int
) -> PymooSearcher:
    """The searcher of a stored study: ``search`` as it was kept, and the algorithm that the user gave again.

    Raises SpecError where none was given, or another one.
    """
    kept = search.get("class")
    name = str(kept).rpartition(".")[2]
    if given is None:
        raise SpecError(
            f"the study searches with pymoo's {name}, which a store cannot keep; give it again: "
            f"load_study(..., algorithm=PymooAlgorithm({name}(...)))"
        )
    offered = given.as_json()
    if offered["class"] != kept:
        raise SpecError(f"the study searches with {kept}, given was {offered['class']}")
    if offered["settings"] != search.get("settings"):
        raise SpecError(f"the study searches with a {name} of other settings: {search.get('settings')}")
    return given.searcher(space, n_objectives, seed)


class PymooSearcher:
    """Hands out the members of a generation, and tells the algorithm when all results are there.

    The origin of a proposal is ``{"generation": g, "member": i}``. A result from elsewhere takes the place of a
    member that was not handed out; a sibling does not, since a generation is so many fits. Losses are scaled by the
    range of the first generation, once and for all.
    A failed trial counts as worse than every other; so does one that misses limits, where the algorithm knows none.
    """

    def __init__(self, algorithm: Any, space: Space, n_objectives: int, seed: int) -> None:
        self._space, self._seed = space, seed
        self._seen = Seen(space)
        self._algorithm, self._constrained = _set_up(algorithm, space, n_objectives, seed)
        self._m = n_objectives
        self._generation = -1
        self._size = 1
        self._guests: list[Observation] = []
        """Results from elsewhere that no generation has taken in yet."""
        # Halves, so that the difference of two huge losses is still a number.
        self._half_origin: Floats = np.full(n_objectives, np.nan)
        self._half_unit: Floats = np.zeros(n_objectives)
        self._worst: Floats = np.zeros(n_objectives)
        self._worst_violation = 0.0
        self._next_generation()

    def ask(self, number: int) -> Proposal | Signal:
        """The next member of the generation, or a fresh config where it stands for one that was started before."""
        rng = generator(self._seed, Stream.PROPOSAL, number)
        if not self._free:
            return EXHAUSTED if self._seen.fresh((), rng) is None else WAIT
        member = self._free[0]
        config = self._seen.fresh([self._space.decode(self._points[member])], rng)
        if config is None:
            return EXHAUSTED
        return Proposal(config, {"generation": self._generation, "member": member})

    def started(self, trial: Pending) -> None:
        """Never propose it again; a member of the generation is handed out."""
        self._seen.add(trial.config)
        member = self._member(trial.origin)
        if member in self._free:
            self._free.remove(member)
            self._lent[trial.number] = member

    def tell(self, observation: Observation) -> None:
        """Keep the result of a member; after the last one the algorithm learns, and makes the next generation."""
        member = self._lent.pop(observation.number, None)
        if member is not None:
            self._results[member] = observation
        elif _is_result(observation) and not observation.is_sibling:
            self._guests.append(observation)
        self._seat_guests()
        while not self._free and not self._lent:
            self._advance()

    def _member(self, origin: Json) -> int | None:
        if isinstance(origin, dict) and origin.get("generation") == self._generation:
            member = origin.get("member")
            return member if isinstance(member, int) else None
        return None

    def _seat_guests(self) -> None:
        while self._free and self._guests:
            self._results[self._free.pop()] = self._guests.pop(0)

    def _advance(self) -> None:
        results = [self._results[member] for member in range(len(self._points))]
        good = {one.number: one.losses for one in results if one.losses is not None and _is_result(one)}
        if good:
            self._settle_scale(0.5 * np.array(list(good.values())))
        for member, one in enumerate(results):
            point = self._space.encode(one.config)
            self._points[member] = np.where(np.isnan(point), self._points[member], point)
        losses, violations = self._values(results, good)
        born = self._born
        born.set("X", self._points.copy())
        born.set("F", losses)
        if self._constrained:
            born.set("G", violations[:, None])
        for one in born:
            one.evaluated = {"F", "G", "H"}
        self._algorithm.evaluator.n_eval += len(born)
        with np.errstate(all="ignore"):
            self._algorithm.tell(infills=born if len(born) > 1 or not self._single else born[0])
        self._next_generation()

    def _values(self, results: list[Observation], good: dict[int, Floats]) -> tuple[Floats, Floats]:
        """Losses (n, m) and violations (n,) as the algorithm is told them, all finite."""
        scaled = {number: self._scaled(losses) for number, losses in good.items()}
        violations = {one.number: min(one.violation, _FAR) for one in results if one.number in good}
        self._worst = np.maximum.reduce([self._worst, *scaled.values()])
        self._worst_violation = max([self._worst_violation, *violations.values()])
        F, G = np.empty((len(results), self._m)), np.empty(len(results))
        for row, one in enumerate(results):
            G[row] = violations.get(one.number, self._worst_violation + 1)
            F[row] = scaled.get(one.number, self._worst + 1)
            if not self._constrained and G[row] > 0:
                F[row] = self._worst + 1 + G[row]
        return F, G

    def _settle_scale(self, halves: Floats) -> None:
        """The first results give the origin, and the unit of each objective that they differ in."""
        if np.isnan(self._half_origin).any():
            self._half_origin = halves.min(axis=0)
        reach = np.abs(halves - self._half_origin).max(axis=0)
        self._half_unit = np.where(self._half_unit > 0, self._half_unit, reach)

    def _scaled(self, losses: Floats) -> Floats:
        unit = np.where(self._half_unit > 0, self._half_unit, 1.0)
        with np.errstate(over="ignore"):
            return np.asarray(np.clip((0.5 * losses - self._half_origin) / unit, -_FAR, _FAR))

    def _next_generation(self) -> None:
        from pymoo.core.population import Population

        self._generation += 1
        with np.errstate(all="ignore"):
            born = self._algorithm.ask()
        if born is None or np.size(born) == 0:
            # No child is new to it; so the space is nearly used up, or the population all alike.
            rng = generator(self._seed, Stream.INITIAL, self._generation)
            born = Population.new(X=rng.random((self._size, self._space.d)))
        # MOEA/D makes one individual at a time.
        self._single = not isinstance(born, Population)
        self._born = Population.create(born) if self._single else born
        self._size = len(self._born)
        self._points: Floats = np.asarray(self._born.get("X"), dtype=np.float64)
        self._free = list(range(self._size))
        self._lent: dict[int, int] = {}
        self._results: dict[int, Observation] = {}
        self._seat_guests()


def _set_up(algorithm: Any, space: Space, n_objectives: int, seed: int) -> tuple[Any, bool]:
    """A seeded copy of the algorithm, and whether it knows limits. Raises SpecError, with what pymoo says."""
    from pymoo.core.problem import Problem
    from pymoo.core.termination import NoTermination

    said = ""
    for n_limits in (1, 0):
        fresh = copy.deepcopy(algorithm)
        if fresh.termination is None:
            fresh.termination = NoTermination()
        problem = Problem(n_var=space.d, n_obj=n_objectives, n_ieq_constr=n_limits, xl=0.0, xu=1.0)
        try:
            return fresh.setup(problem, seed=seed), n_limits == 1
        except Exception as error:  # pymoo raises plain Exception and AssertionError
            said = str(error)
    raise SpecError(f"pymoo's {type(algorithm).__name__} cannot search here: {said}")


def _is_result(observation: Observation) -> bool:
    losses = observation.losses
    if losses is None or observation.state is State.FAILED:
        return False
    return bool(np.isfinite(losses).all()) and math.isfinite(observation.violation)


def _plain(value: Any) -> Json:
    """A setting as JSON: plain values themselves, an array by its shape and hash; else None."""
    if isinstance(value, tuple | list):
        parts = [_plain(part) for part in value]
        return None if None in parts else parts
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        digest = hashlib.sha256(value.tobytes()).hexdigest()[:16]
        return f"array {'x'.join(map(str, value.shape))}, {digest}"
    if isinstance(value, np.integer | np.floating):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, bool | int | float | str) else None

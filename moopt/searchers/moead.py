"""MOEA/D, steady state: one weighted subproblem a proposal, solved among its neighbours.

Zhang and Li 2007, doi:10.1109/TEVC.2007.892759; differential evolution, delta and nr of Li and Zhang 2009,
doi:10.1109/TEVC.2008.925798. The operators "de" are theirs, the incumbent moved by the difference of two others, then
polynomial mutation, but for CR: .5 instead of 1, with which ZDT2 stayed below the published table. With them goes a
nadir that single far points do not move, since ZDT6 has such points. They converge on published problems; "auto" (three
other parents, crossing, resets and Gaussian steps) explores more, which pays at small budgets.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from moopt.objectives import Floats
from moopt.searchers.archive import Archive
from moopt.searchers.base import EXHAUSTED, Observation, Pending, Proposal, Signal, Stream, generator
from moopt.searchers.common import Seen
from moopt.searchers.sampling import SobolSearcher
from moopt.searchers.variation import Variation
from moopt.searchers.weights import energy_directions, tchebycheff_weights
from moopt.space import Space
from moopt.trial import Config, Json, State

_TRIES = 20
_NEIGHBOURS = 20
_DELTA = 0.9
_MOST_REPLACED = 2
_HALF = 0.5
"""CR of the operators "de"."""
_THETA = 5.0

Rows = NDArray[np.intp]


class MOEAD:
    """One incumbent a subproblem; a result may take the place of at most two.

    Siblings do so once each subproblem has the incumbent of a fit of its own.

    The origin of a proposal is ``{"subproblem": i, "near": bool}``: whether its parents, and those that it
    may replace, are the neighbours of subproblem i or all. Other results may replace any.
    """

    def __init__(
        self,
        space: Space,
        n_objectives: int,
        seed: int,
        population: int = 20,
        operators: str = "auto",
        decomposition: str = "tchebycheff",
    ) -> None:
        self._space, self._seed, self._operators = space, seed, operators
        directions = energy_directions(population, n_objectives)
        self._value = pbi if decomposition == "pbi" else tchebycheff
        self._weights = directions if decomposition == "pbi" else tchebycheff_weights(directions)
        distances = cdist(directions, directions)
        self._near: Rows = np.argsort(distances, axis=1, kind="stable")[:, :_NEIGHBOURS]
        self._seen = Seen(space)
        self._archive = Archive(n_objectives, robust=operators == "de")
        self._initial = SobolSearcher(space, seed, hedged=True)
        self._variation = Variation(space)
        self._n = 0
        self._turn = 0
        self._early_siblings: list[Observation] = []
        # Row i is the incumbent of subproblem i, once there are as many results as subproblems.
        self._numbers = np.zeros(population, dtype=np.intp)
        self._points: Floats = np.empty((population, space.d))
        self._losses: Floats = np.empty((population, n_objectives))
        self._violation: Floats = np.empty(population)

    def ask(self, number: int) -> Proposal | Signal:
        """A child for the subproblem whose turn it is; a point of the initial design until each has an incumbent."""
        if not self._full:
            return self._initial.ask(number)
        rng = generator(self._seed, Stream.PROPOSAL, number)
        turn, near = self._turn, bool(rng.random() < _DELTA)
        config = self._seen.fresh(self._children(turn, self._pool(turn, near), rng), rng)
        return EXHAUSTED if config is None else Proposal(config, {"subproblem": turn, "near": near})

    def started(self, trial: Pending) -> None:
        """Never propose it again."""
        self._seen.add(trial.config)
        if not self._full:
            self._initial.started(trial)
        elif _is_own(trial.origin):
            self._turn = (trial.origin["subproblem"] + 1) % len(self._weights)

    def tell(self, observation: Observation) -> None:
        """Give a result to the subproblems that it improves, and a complete one to the archive."""
        losses, violation = observation.losses, observation.violation
        if losses is None or not (np.isfinite(losses).all() and math.isfinite(violation)):
            return
        if observation.state is State.COMPLETE:
            self._archive.add(losses, violation)
        known = np.flatnonzero(self._numbers[: self._n] == observation.number)
        if len(known):  # it was stopped and resumed
            self._place(known, observation)
        elif self._full:
            self._compete(observation, losses)
        elif observation.is_sibling:
            self._early_siblings.append(observation)
        else:
            self._place(np.array([self._n]), observation)
            self._n += 1
            if self._full:
                self._assign()

    @property
    def _full(self) -> bool:
        return self._n == len(self._weights)

    @property
    def population_losses(self) -> Floats:
        """Losses (n, m) of the incumbents, one a subproblem; one that holds several is there as often."""
        return self._losses[: self._n].copy()

    def _pool(self, turn: int, near: bool) -> Rows:
        return self._near[turn] if near else np.arange(len(self._weights))

    def _pool_of(self, origin: Json) -> Rows:
        return self._pool(origin["subproblem"], origin["near"]) if _is_own(origin) else self._pool(0, near=False)

    def _children(self, turn: int, pool: Rows, rng: np.random.Generator) -> Iterator[Config]:
        variation, target = self._variation.after(len(self._seen)), self._points[turn]
        # One row of each incumbent, which may hold several subproblems.
        distinct = pool[np.unique(self._numbers[pool], return_index=True)[1]]
        for attempt in range(_TRIES):
            parents = self._points[distinct[_some(len(distinct), 3, rng)]]
            # Each child that is no news makes the next one mutate more.
            rate = (1 + attempt / 4) / variation.n_active(parents[0])
            if self._operators == "sbx":
                child = variation.polynomial(variation.sbx(parents[0], parents[1], rng), rate, rng)
            elif self._operators == "de":
                donors = [target, *parents[:2]]
                child = variation.polynomial(variation.differential(target, donors, rng, _HALF), rate, rng)
            else:
                child = variation.mutate(variation.differential(target, list(parents), rng), rate, rng)
            yield self._space.decode(child)

    def _compete(self, observation: Observation, losses: Floats) -> None:
        pool = self._pool_of(observation.origin)
        self._place(self._improved(losses, observation.violation, pool), observation)

    def _improved(self, losses: Floats, violation: float, pool: Rows) -> Rows:
        """The subproblems of a pool that gain most by a result, at most two."""
        weights, scaled = self._weights[pool], self._archive.normalise(losses)
        gains = self._value(self._archive.normalise(self._losses[pool]), weights) - self._value(scaled, weights)
        less = self._violation[pool] - violation
        gains = np.where(less == 0, gains, np.where(less > 0, np.inf, -np.inf))
        best = np.argsort(-gains, kind="stable")[:_MOST_REPLACED]
        return pool[best[gains[best] > 0]]

    def _place(self, rows: Rows, observation: Observation) -> None:
        self._numbers[rows] = observation.number
        self._points[rows] = self._space.encode(observation.config)
        self._losses[rows] = observation.losses
        self._violation[rows] = observation.violation

    def _assign(self) -> None:
        """Give each of the first results its own subproblem, so that the sum of the values is least."""
        scaled = self._archive.normalise(self._losses)
        rows = linear_sum_assignment(self._value(scaled[None], self._weights[:, None]))[1]
        self._numbers, self._points = self._numbers[rows], self._points[rows]
        self._losses, self._violation = self._losses[rows], self._violation[rows]
        for sibling in self._early_siblings:
            if sibling.losses is not None:
                self._compete(sibling, sibling.losses)
        self._early_siblings.clear()


def tchebycheff(losses: Floats, weights: Floats) -> Floats:
    """The largest weighted normalised loss, over the last axis; the two broadcast."""
    return np.asarray((losses * weights).max(axis=-1))


def pbi(losses: Floats, directions: Floats) -> Floats:
    """Way along a direction plus 5 times the distance from it, over the last axis; the two broadcast."""
    direction = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
    along = (losses * direction).sum(axis=-1)
    aside = np.linalg.norm(losses - along[..., None] * direction, axis=-1)
    return np.asarray(along + _THETA * aside)


def _is_own(origin: Json) -> bool:
    return isinstance(origin, dict) and "subproblem" in origin


def _some(n: int, k: int, rng: np.random.Generator) -> Rows:
    """Rows of ``k`` different ones of ``n``, with repeats where there are not so many."""
    return rng.permutation(n)[:k] if n >= k else rng.integers(n, size=k)

"""NSGA-II, steady state: tournaments by feasibility, rank and crowding, and (mu+1) survival.

Deb, Pratap, Agarwal and Meyarivan 2002, doi:10.1109/4235.996017.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from pymoo.operators.survival.rank_and_crowding.metrics import calc_crowding_distance
from scipy.spatial.distance import cdist

from moopt import pareto
from moopt.objectives import Floats
from moopt.searchers.archive import Archive
from moopt.searchers.base import EXHAUSTED, Observation, Pending, Proposal, Signal, Stream, generator
from moopt.searchers.common import Seen
from moopt.searchers.sampling import SobolSearcher
from moopt.searchers.variation import Variation
from moopt.space import Space
from moopt.trial import Config, State

_TRIES = 20
_CLOSEST = 1e-60
"""Fourth power of the distance of two copies, and the energy of a point alone: small, and no zero."""


class NSGA2:
    """A population that each result may enter, the worst of ``population + 1`` leaving it.

    Siblings enter like others, but for those that a member of the same fit dominates; it is full after as many fits.
    """

    def __init__(
        self, space: Space, n_objectives: int, seed: int, population: int = 20, operators: str = "auto"
    ) -> None:
        self._space, self._seed, self._size, self._operators = space, seed, population, operators
        self._seen = Seen(space)
        self._archive = Archive(n_objectives)
        self._initial = SobolSearcher(space, seed, hedged=True)
        self._variation = Variation(space)
        # Rows in the order of arrival; one more than survive.
        self._n = 0
        self._n_fits = 0
        self._fits = np.empty(population + 1, dtype=np.intp)
        self._points: Floats = np.empty((population + 1, space.d))
        self._losses: Floats = np.empty((population + 1, n_objectives))
        self._violation: Floats = np.empty(population + 1)
        self._ranks = np.empty(population + 1, dtype=np.intp)
        self._room: Floats = np.empty(population + 1)
        self._with_room: set[int] = set()
        """The ranks whose members' room is known."""

    def ask(self, number: int) -> Proposal | Signal:
        """A child of the population; a point of the initial design until the population is full."""
        if not self._full:
            return self._initial.ask(number)
        rng = generator(self._seed, Stream.PROPOSAL, number)
        config = self._seen.fresh(self._children(rng), rng)
        return EXHAUSTED if config is None else Proposal(config)

    def started(self, trial: Pending) -> None:
        """Never propose it again."""
        self._seen.add(trial.config)
        if not self._full:
            self._initial.started(trial)

    def tell(self, observation: Observation) -> None:
        """Let a result into the population, and a complete one into the archive."""
        losses, violation = observation.losses, observation.violation
        if losses is None or not (np.isfinite(losses).all() and math.isfinite(violation)):
            return
        if observation.state is State.COMPLETE:
            self._archive.add(losses, violation)
        self._forget(observation)
        if observation.is_sibling and self._is_outdone(observation.fit, losses, violation):
            return
        self._n_fits += not observation.is_sibling
        self._fits[self._n] = observation.number if observation.fit is None else observation.fit
        self._points[self._n] = self._space.encode(observation.config)
        self._losses[self._n], self._violation[self._n] = losses, violation
        self._n += 1
        self._ranks[: self._n] = pareto.ranks(self._losses[: self._n], self._violation[: self._n])
        self._with_room.clear()
        if self._n > self._size:
            self._drop(self._worst())

    @property
    def population_losses(self) -> Floats:
        """Losses (n, m) of the members, in order of arrival."""
        return self._losses[: self._n].copy()

    @property
    def _full(self) -> bool:
        return self._n_fits >= self._size

    def _forget(self, observation: Observation) -> None:
        """Drop what was known of a trial when it was stopped, now that it was resumed."""
        of_fit = np.flatnonzero(self._fits[: self._n] == observation.number)
        point = self._space.encode(observation.config)
        for row in of_fit:
            if np.array_equal(self._points[row], point, equal_nan=True):
                self._drop(int(row))
                self._n_fits -= 1
                return

    def _is_outdone(self, fit: int | None, losses: Floats, violation: float) -> bool:
        """Whether a member of the same fit dominates a result."""
        rows = np.flatnonzero(self._fits[: self._n] == fit)
        less = self._violation[rows] < violation
        better = (self._violation[rows] == violation) & (self._losses[rows] <= losses).all(axis=1)
        return bool((less | better).any())

    def _children(self, rng: np.random.Generator) -> Iterator[Config]:
        variation, sbx = self._variation.after(len(self._seen)), self._operators == "sbx"
        for attempt in range(_TRIES):
            first, second, third, fourth = (rng.random(4) * self._n).astype(np.intp).tolist()
            a, b = self._points[self._winner(first, second)], self._points[self._winner(third, fourth)]
            # Each child that is no news makes the next one mutate more.
            rate = (1 + attempt / 4) / variation.n_active(a)
            if sbx:
                child = variation.polynomial(variation.sbx(a, b, rng), rate, rng)
            else:
                child = variation.mutate(variation.uniform(a, b, rng), rate, rng)
            yield self._space.decode(child)

    def _winner(self, first: int, second: int) -> int:
        """Of a binary tournament."""
        ranks = self._ranks
        if ranks[first] != ranks[second]:
            return first if ranks[first] < ranks[second] else second
        room = self._room_of(int(ranks[first]))
        return first if room[first] >= room[second] else second

    def _worst(self) -> int:
        """The oldest of the most crowded members of the last front."""
        last = int(self._ranks.max())
        members = np.flatnonzero(self._ranks == last)
        return int(members[self._room_of(last)[members].argmin()])

    def _drop(self, row: int) -> None:
        # The others keep their ranks: who leaves is of the last front and dominates nobody.
        self._n -= 1
        for rows in (self._fits, self._points, self._losses, self._violation, self._ranks, self._room):
            rows[row:-1] = rows[row + 1 :]

    def _room_of(self, rank: int) -> Floats:
        """Shape (n,): room around each member, the more the better; only that of members of this rank may be read."""
        if rank not in self._with_room:
            members = np.flatnonzero(self._ranks[: self._n] == rank)
            self._room[members] = crowding(self._archive.normalise(self._losses[members]))
            self._with_room.add(rank)
        return self._room


def crowding(losses: Floats) -> Floats:
    """Room (n,) around each point of a front of normalised losses (n, m), inf for the best of an objective.

    For one and two objectives the crowding distance of NSGA-II. For more, where that one says little, the
    inverse Riesz energy (s = 4) of a point among the others: its nearest neighbours decide. pymoo's "mnn" orders
    points much alike at four times the cost.
    """
    if losses.shape[1] <= 2:
        return np.asarray(calc_crowding_distance(losses))
    energy = cdist(losses, losses, "sqeuclidean")
    energy *= energy
    np.maximum(energy, _CLOSEST, out=energy)
    energy.flat[:: len(losses) + 1] = np.inf
    room = 1.0 / np.maximum((1.0 / energy).sum(axis=1), _CLOSEST)
    room[losses.argmin(axis=0)] = np.inf
    return np.asarray(room)

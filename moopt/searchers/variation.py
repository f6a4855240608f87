"""Children from parents: points of the unit cube in, a point of the unit cube out.

A point (d,) has NaN where a hyperparameter is inactive, as ``Space.encode`` gives it. A child has a value
everywhere: that of a parent where one has any, else a fresh one. So whatever becomes active
in the child has a parent's or a fresh value, and ``Space.decode`` drops the rest. Unordered choices are
inherited or drawn anew, never treated as numbers. Fresh values are drawn from the priors at first, and from all that
they allow the more results there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Self

import numpy as np
from numpy.typing import NDArray

from moopt.objectives import Floats
from moopt.space import Space
from moopt.space.priors import trust

SIGMA = 0.15
"""Standard deviation of the Gaussian mutation, in the unit cube."""
DIFFERENCE, CROSSING = 0.5, 0.9
"""F and CR of differential evolution; Storn and Price 1997, doi:10.1023/A:1008202821328."""
ETA = 20.0
"""Distribution index of SBX and of polynomial mutation, as in Deb et al. 2002, doi:10.1109/4235.996017."""
SBX_SHARE = 0.9
"""How often SBX is applied at all."""

Mask = NDArray[np.bool_]


class Variation:
    """The operators on one space; holds no state of the search."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._categorical = space.categorical
        self._movable = space.n_values > 1
        self._branches = [(place, parents) for place, parents in enumerate(space.parents) if parents]
        self._low, self._high = np.zeros(space.d), np.ones(space.d)
        self._trust = 1.0

    def after(self, n_results: int) -> Self:
        """The operators of a search that has so many results, by which the priors have faded."""
        if not self._space.believed:
            return self
        faded = copy(self)
        faded._trust = trust(n_results)
        return faded

    def uniform(self, a: Floats, b: Floats, rng: np.random.Generator) -> Floats:
        """Uniform crossover: each hyperparameter from either parent, whole branches together."""
        return self._join(a, b, rng.random(len(a)) < 0.5, rng)

    def differential(
        self, target: Floats, donors: Sequence[Floats], rng: np.random.Generator, crossing: float = CROSSING
    ) -> Floats:
        """rand/1/bin on three donors; a choice that differs between the last two is taken from the second at rate F."""
        first, second, third = donors
        draws = rng.random((2, len(target)))
        step = DIFFERENCE * (second - third)
        moved = np.clip(first + np.where(np.isnan(step), 0.0, step), 0.0, 1.0)
        swapped = (step != 0) & ~np.isnan(second) & (draws[0] < DIFFERENCE)
        choices = np.where(swapped, second, first)
        mutant = np.where(self._categorical, choices, moved)
        from_mutant = draws[1] < crossing
        from_mutant[rng.integers(len(target))] = True
        return self._join(mutant, target, from_mutant, rng)

    def sbx(self, a: Floats, b: Floats, rng: np.random.Generator) -> Floats:
        """Simulated binary crossover where both parents have a number, else uniform crossover. pymoo's."""
        from pymoo.operators.crossover.sbx import cross_sbx

        child = self.uniform(a, b, rng)
        if rng.random() >= SBX_SHARE:
            return self._join(a, b, np.ones(len(a), dtype=bool), rng)
        both = ~self._categorical & ~np.isnan(a) & ~np.isnan(b)
        if both.any():
            parents = np.stack([a[both], b[both]])[:, None, :]
            rates = np.full((1, 1), 0.5)
            pair = cross_sbx(
                parents, self._low[both], self._high[both], np.full((1, 1), ETA), rates, rates, random_state=rng
            )
            child[both] = pair[0, 0]
        return child

    def mutate(self, child: Floats, rate: float, rng: np.random.Generator) -> Floats:
        """Each hyperparameter at a rate: half of the hits drawn anew, half moved by a Gaussian step."""
        out = child.copy()
        hits = (rng.random(len(child)) < rate) & self._movable
        for place in hits.nonzero()[0].tolist():
            if self._categorical[place] or rng.random() < 0.5:
                out[place] = self._redraw(place, child[place], rng)
            else:
                out[place] = min(max(child[place] + SIGMA * rng.standard_normal(), 0.0), 1.0)
        return out

    def polynomial(self, child: Floats, rate: float, rng: np.random.Generator) -> Floats:
        """Polynomial mutation of numbers at a rate, pymoo's; choices are drawn anew at the same rate."""
        from pymoo.operators.mutation.pm import mut_pm

        rates = np.array([min(rate, 1.0)])
        out = mut_pm(child[None], self._low, self._high, np.array([ETA]), rates, False, random_state=rng)[0]
        out = np.where(self._categorical, child, out)
        hits = (rng.random(len(child)) < rate) & self._movable & self._categorical
        for place in hits.nonzero()[0].tolist():
            out[place] = self._redraw(place, child[place], rng)
        return np.asarray(out)

    def n_active(self, point: Floats) -> int:
        """How many hyperparameters of a point can move at all, at least 1."""
        return max(1, int(np.count_nonzero(self._movable & ~np.isnan(point))))

    def _join(self, a: Floats, b: Floats, from_a: Mask, rng: np.random.Generator) -> Floats:
        """``a`` where the mask says so, else ``b``; where that one has no value the other's, else a draw."""
        for place, parents in self._branches:
            for parent in parents:
                # Below a parent on which they disagree, a branch comes whole from the side that the parent came from.
                if a[parent] != b[parent]:
                    from_a[place] = from_a[parent]
        child = np.where(from_a, a, b)
        child = np.where(np.isnan(child), np.where(from_a, b, a), child)
        for place in np.isnan(child).nonzero()[0].tolist():
            child[place] = self._draw(place, rng)
        return child

    def _draw(self, place: int, rng: np.random.Generator) -> float:
        return self._space.domains[place].to_unit(self._space.fresh(place, rng.random(), self._trust))

    def _redraw(self, place: int, present: float, rng: np.random.Generator) -> float:
        """A draw that differs from what is there, where eight draws find one."""
        for _ in range(8):
            drawn = self._draw(place, rng)
            if drawn != present:
                break
        return drawn

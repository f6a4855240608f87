"""Directions of a decomposition, spread over the unit simplex, and the weights that lead along them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from moopt.objectives import Floats

_LEAST = 0.05


@lru_cache(maxsize=16)
def energy_directions(n: int, n_objectives: int) -> Floats:
    """Any number of directions (n, m) that sum to 1, none along an axis; the same for the same shape; read-only.

    pymoo's Riesz s-energy descent, started from a low-discrepancy sequence: its own start, by k-means,
    takes a second. Blank, Deb, Dhebar, Bandaru and Seada 2021, doi:10.1109/TEVC.2020.2992387.
    """
    least = min(_LEAST, 1 / n)
    if n_objectives == 1:
        directions = np.ones((n, 1))
    elif n_objectives == 2:
        first = np.linspace(least, 1 - least, n)
        directions = np.column_stack([first, 1 - first])
    else:
        directions = np.maximum(_descend(_spread(n, n_objectives)), least)
    directions /= directions.sum(axis=1, keepdims=True)
    directions.flags.writeable = False
    return directions


def tchebycheff_weights(directions: Floats) -> Floats:
    """The weights (n, m), each row summing to 1, whose Tchebycheff optimum lies on the direction from the ideal.

    Evenly spread weights would crowd them near the middle of the front. Qi et al. 2014, doi:10.1162/EVCO_a_00109.
    """
    inverse = 1 / directions
    return np.asarray(inverse / inverse.sum(axis=1, keepdims=True))


def _descend(start: Floats) -> Floats:
    from pymoo.util.ref_dirs.energy import RieszEnergyReferenceDirectionFactory

    # A step is quadratic in their number, and many directions need fewer to be spread well.
    steps = min(100, max(10, 10_000 // len(start)))
    factory = RieszEnergyReferenceDirectionFactory(start.shape[1], len(start), X=start, n_max_iter=steps, seed=1)
    return np.asarray(factory.do())


def _spread(n: int, n_objectives: int) -> Floats:
    """Gaps between sorted Halton coordinates: uniform on the simplex."""
    from scipy.stats import qmc

    cuts = np.sort(qmc.Halton(n_objectives - 1, scramble=False).random(n + 1)[1:], axis=1)
    return np.diff(cuts, axis=1, prepend=0.0, append=1.0)

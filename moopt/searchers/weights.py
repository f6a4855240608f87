"""Weights of a decomposition: points spread over the unit simplex."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from moopt.objectives import Floats

_ITERATIONS = 100
_LEAST = 1e-6


@lru_cache(maxsize=16)
def energy_weights(n: int, n_objectives: int) -> Floats:
    """Any number of weights (n, m), positive, each row summing to 1; the same for the same shape; read-only.

    pymoo's Riesz s-energy descent, started from a low-discrepancy sequence: its own start, by k-means,
    takes a second. Blank, Deb, Dhebar, Bandaru and Seada 2021, doi:10.1109/TEVC.2020.2992387.
    """
    if n_objectives == 1:
        weights = np.ones((n, 1))
    elif n == 1:
        weights = np.full((1, n_objectives), 1 / n_objectives)
    elif n_objectives == 2:
        first = np.linspace(0.0, 1.0, n)
        weights = np.column_stack([first, 1.0 - first])
    else:
        weights = _descend(_spread(n, n_objectives))
    weights = np.maximum(weights, _LEAST)
    weights /= weights.sum(axis=1, keepdims=True)
    weights.flags.writeable = False
    return weights


def _descend(start: Floats) -> Floats:
    from pymoo.util.ref_dirs.energy import RieszEnergyReferenceDirectionFactory

    factory = RieszEnergyReferenceDirectionFactory(start.shape[1], len(start), X=start, n_max_iter=_ITERATIONS, seed=1)
    return np.asarray(factory.do())


def _spread(n: int, n_objectives: int) -> Floats:
    """Gaps between sorted Halton coordinates: uniform on the simplex."""
    from scipy.stats import qmc

    cuts = np.sort(qmc.Halton(n_objectives - 1, scramble=False).random(n + 1)[1:], axis=1)
    return np.diff(cuts, axis=1, prepend=0.0, append=1.0)

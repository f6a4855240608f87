"""Of a large front, the members that are drawn one by one; arrays only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moopt.objectives import Floats

MOST_MARKS = 1_900
"""With 2,000 the browser draws on a canvas, which tells a screen reader nothing; a hundred are left for what is drawn on
top.
"""


def thinned(along: Floats, ranks: NDArray[np.int64], most: int) -> NDArray[np.bool_]:
    """Which of n members to draw, ``most`` at the most, shape (n,): low ranks (n,) before high ones, and of the rank
    for which there is not room enough evenly many along ``along`` (n,).
    """
    drawn = np.zeros(len(along), dtype=bool)
    for rank in np.unique(ranks):
        members = np.flatnonzero(ranks == rank)
        room = most - int(drawn.sum())
        if len(members) > room:
            ordered = members[np.argsort(along[members], kind="stable")]
            members = ordered[np.linspace(0, len(ordered) - 1, room).astype(int)]
        drawn[members] = True
    return drawn

"""Representatives: a few members of a front that stand for all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from moopt import pareto
from moopt.choose.front import Points, front_of
from moopt.choose.limits import apply_limits, meets_limits, refuse
from moopt.errors import UsageError
from moopt.objectives import Objective


def representatives(
    objectives: Sequence[Objective],
    trials: Points,
    k: int,
    *,
    limits: Mapping[str, float | str | None] | None = None,
) -> tuple[int, ...]:
    """Numbers of at most ``k`` members within the limits, each the one that adds most hypervolume to those before.

    Losses are in the front's spans (:class:`moopt.choose.front.Front`); see :func:`moopt.pareto.subset`. The first few
    of many representatives are those of few. Raises UsageError for a k below 1, else as :func:`moopt.choose.choose`.
    """
    if k < 1:
        raise UsageError(f"{k} representatives were asked for; give a number of at least 1")
    front = front_of(apply_limits(objectives, limits), trials)
    rows = np.flatnonzero(meets_limits(front))
    if not rows.size:
        raise refuse(front)
    return tuple(int(front.numbers[rows[row]]) for row in pareto.subset(front.scaled[rows], k))

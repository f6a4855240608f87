"""Dominance, ranks, ideal and nadir, hypervolume, knee, subset: arrays in, arrays out, on moocore.

Losses have shape (n, m): n points, m objectives, less is better. Feasible comes before infeasible, then
less violation, then dominance. A row with a value that is not finite (a failed trial) is never on a
front, comes last in the ranks, and counts for nothing elsewhere. No input is changed.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import moocore
import numpy as np
from numpy.typing import NDArray

from moopt.errors import UsageError
from moopt.objectives import Floats

Mask = NDArray[np.bool_]
_BLOCK = 512
"""So many rows are compared with all targets at once."""
_RAYS = 1_000


def nondominated(losses: Floats, violation: Floats | None = None) -> Mask:
    """The front as a mask (n,) of losses (n, m) and violation (n,), none where it is None.

    Where no row is feasible the front is that of the rows with the least violation. Copies of a front
    point are all on it. No rows give an empty mask.
    """
    losses, violation = _matrix(losses), _column(violation, len(losses))
    known = finite_rows(losses) & np.isfinite(violation)
    mask = np.zeros(len(losses), dtype=bool)
    if known.any():
        rows = np.flatnonzero(known & (violation == violation[known].min()))
        mask[rows] = moocore.is_nondominated(losses[rows], keep_weakly=True)
    return mask


def ranks(losses: Floats, violation: Floats | None = None) -> NDArray[np.intp]:
    """The rank (n,) of each row of losses (n, m): 0 on the front, 1 on the front of the rest, and so on.

    Each amount of violation (n,) ranks whole behind the next smaller one; rows that are not finite
    share the last rank. The non-dominated sorting of Deb et al. 2002, doi:10.1109/4235.996017.
    """
    losses, violation = _matrix(losses), _column(violation, len(losses))
    known = finite_rows(losses) & np.isfinite(violation)
    if known.all() and not violation.any():
        return np.asarray(moocore.pareto_rank(losses), dtype=np.intp)
    amounts, which, sizes = np.unique(violation[known], return_inverse=True, return_counts=True)
    within = np.zeros(len(which), dtype=np.intp)
    depths = np.ones(len(amounts), dtype=np.intp)
    for amount in np.flatnonzero(sizes > 1):
        rows = which == amount
        within[rows] = moocore.pareto_rank(losses[known][rows])
        depths[amount] = within[rows].max() + 1
    out = np.full(len(losses), depths.sum())
    out[known] = (depths.cumsum() - depths)[which] + within
    return out


def ideal_nadir(front: Floats) -> tuple[Floats, Floats]:
    """The best and the worst loss, (m,) each, of each objective on a front (n, m).

    NaN where no row is finite. Give only non-dominated rows: the worst of all is no nadir.
    """
    front = _matrix(front)
    front = front[finite_rows(front)]
    if not len(front):
        nothing = np.full(front.shape[1], np.nan)
        return nothing, nothing.copy()
    return front.min(axis=0), front.max(axis=0)


def normalise(losses: Floats, ideal: Floats, nadir: Floats) -> Floats:
    """Losses (n, m) with the ideal (m,) at 0 and the nadir (m,) at 1; NaN stays.

    Where both are equal there is no unit: 0 at the ideal, 1 for any worse loss, -1 for any better one.
    """
    # Halves, so that the difference of two huge losses is still a number; the quotient is the same.
    zero = 0.5 * np.asarray(ideal)
    above, width = 0.5 * np.asarray(losses) - zero, 0.5 * np.asarray(nadir) - zero
    flat = width == 0
    with np.errstate(over="ignore"):
        return np.where(flat, np.sign(above), above / np.where(flat, 1.0, width))


def hypervolume(losses: Floats, ideal: Floats, nadir: Floats, reference: float = 1.1) -> float:
    """The volume that losses (n, m) dominate below ``reference``, after :func:`normalise`.

    At most ``reference**m`` while no loss is better than the ideal; 0 for no finite row. Zitzler and
    Thiele 1998, doi:10.1007/BFb0056872.
    """
    losses = _matrix(losses)
    scaled = normalise(losses[finite_rows(losses)], ideal, nadir)
    scaled = scaled[finite_rows(scaled)]
    if not len(scaled):
        return 0.0
    return float(moocore.hypervolume(scaled, ref=np.full(scaled.shape[1], reference)))


def first_dominators(losses: Floats, targets: Floats) -> NDArray[np.intp]:
    """For each target (k, m) the first row of losses (n, m) that is as good in every objective; n where none is.

    A row that is the target itself, or its copy, is passed over.
    """
    first = np.full(len(targets), len(losses))
    rows = np.flatnonzero((losses <= targets.max(axis=0, initial=-np.inf)).all(axis=1))
    waiting = np.arange(len(targets))
    for start in range(0, len(rows), _BLOCK):
        here = rows[start : start + _BLOCK]
        as_good = _as_good(losses[here], targets[waiting])
        target, row = np.nonzero(as_good)
        as_good[target, row] = (losses[here[row]] < targets[waiting[target]]).any(axis=1)
        found = as_good.any(axis=1)
        first[waiting[found]] = here[as_good[found].argmax(axis=1)]
        waiting = waiting[~found]
    return first


def estimated_hypervolumes(scaled: Floats, ends: NDArray[np.intp], reference: float = 1.1) -> Floats:
    """Estimates (k,) of the hypervolume of the first so many rows, ``ends`` (k,) ascending, of scaled losses (n, m).

    From how far 1,000 rays, always the same ones, run from the reference point through what is dominated; so it never
    falls where rows are added. Its standard error was below 1 % of it on fronts of four and of eight objectives. Deng
    and Zhang 2019, doi:10.1109/TEVC.2019.2895108.
    """
    scaled = _matrix(scaled)
    m = scaled.shape[1]
    rays = np.abs(np.random.default_rng(0).standard_normal((_RAYS, m)))
    rays /= np.linalg.norm(rays, axis=1)[:, None]
    rows = np.flatnonzero((scaled < reference).all(axis=1))
    room = reference - scaled[rows]
    reach, done = np.zeros(_RAYS), 0
    means = []
    for end in np.searchsorted(rows, ends):
        for start in range(done, end, _BLOCK):
            np.maximum(reach, _reach(room[start : min(start + _BLOCK, end)], rays), out=reach)
        means.append(np.mean(reach**m))
        done = end
    return np.asarray(np.array(means) * np.pi ** (m / 2) / (math.gamma(m / 2) * m * 2 ** (m - 1)))


def _reach(room: Floats, rays: Floats) -> Floats:
    """How far each ray (k, m) runs within the boxes of the sides ``room`` (n, m), shape (k,)."""
    columns = np.ascontiguousarray(room.T)
    furthest = columns[0] / rays[:, :1]
    for place in range(1, len(columns)):
        np.minimum(furthest, columns[place] / rays[:, place : place + 1], out=furthest)
    return np.asarray(furthest.max(axis=1))


def _as_good(losses: Floats, targets: Floats) -> NDArray[np.bool_]:
    """Whether each row of losses (n, m) is as good as each target (k, m) in every objective, shape (k, n)."""
    columns = np.ascontiguousarray(losses.T)
    found: NDArray[np.bool_] = columns[0] <= targets[:, :1]
    for place in range(1, len(columns)):
        found &= columns[place] <= targets[:, place : place + 1]
    return found


def knee(losses: Floats) -> int:
    """The row of losses (n, m) with the least Manhattan distance to the ideal, the first of equals.

    Distances are in the range of the front of the rows given. Chiu, Yen and Juan 2017,
    doi:10.48550/arXiv.1705.01705. Raises UsageError where no row is finite.
    """
    losses = _matrix(losses)
    rows = np.flatnonzero(nondominated(losses))
    if not len(rows):
        raise UsageError("a knee was asked of no point; give losses with at least one finite row")
    front = losses[rows]
    return int(rows[normalise(front, *ideal_nadir(front)).sum(axis=1).argmin()])


def subset(scaled: Floats, k: int, reference: float = 1.1) -> list[int]:
    """At most k rows of scaled losses (n, m), ideal 0 and nadir 1, each adding most hypervolume to those before it.

    The greedy subset of Guerreiro, Fonseca and Paquete 2016, doi:10.1162/EVCO_a_00159. The first of equals is taken;
    rows that are not finite never are.
    """
    scaled = _matrix(scaled)
    worst = np.full(scaled.shape[1], reference)
    rows = np.flatnonzero(finite_rows(scaled)).tolist()
    found = _greedy(lambda chosen: float(moocore.hypervolume(scaled[chosen], ref=worst)), rows)
    return [row for row, _ in islice(found, k)]


def common_subset(scaled: Floats, k: int, chosen: Sequence[int] = (), reference: float = 1.1) -> list[int]:
    """At most k rows, each adding most hypervolume, in the mean over cases, to those before it and the chosen ones.

    ``scaled`` (s, n, m) are scaled losses of n rows in s cases, all finite. Ends where no row adds anything.
    """
    worst = np.full(scaled.shape[2], reference)

    def volume(rows: list[int]) -> float:
        return float(np.mean([moocore.hypervolume(case[rows], ref=worst) for case in scaled]))

    found = _greedy(volume, [row for row in range(scaled.shape[1]) if row not in chosen], list(chosen))
    return [row for row, added in islice(found, k) if added > 0]


def _greedy(
    volume: Callable[[list[int]], float], rows: Sequence[int], chosen: Sequence[int] = ()
) -> Iterator[tuple[int, float]]:
    """The rows in the order in which each adds most to those before it, with what it adds.

    Lazily: what a row adds only shrinks as others are taken (Minoux 1978, doi:10.1007/BFb0006528), so it is computed
    anew only while it leads.
    """
    bounds = [(-np.inf, row) for row in rows]
    taken = list(chosen)
    present = volume(taken) if taken else 0.0
    while bounds:
        fresh: set[int] = set()
        while (row := bounds[0][1]) not in fresh:
            heapq.heapreplace(bounds, (present - volume([*taken, row]), row))
            fresh.add(row)
        added = -heapq.heappop(bounds)[0]
        present += added
        taken.append(row)
        yield row, added


def finite_rows(losses: Floats) -> Mask:
    """Which rows (n,) of losses (n, m) have finite values only."""
    return np.asarray(np.isfinite(losses).all(axis=1))


def _matrix(losses: Floats) -> Floats:
    losses = np.asarray(losses, dtype=np.float64)
    if losses.ndim != 2 or losses.shape[1] == 0:
        raise UsageError(f"losses have the shape {losses.shape}; give one row a point and one column an objective")
    return losses


def _column(violation: Floats | None, n: int) -> Floats:
    if violation is None:
        return np.zeros(n)
    violation = np.asarray(violation, dtype=np.float64)
    if violation.shape != (n,):
        raise UsageError(f"violation has the shape {violation.shape}; give one number a row of losses, ({n},)")
    return violation

"""How a study came to its front: hypervolume and size of the front against evaluations, and what failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from moopt import pareto
from moopt.columns import Trials
from moopt.objectives import Floats, Objective, loss_matrix
from moopt.pareto import Mask
from moopt.trial import Source, State, Trial

if TYPE_CHECKING:
    import pandas as pd

MOST_POINTS = 100
"""The growth is looked at after at most so many counts of evaluations."""
_REFERENCE = 1.1
_EXACT_OBJECTIVES, _EXACT_FRONT = 4, 1_500
"""Up to here a hypervolume is exact: at eight objectives one of 200 points takes more than half a minute."""
_FINISHED = [state.value for state in State if state.finished]
_MOST_COUNTED = 5_000
"""Of more dominated trials so many, drawn at random, tell how many were on the fronts before."""


def is_exact(n_objectives: int, n_front: int) -> bool:
    """Whether hypervolumes of such a front are exact, or estimated: :func:`moopt.pareto.estimated_hypervolumes`."""
    return n_objectives <= _EXACT_OBJECTIVES and n_front <= _EXACT_FRONT


def volume(front: Floats, ideal: Floats, nadir: Floats) -> float:
    """Hypervolume of a front (n, m), in losses, on the scale that is 0 at the ideal and 1 at the nadir, up to 1.1.

    See :func:`is_exact`.
    """
    if is_exact(front.shape[1], len(front)):
        return pareto.hypervolume(front, ideal, nadir, _REFERENCE)
    scaled = pareto.normalise(front, ideal, nadir)
    return float(pareto.estimated_hypervolumes(scaled, np.array([len(front)]), _REFERENCE)[0])


def trace(objectives: Sequence[Objective], trials: Sequence[Trial]) -> pd.DataFrame:
    """Columns ``evaluations``, ``hypervolume`` (of the front then, on the scale of the present one), ``share`` (of the
    present hypervolume), ``front`` (its size then) and ``exact`` (whether neither is estimated). Empty for a study
    without a front.
    """
    import pandas as pd

    counts, losses = _history(objectives, trials)
    finite = pareto.finite_rows(losses)
    counts, losses = counts[finite], losses[finite]
    if not len(losses):
        return pd.DataFrame(columns=["evaluations", "hypervolume", "share", "front", "exact"], dtype=float)
    present = pareto.nondominated(losses)
    ideal, nadir = pareto.ideal_nadir(losses[present])
    if len(objectives) == 1:
        nadir = losses.max(axis=0)
    ends = _ends(len(losses))
    exact = is_exact(len(objectives), int(present.sum()))
    scaled = pareto.normalise(losses, ideal, nadir)
    volumes, sizes = _followed(scaled, ends) if exact else _estimated(scaled, present, ends)
    last = volumes[-1]
    return pd.DataFrame(
        {
            "evaluations": counts[ends - 1],
            "hypervolume": volumes,
            "share": volumes / last if last > 0 else 0.0,
            "front": sizes,
            "exact": exact,
        }
    )


def _followed(scaled: Floats, ends: NDArray[np.intp]) -> tuple[Floats, NDArray[np.intp]]:
    """Hypervolume (k,) and size (k,) of the fronts of the first so many rows of scaled losses (n, m)."""
    front, done = scaled[:0], 0
    volumes, sizes = np.empty(len(ends)), np.empty(len(ends), dtype=np.intp)
    unit = np.zeros(scaled.shape[1]), np.ones(scaled.shape[1])
    for at, end in enumerate(ends):
        together = np.concatenate([front, scaled[done:end]])
        front, done = together[pareto.nondominated(together)], end
        volumes[at], sizes[at] = pareto.hypervolume(front, *unit, _REFERENCE), len(front)
    return volumes, sizes


def _estimated(scaled: Floats, present: Mask, ends: NDArray[np.intp]) -> tuple[Floats, NDArray[np.intp]]:
    """As :func:`_followed`; sizes by the trials that are on the present front and those that left it, of many of which
    some drawn at random stand for all.
    """
    left = np.flatnonzero(~present)
    some = left
    if len(left) > _MOST_COUNTED:
        some = np.random.default_rng(0).choice(left, _MOST_COUNTED, replace=False)
    until = pareto.first_dominators(scaled, scaled[some])
    n_then = ((some < ends[:, None]) & (until >= ends[:, None])).sum(axis=1)
    sizes = np.searchsorted(np.flatnonzero(present), ends) + n_then * len(left) / max(1, len(some))
    return pareto.estimated_hypervolumes(scaled, ends, _REFERENCE), np.round(sizes).astype(np.intp)


def basis(frame: pd.DataFrame) -> str:
    """What a :func:`trace` stands on, in words; empty where all is exact."""
    if frame.empty or frame["exact"].all():
        return ""
    return "Hypervolumes are estimates, within about 1 %; so are the sizes of earlier fronts of many trials."


def reached(frame: pd.DataFrame, share: float = 0.95) -> int | None:
    """After how many evaluations the front had this share of its present hypervolume; None where it has none."""
    enough = frame.loc[frame["share"] >= share, "evaluations"]
    return int(enough.iloc[0]) if len(enough) else None


def _history(objectives: Sequence[Objective], trials: Sequence[Trial]) -> tuple[NDArray[np.int64], Floats]:
    """The complete trials in the order of their ends: evaluations until then (n,), and losses (n, m)."""
    columns = Trials.of(trials)
    finished = columns.take(np.isin(columns.state, _FINISHED))
    finished = finished.take(np.argsort(np.nan_to_num(finished.finished_at), kind="stable"))
    paid = np.cumsum(finished.source != Source.SIBLING)
    complete = finished.state == State.COMPLETE
    return paid[complete], loss_matrix(objectives, finished.take(complete).matrix(objectives))


def _ends(n: int) -> NDArray[np.intp]:
    """Where to look: every row while they are few, else evenly spread, the last one always."""
    return np.unique(np.linspace(1, n, min(n, MOST_POINTS)).astype(np.intp))


def failures(trials: Sequence[Trial]) -> pd.DataFrame:
    """Failed trials by what they say: ``failure`` (the kind), ``message``, ``count`` and ``last`` (a trial's number),
    the most frequent first.
    """
    import pandas as pd

    failed = Trials.of(trials).where(State.FAILED)
    rows = [(str(one.failure or State.FAILED), one.message, one.number) for one in failed]
    frame = pd.DataFrame(rows, columns=["failure", "message", "last"])
    found = frame.groupby(["failure", "message"], as_index=False).agg(count=("last", "size"), last=("last", "max"))
    return found.sort_values(["count", "last"], ascending=False, kind="stable")[
        ["failure", "message", "count", "last"]
    ].reset_index(drop=True)

"""How a study came to its front: hypervolume and size of the front against evaluations, pace, failures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from moopt import pareto
from moopt.objectives import Floats, loss_matrix
from moopt.requests import WANTED
from moopt.trial import Source, State, Trial
from moopt_explorer.data import Snapshot

MOST_POINTS = 120
"""The growth is looked at after at most so many counts of evaluations."""
PACE_TRIALS = 30
"""The pace is that of so many of the last trials."""
_REFERENCE = 1.1
_EXACT_OBJECTIVES = 4
"""Up to here a hypervolume is exact: at eight objectives one of 200 points takes more than half a minute."""
_DRAWS = 5_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How far a search is, in fits."""

    n_done: int
    n_wanted: int | None
    """In total; None where the last search had no such end, or where nothing tells."""
    per_minute: float | None
    """None before two fits of the last search are done."""
    remaining_s: float | None
    """None for a search that does not run, or whose end is not known."""


class Volume:
    """Hypervolume of growing fronts on one scale, which is 0 at the ideal and 1 at the nadir, up to 1.1.

    Exact up to four objectives. Above, the share of 5,000 fixed random points that the front dominates (standard error
    at most .007 of the whole): the points are the same each time, so it cannot fall when a front grows.
    """

    def __init__(self, ideal: Floats, nadir: Floats) -> None:
        self._ideal, self._nadir = ideal, nadir
        m = len(ideal)
        self._open = None if m <= _EXACT_OBJECTIVES else np.random.default_rng(0).uniform(0, _REFERENCE, (_DRAWS, m))

    @property
    def is_exact(self) -> bool:
        """Whether nothing is estimated."""
        return self._open is None

    def grown(self, front: Floats, new: Floats) -> float:
        """The hypervolume of a front (n, m), in losses; ``new`` are its members since the last call."""
        if self._open is None:
            return pareto.hypervolume(front, self._ideal, self._nadir, _REFERENCE)
        for point in pareto.normalise(new, self._ideal, self._nadir):
            self._open = self._open[(self._open < point).any(axis=1)]
        return float(_REFERENCE ** len(self._ideal) * (1 - len(self._open) / _DRAWS))


def trace(snapshot: Snapshot) -> pd.DataFrame:
    """Columns ``evaluations``, ``hypervolume`` (of the front then, on the scale of the present one), ``share`` (of the
    present hypervolume) and ``front`` (its size then). Empty for a study without a front.
    """
    counts, losses = _history(snapshot)
    finite = pareto.finite_rows(losses) if len(losses) else np.zeros(0, dtype=bool)
    counts, losses = counts[finite], losses[finite]
    if not len(losses):
        return pd.DataFrame(columns=["evaluations", "hypervolume", "share", "front"], dtype=float)
    present = losses[pareto.nondominated(losses)]
    ideal, nadir = pareto.ideal_nadir(present)
    volume = Volume(ideal, losses.max(axis=0) if losses.shape[1] == 1 else nadir)
    front = np.empty((0, losses.shape[1]))
    rows = []
    done = 0
    for until in _ends(len(losses)):
        together = np.concatenate([front, losses[done:until]])
        kept = pareto.nondominated(together)
        is_new = np.arange(len(together)) >= len(front)
        new, front = together[kept & is_new], together[kept]
        rows.append((int(counts[until - 1]), volume.grown(front, new), len(front)))
        done = until
    frame = pd.DataFrame(rows, columns=["evaluations", "hypervolume", "front"])
    last = frame["hypervolume"].iloc[-1]
    frame["share"] = frame["hypervolume"] / last if last > 0 else 0.0
    return frame


def reached(frame: pd.DataFrame, share: float = 0.95) -> int | None:
    """After how many evaluations the front had this share of its present hypervolume; None where it has none."""
    enough = frame.loc[frame["share"] >= share, "evaluations"]
    return int(enough.iloc[0]) if len(enough) else None


def _history(snapshot: Snapshot) -> tuple[np.ndarray, Floats]:
    """The complete trials in the order of their ends: evaluations until then (n,), and losses (n, m)."""
    finished = [one for one in snapshot.trials if one.state.finished]
    ends = np.array([one.finished_at or 0.0 for one in finished])
    order = np.argsort(ends, kind="stable")
    paid = np.array([one.source is not Source.SIBLING for one in finished], dtype=np.int64)
    complete = np.array([one.state is State.COMPLETE for one in finished], dtype=bool)
    row = np.cumsum(complete) - 1  # the place of a complete trial among the complete ones
    chosen = order[complete[order]] if len(finished) else order
    counts = np.cumsum(paid[order])[complete[order]] if len(finished) else order
    return counts, loss_matrix(snapshot.objectives, snapshot.values)[row[chosen]]


def _ends(n: int) -> list[int]:
    """Where to look: every row while they are few, else evenly spread, the last one always."""
    return sorted(set(np.linspace(1, n, min(n, MOST_POINTS)).astype(int).tolist()))


def pace(snapshot: Snapshot) -> Pace:
    """How far the study's last search is."""
    wanted = snapshot.record.attributes.get(WANTED)
    stated = wanted if isinstance(wanted, Mapping) else {}
    began, n_wanted = stated.get("at"), stated.get("n_trials")
    fits = [one for one in snapshot.trials if one.state.finished and one.source is not Source.SIBLING]
    per_s = _per_s([one.finished_at for one in fits if one.finished_at], began if isinstance(began, float) else 0.0)
    left = n_wanted - len(fits) if isinstance(n_wanted, int) else None
    return Pace(
        n_done=len(fits),
        n_wanted=n_wanted if isinstance(n_wanted, int) else None,
        per_minute=None if per_s is None else 60 * per_s,
        remaining_s=max(0, left) / per_s if snapshot.running and left is not None and per_s else None,
    )


def _per_s(ends: Sequence[float], began: float) -> float | None:
    """Fits a second over the last of those that ended after ``began``, both in Unix seconds."""
    recent = sorted(end for end in ends if end >= began)[-PACE_TRIALS:]
    seconds = recent[-1] - recent[0] if len(recent) > 1 else 0.0
    return (len(recent) - 1) / seconds if seconds > 0 else None


def failures(trials: Sequence[Trial]) -> pd.DataFrame:
    """Failed trials by what they say: ``failure`` (the kind), ``message``, ``count`` and ``last`` (a trial's number),
    the most frequent first.
    """
    rows = [(str(one.failure or State.FAILED), one.message, one.number) for one in trials if one.state is State.FAILED]
    frame = pd.DataFrame(rows, columns=["failure", "message", "last"])
    found = frame.groupby(["failure", "message"], as_index=False).agg(count=("last", "size"), last=("last", "max"))
    return found.sort_values(["count", "last"], ascending=False, kind="stable")[
        ["failure", "message", "count", "last"]
    ].reset_index(drop=True)


def clock(seconds: float) -> str:
    """A duration to come, as people say it: ``40 s``, ``5 min``, ``2 h 10 min``."""
    if seconds < 60:
        return f"{math.ceil(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"

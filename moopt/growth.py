"""How a study came to its front: hypervolume and size of the front against evaluations, and what failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from moopt import pareto
from moopt.frames import value_matrix
from moopt.objectives import Floats, Objective, loss_matrix
from moopt.trial import Source, State, Trial

if TYPE_CHECKING:
    import pandas as pd

MOST_POINTS = 120
"""The growth is looked at after at most so many counts of evaluations."""
_REFERENCE = 1.1
_EXACT_OBJECTIVES = 4
"""Up to here a hypervolume is exact: at eight objectives one of 200 points takes more than half a minute."""
_DRAWS = 5_000


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


def trace(objectives: Sequence[Objective], trials: Sequence[Trial]) -> pd.DataFrame:
    """Columns ``evaluations``, ``hypervolume`` (of the front then, on the scale of the present one), ``share`` (of the
    present hypervolume) and ``front`` (its size then). Empty for a study without a front.
    """
    import pandas as pd

    counts, losses = _history(objectives, trials)
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


def _history(objectives: Sequence[Objective], trials: Sequence[Trial]) -> tuple[NDArray[np.int64], Floats]:
    """The complete trials in the order of their ends: evaluations until then (n,), and losses (n, m)."""
    finished = sorted((one for one in trials if one.state.finished), key=lambda one: one.finished_at or 0.0)
    paid = np.cumsum([one.source is not Source.SIBLING for one in finished], dtype=np.int64)
    rows = [row for row, one in enumerate(finished) if one.state is State.COMPLETE]
    return paid[rows], loss_matrix(objectives, value_matrix(objectives, [finished[row] for row in rows]))


def _ends(n: int) -> list[int]:
    """Where to look: every row while they are few, else evenly spread, the last one always."""
    return sorted(set(np.linspace(1, n, min(n, MOST_POINTS)).astype(int).tolist()))


def failures(trials: Sequence[Trial]) -> pd.DataFrame:
    """Failed trials by what they say: ``failure`` (the kind), ``message``, ``count`` and ``last`` (a trial's number),
    the most frequent first.
    """
    import pandas as pd

    rows = [(str(one.failure or State.FAILED), one.message, one.number) for one in trials if one.state is State.FAILED]
    frame = pd.DataFrame(rows, columns=["failure", "message", "last"])
    found = frame.groupby(["failure", "message"], as_index=False).agg(count=("last", "size"), last=("last", "max"))
    return found.sort_values(["count", "last"], ascending=False, kind="stable")[
        ["failure", "message", "count", "last"]
    ].reset_index(drop=True)

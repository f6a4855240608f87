"""What a view means for a study as it stands: who is left, what is recommended, what became of the pick.

Computed anew on each look, so nothing shown can be older than the limits beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moopt import choose
from moopt.certainty import Certainty
from moopt.choose.limits import apply_limits, limit_text, limits_of, meets_limits
from moopt.errors import NoTrialLeft
from moopt.objectives import Objective, losses, violation
from moopt_explorer.data import Snapshot
from moopt_explorer.state import View


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A view's meaning for a snapshot."""

    objectives: tuple[Objective, ...]
    """With the limits in force."""
    front: choose.Front
    left: NDArray[np.bool_]
    """Which members of the front meet the limits, shape (n,)."""
    preference: str
    """``balanced``, ``knee`` or an objective's name."""
    recommended: int | None
    """The number of the trial that suits the preference best; None where no member is left."""
    way_out: str
    """Where none is left: which limit to relax, in words."""
    relaxation: choose.Relaxation | None
    """Where none is left: the one limit whose relaxation frees most, if one limit alone does."""
    pick: int | None
    """The picked trial, if it may be picked."""
    better: int | None
    """A member of the front that dominates the pick, where one does."""
    notice: str
    """What became of a pick that is not there any more, or what has changed about one that is."""
    certainty: Certainty | None = None
    """How sure the front is, where that is known."""

    @property
    def limits(self) -> dict[str, float]:
        """Objective name -> limit in force."""
        return limits_of(self.objectives)

    @property
    def n_left(self) -> int:
        """Members of the front that meet the limits."""
        return int(self.left.sum())

    @property
    def on_front(self) -> bool:
        """Whether the pick is on the front."""
        return self.pick is not None and self.pick in self.front.numbers

    def why(self) -> choose.Choice | None:
        """The pick with its reason, as recommended where it is that trial; None where there is none on the front."""
        if not self.on_front or self.pick is None:
            return None
        if self.recommended == self.pick:
            return choose.choose(self.objectives, self.front, prefer=self.preference, certainty=self.certainty)
        return choose.pick(self.objectives, self.front, self.pick, certainty=self.certainty)


def answer(snapshot: Snapshot, view: View) -> Answer | None:
    """None for a study without a complete trial."""
    if snapshot.front is None:
        return None
    objectives = apply_limits(snapshot.objectives, view.limits)
    front = choose.front_of(objectives, snapshot.front)
    known, recommended, way_out, relaxation = snapshot.certainty, None, "", None
    try:
        recommended = choose.recommend(objectives, front, prefer=view.preference, certainty=known)
    except NoTrialLeft as error:
        way_out = str(error).partition("\n")[2]
        relaxation = next(iter(choose.relaxations(objectives, front)), None)
    pick, better, notice = _judge(snapshot, objectives, front, view.pick)
    return Answer(
        objectives,
        front,
        meets_limits(front),
        view.preference,
        recommended,
        way_out,
        relaxation,
        pick,
        better,
        notice,
        known,
    )


def _judge(
    snapshot: Snapshot, objectives: tuple[Objective, ...], front: choose.Front, pick: int | None
) -> tuple[int | None, int | None, str]:
    """The pick if it may be picked, the trial that dominates it, and what is to be said about it."""
    if pick is None:
        return None, None, ""
    values = snapshot.values_of(pick)
    if values is None:
        return None, None, f"Trial {pick} is not among the complete trials of this study, so it is not picked."
    missed = [one for one in objectives if one.limit is not None and violation([one], values) > 0]
    if missed:
        stated = " and ".join(limit_text(one, one.limit) for one in missed if one.limit is not None)
        return None, None, f"Trial {pick} misses {stated}, so it is not picked."
    if pick in front.numbers:
        return pick, None, ""
    better = front.numbers[(front.losses <= losses(objectives, values)).all(axis=1)]
    if not better.size:
        return None, None, f"Trial {pick} lacks a value, so it is not picked."
    return pick, int(better[0]), f"Trial {pick} is now dominated by #{better[0]}."

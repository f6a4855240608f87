"""How far a search is: its pace, and what is left of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from moopt.growth import MOST_POINTS
from moopt.objectives import Floats
from moopt.requests import WANTED
from moopt.trial import Source, State
from moopt_explorer.data import Snapshot

_FINISHED = [state.value for state in State if state.finished]
PACE_TRIALS = 30
"""The pace is that of so many of the last trials."""


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


def drawn_until(snapshot: Snapshot) -> int:
    """Up to how many complete trials the course of a study is drawn: all of them, and while it runs as many as its
    points tell apart.
    """
    n_complete = len(snapshot.complete)
    step = max(1, n_complete // MOST_POINTS) if snapshot.running else 1
    return n_complete // step * step


def pace(snapshot: Snapshot) -> Pace:
    """How far the study's last search is."""
    wanted = snapshot.record.attributes.get(WANTED)
    stated = wanted if isinstance(wanted, Mapping) else {}
    began, n_wanted = stated.get("at"), stated.get("n_trials")
    trials = snapshot.columns
    fits = trials.take(np.isin(trials.state, _FINISHED) & (trials.source != Source.SIBLING))
    per_s = _per_s(fits.finished_at, began if isinstance(began, float) else 0.0)
    left = n_wanted - len(fits) if isinstance(n_wanted, int) else None
    return Pace(
        n_done=len(fits),
        n_wanted=n_wanted if isinstance(n_wanted, int) else None,
        per_minute=None if per_s is None else 60 * per_s,
        remaining_s=max(0, left) / per_s if snapshot.running and left is not None and per_s else None,
    )


def _per_s(ends: Floats, began: float) -> float | None:
    """Fits a second over the last of those that ended after ``began``, both in Unix seconds; NaN where not known."""
    recent = np.sort(ends[ends >= began])[-PACE_TRIALS:]
    seconds = float(np.ptp(recent)) if len(recent) > 1 else 0.0
    return (len(recent) - 1) / seconds if seconds > 0 else None


def clock(seconds: float) -> str:
    """A duration to come, as people say it: ``40 s``, ``5 min``, ``2 h 10 min``."""
    if seconds < 60:
        return f"{math.ceil(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"

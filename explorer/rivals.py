"""Two studies of one store by their fronts, in the objectives that they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from moopt import pareto
from moopt.growth import is_exact, volume
from moopt.objectives import Floats, Objective, loss_matrix
from moopt_explorer import marks
from moopt_explorer.data import Snapshot
from moopt_explorer.places import window_of

ONE, OTHER = "one", "other"


@dataclass(frozen=True, slots=True, eq=False)
class Rivals:
    """Two fronts, each the non-dominated trials of its study in the shared objectives (m)."""

    objectives: tuple[Objective, ...]
    fronts: tuple[Floats, Floats]
    """Losses, shapes (n, m) and (k, m)."""
    numbers: tuple[np.ndarray, np.ndarray]
    """The trials' numbers, shapes (n,) and (k,)."""
    hypervolumes: tuple[float, float]
    """On the scale of the front that both have together."""
    is_exact: bool
    dominated: tuple[int, int]
    """How many of each front some member of the other dominates."""


def shared(one: Snapshot, other: Snapshot) -> tuple[Objective, ...]:
    """The objectives that both studies have, with the same direction, unit and scale."""
    known = {_meaning(objective) for objective in other.objectives}
    return tuple(objective for objective in one.objectives if _meaning(objective) in known)


def rivals(one: Snapshot, other: Snapshot) -> Rivals | None:
    """None where they share no objective, or one of them has no complete trial."""
    objectives = shared(one, other)
    if not objectives:
        return None
    (first, numbers), (second, others) = (_front(each, objectives) for each in (one, other))
    if not len(first) or not len(second):
        return None
    both = np.concatenate([first, second])
    on_front = pareto.nondominated(both)
    ideal, nadir = pareto.ideal_nadir(both[on_front])
    if len(objectives) == 1:
        nadir = both.max(axis=0)
    beaten = int((~on_front[: len(first)]).sum()), int((~on_front[len(first) :]).sum())
    return Rivals(
        objectives,
        (first, second),
        (numbers, others),
        (volume(first, ideal, nadir), volume(second, ideal, nadir)),
        is_exact(len(objectives), max(len(first), len(second))),
        beaten,
    )


def drawn(found: Rivals, axes: tuple[Objective, Objective]) -> dict[str, pd.DataFrame]:
    """The frames of both fronts in two objectives: ``steps`` (the attainment of each) and ``points``.

    Both have ``x``, ``y`` in the objectives' own values, and ``study``, which is ``one`` or ``other``.
    """
    columns = [found.objectives.index(axis) for axis in axes]
    pairs = [front[:, columns] for front in found.fronts]
    window = window_of(np.concatenate(pairs))
    steps, points = [], []
    for study, pair, numbers in zip((ONE, OTHER), pairs, found.numbers, strict=True):
        steps.append(marks.in_values(marks.attainment(pair, window), axes).assign(study=study))
        points.append(marks.in_values(pair, axes).assign(study=study, trial=[f"#{number}" for number in numbers]))
    return {"steps": pd.concat(steps, ignore_index=True), "points": pd.concat(points, ignore_index=True)}


def _meaning(objective: Objective) -> tuple[str, str, str, bool]:
    return objective.name, objective.direction, objective.unit, objective.log


def _front(snapshot: Snapshot, objectives: tuple[Objective, ...]) -> tuple[Floats, np.ndarray]:
    places = [[one.name for one in snapshot.objectives].index(objective.name) for objective in objectives]
    losses = loss_matrix(objectives, snapshot.values[:, places])
    rows = np.flatnonzero(pareto.nondominated(losses)) if len(losses) else np.zeros(0, dtype=np.intp)
    return losses[rows], snapshot.complete.number[rows]

"""Which hyperparameter moves which objective, and when that is to be found out anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from moopt.errors import SpaceError
from moopt.importance import TOWARDS, Dependence, Importance, dependence, importances
from moopt.objectives import Objective
from moopt.space import Space
from moopt.store.base import StudyRecord
from moopt_explorer.data import Snapshot

GROWTH = 1.1
"""While a study runs its importances are found out anew when it has so many times the complete trials."""
MOST_SHOWN = 12
FAITHFUL = 0.1
"""A forest that explains less than this share of a target says little about it."""


@dataclass(frozen=True, slots=True, eq=False)
class Influence:
    """What was found out from a study as it stood."""

    n_complete: int
    """Its complete trials then; of many only some were learned from."""
    importances: tuple[Importance, ...]
    """Empty where too few trials are complete, or the space is not known."""


def find_out(snapshot: Snapshot) -> Influence:
    """Fit the forests: some seconds, whatever the number of trials."""
    space = _space(snapshot.record)
    found = [] if space is None else importances(space, snapshot.objectives, snapshot.complete)
    return Influence(len(snapshot.complete), tuple(found))


def is_due(found: Influence | None, snapshot: Snapshot) -> bool:
    """Whether it has to be found out: never before, or the study has grown, by a tenth while it runs."""
    n_complete = len(snapshot.complete)
    if found is None or not snapshot.running:
        return found is None or found.n_complete != n_complete
    return n_complete >= GROWTH * found.n_complete and n_complete > found.n_complete


def depends(snapshot: Snapshot, objective: str, hyperparameter: str) -> Dependence | None:
    """How an objective depends on a hyperparameter; None where no complete trial has it active."""
    space = _space(snapshot.record)
    if space is None or hyperparameter not in space.names:
        return None
    return dependence(space, snapshot.objectives, snapshot.complete, objective, hyperparameter)


def ranking(found: Influence, objective: str) -> list[str]:
    """The hyperparameters by their importance for an objective, the largest first."""
    return next((list(one.shares) for one in found.importances if one.target == objective), [])


def shares_frame(found: Influence) -> pd.DataFrame:
    """A row a hyperparameter and target: ``hyperparameter``, ``target``, ``share``; the hyperparameters that matter
    most anywhere come first, at most MOST_SHOWN.
    """
    largest: dict[str, float] = {}
    for one in found.importances:
        for name, share in one.shares.items():
            largest[name] = max(share, largest.get(name, 0.0))
    shown = sorted(largest, key=lambda name: -largest[name])[:MOST_SHOWN]
    rows = [(name, one.target, one.shares[name]) for name in shown for one in found.importances]
    return pd.DataFrame(rows, columns=["hyperparameter", "target", "share"])


def unexplained(found: Influence) -> list[Importance]:
    """The targets about which the forest says little."""
    return [one for one in found.importances if one.explained < FAITHFUL]


def target_names(objectives: Sequence[Objective]) -> list[str]:
    """All targets in their order: the objectives, then the trade-off seen towards each."""
    names = [one.name for one in objectives]
    return names if len(names) == 1 else [*names, *(f"{TOWARDS}{name}" for name in names)]


def _space(record: StudyRecord) -> Space | None:
    try:
        return Space.from_json(record.space)
    except SpaceError:
        return None

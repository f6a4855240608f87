"""Parallel coordinates of the front, as frames: a column an objective, turned so that up is good, between 0 and 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from moopt.choose import Front
from moopt.objectives import Floats, Objective, format_value, loss_matrix, values_of
from moopt_explorer.thinning import MOST_MARKS, thinned

WITHIN, BEYOND, DEFAULT, RECOMMENDED, PICKED = (
    "within the limits",
    "beyond a limit",
    "default config",
    "recommended",
    "picked",
)
KINDS = (BEYOND, WITHIN, DEFAULT, RECOMMENDED, PICKED)
"""In their drawing order."""
Brushes = Mapping[int, tuple[float, float]]
"""An objective's place -> the part of its axis that is brushed, 0 to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """What is to be drawn: a line a trial, of a large front not for every member."""

    objectives: tuple[Objective, ...]
    worst: Floats
    """Shape (m,): the losses at the foot of each axis."""
    best: Floats
    """Shape (m,): the losses at its top; below ``worst``."""
    numbers: NDArray[np.int64]
    """Shape (n,): the members of the front, drawn or not."""
    heights: Floats
    """Shape (n, m): where they lie on each axis, 0 to 1."""
    frame: pd.DataFrame
    """A row a line: ``trial``, ``kind``, and for each objective ``c0``... between 0 and 1, the value ``v0``... and the
    same as a text, ``o0``..."""

    @property
    def n_drawn(self) -> int:
        """How many members of the front have a line."""
        return int(np.isin(self.numbers, self.frame["trial"]).sum())

    def brushed(self, brushes: Brushes) -> list[int]:
        """The members of the front, drawn or not, that lie in every brush."""
        inside = np.ones(len(self.numbers), dtype=bool)
        for place, (low, high) in brushes.items():
            inside &= (self.heights[:, place] >= low) & (self.heights[:, place] <= high)
        numbers: list[int] = self.numbers[inside].tolist()
        return numbers

    def limits(self, brushes: Brushes) -> dict[str, float]:
        """Objective name -> the value at the foot of its brush, where that is above the foot of the axis."""
        found = {}
        for place, (low, _) in brushes.items():
            objective = self.objectives[place]
            if low > 0:
                at = self.worst[place] + low * (self.best[place] - self.worst[place])
                found[objective.name] = round_limit(objective, float(values_of(objective, np.array(at))))
        return found


def lines(
    front: Front,
    left: NDArray[np.bool_],
    extra: Sequence[tuple[int, str, Floats]],
    describe: Callable[[int], str],
    most: int = MOST_MARKS,
) -> Lines:
    """The front's members, ``most`` of them, and others (number, kind, values (m,)) drawn on top, such as the default
    config. Of a larger front the best in each objective come first, then those within the limits.
    """
    best, worst = front.losses.min(axis=0), front.losses.max(axis=0)
    worst = np.where(worst > best, worst, best + 1.0)

    def heights(losses: Floats) -> Floats:
        # What is worse than all of the front lies at the foot: its distance would press the front together.
        return np.asarray(np.clip((worst - losses) / (worst - best), 0.0, 1.0))

    ranks = np.where(front.losses == best, 0, np.where(left, 1, 2)[:, None]).min(axis=1)
    drawn = np.flatnonzero(thinned(front.losses[:, 0], ranks, most))
    numbers = [*front.numbers[drawn].tolist(), *(number for number, _, _ in extra)]
    kinds = [WITHIN if left[place] else BEYOND for place in drawn] + [kind for _, kind, _ in extra]
    values = np.vstack([front.values[drawn], *(row[None] for _, _, row in extra)])
    at = heights(loss_matrix(front.objectives, values))
    places = range(len(front.objectives))
    columns = {f"c{place}": at[:, place] for place in places}
    plain = {f"v{place}": values[:, place] for place in places}
    texts = {
        f"o{place}": [format_value(one, float(value)) for value in values[:, place]]
        for place, one in enumerate(front.objectives)
    }
    frame = pd.DataFrame({"trial": numbers, "kind": kinds, **columns, **plain, **texts})
    frame["config"] = [describe(int(number)) for number in numbers]
    frame["order"] = frame["kind"].map({kind: place for place, kind in enumerate(KINDS)})
    frame = frame.sort_values("order", kind="stable").reset_index(drop=True)
    return Lines(front.objectives, worst, best, front.numbers, heights(front.losses), frame)


def round_limit(objective: Objective, value: float) -> float:
    """A value with three significant digits, never stricter than it was."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (np.floor(np.log10(abs(value))) - 2)
    turned = np.ceil(value / unit) if objective.direction == "minimize" else np.floor(value / unit)
    return float(f"{turned * unit:.6g}")

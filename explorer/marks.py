"""What a scatter of two objectives draws, as frames: the window, the cloud, the step, the points, the limits.

Frames are in the objectives' own values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from moopt.certainty import Certainty
from moopt.objectives import Floats, Objective, format_value, loss, values_of
from moopt.pareto import nondominated
from moopt_explorer.places import Axes, Places, Window, cells, window_of
from moopt_explorer.state import TRIAL_NUMBER
from moopt_explorer.thinning import thinned

MOST_POINTS = 250
"""So many members of the front are drawn one by one, each as a mark to be seen and one to be clicked."""
FRONT, BEYOND, DOMINATED = "front", "front, beyond a limit", "dominated"
TIED, DEFAULT, RECOMMENDED, PICKED = "tie", "default config", "recommended", "picked"
SIZES = {FRONT: 55, BEYOND: 40, DOMINATED: 18, TIED: 170, DEFAULT: 130, RECOMMENDED: 300, PICKED: 150}
"""The kinds of points, in their drawing order, with their areas in square pixels."""
SIDES = ("across", "upwards")
"""The names of the limits' frames, an axis each."""
FAINTEST = 0.25
"""How opaque a member of the front is that hardly belongs there."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What is to be drawn where."""

    places: Places
    window: Window
    within: NDArray[np.bool_]
    """Which members of the front meet the limits, shape (k,)."""
    drawn: NDArray[np.bool_]
    """Which of them are drawn one by one, shape (k,); the others are in the cloud."""
    pick: int | None = None
    recommended: int | None = None
    certainty: Certainty | None = None

    @property
    def tied(self) -> tuple[int, ...]:
        """Numbers of the trials that differ within noise from the pick, or from what is recommended without one."""
        number = self.recommended if self.pick is None else self.pick
        return () if number is None or self.certainty is None else self.certainty.ties_of(number)

    @property
    def n_outside(self) -> int:
        """How many dominated trials the window leaves out."""
        return self.places.dominated(self.window).n_outside


def scene(
    places: Places,
    left: NDArray[np.int64],
    *,
    pick: int | None = None,
    recommended: int | None = None,
    whole: bool = False,
    certainty: Certainty | None = None,
) -> Scene:
    """The scene of trials, of which those numbered ``left`` (j,) are on the front and meet the limits.

    Without ``whole`` the window keeps to the surroundings of what is marked: the front, the default config, the pick.
    A single objective is shown whole.
    """
    if whole or places.axes[0] == TRIAL_NUMBER:
        window = places.whole
    else:
        marked = places.front | places.default
        marked[places.rows(pick, recommended)] = True
        window = window_of(places.pair[marked])
    within = np.isin(places.numbers[places.members], left)
    drawn = _drawn(places.pair[places.members], within)
    return Scene(places, window, within, drawn, pick, recommended, certainty)


def _drawn(pair: Floats, within: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of a large front (k, 2) the corners of its step come first, then who is within the limits."""
    if len(pair) <= MOST_POINTS:
        return np.ones(len(pair), dtype=bool)
    ranks, inside = np.where(within, 1, 2), within.nonzero()[0]
    ranks[inside[nondominated(pair[inside])]] = 0
    return thinned(pair[:, 0], ranks, MOST_POINTS)


def datasets(
    scene: Scene, objectives: Sequence[Objective], limits: Mapping[str, float], describe: Callable[[int], str]
) -> dict[str, pd.DataFrame]:
    """All frames of a scene by the names that the spec knows, one of them for each axis with a limit.

    ``describe`` gives a trial's config as a line.
    """
    places, window = scene.places, scene.window
    reached = places.pair[places.members[scene.within]]
    if places.axes[0] == TRIAL_NUMBER:  # over the trials' numbers the step is the best so far
        reached = places.pair
    return {
        "window": in_values(np.array([window.low, window.high]), places.axes),
        "cloud": _cloud(scene),
        "steps": in_values(attainment(reached, window), places.axes),
        "points": _points(scene, objectives, describe),
        "labels": _labels(scene),
        **{
            side: _limit(scene, column, limits[objective.name])
            for column, (side, objective) in enumerate(zip(SIDES, places.axes, strict=True))
            if objective.name in limits
        },
    }


def _cloud(scene: Scene) -> pd.DataFrame:
    """What is not drawn one by one, a row a cell: the middle of those in it (``x``, ``y``), how many they are (``n``),
    what they are (``kind``: ``front`` where any is) and both as a ``text``.
    """
    places = scene.places
    dominated = places.dominated(scene.window)
    members = cells(places.pair[places.members[~scene.drawn]], scene.window)
    counts = dominated.counts + members.counts
    filled = np.flatnonzero(counts)
    middles = (dominated.sums + members.sums)[filled] / counts[filled, None]
    told = zip(dominated.counts[filled].tolist(), members.counts[filled].tolist(), strict=True)
    return in_values(middles, places.axes).assign(
        n=counts[filled],
        kind=np.where(members.counts[filled] > 0, FRONT, DOMINATED),
        text=[_told(*each) for each in told],
    )


def _told(n_dominated: int, n_members: int) -> str:
    dominated = f"{n_dominated} dominated {'trial' if n_dominated == 1 else 'trials'}"
    members = f"{n_members} more of the front"
    return " and ".join(told for told, n in ((members, n_members), (dominated, n_dominated)) if n)


def attainment(pair: Floats, window: Window) -> Floats:
    """Corners (k, 2) of the step that separates what some point (n, 2) reaches, in losses, from what none does."""
    if not len(pair):
        return np.empty((0, 2))
    best = np.unique(pair[nondominated(pair)], axis=0)  # by the first loss, so the second one falls
    corners = np.empty((2 * len(best) + 1, 2))
    corners[1::2] = best
    corners[0] = best[0, 0], window.high[1]
    corners[2::2, 0] = np.append(best[1:, 0], window.high[0])
    corners[2::2, 1] = best[:, 1]
    return corners


def in_values(points: Floats, axes: Axes) -> pd.DataFrame:
    """Points (n, 2) in losses, back in the objectives' own values and in their order."""
    named = {name: values_of(axes[column], points[:, column]) for column, name in enumerate("xy")}
    return pd.DataFrame({**named, "order": np.arange(len(points))})


def _points(scene: Scene, objectives: Sequence[Objective], describe: Callable[[int], str]) -> pd.DataFrame:
    """The points to be clicked, in drawing order; a trial may be drawn as several kinds."""
    places = scene.places
    of_kind = _rows(scene)
    rows = np.concatenate(list(of_kind.values()))
    kinds = np.repeat(list(of_kind), [len(found) for found in of_kind.values()]).tolist()
    numbers, values = places.numbers[rows].tolist(), places.values[rows]
    return pd.DataFrame(
        {
            "trial": numbers,
            "x": places.across[rows],
            "y": places.upwards[rows],
            "kind": kinds,
            "size": [SIZES[kind] for kind in kinds],
            "opacity": [
                _opacity(scene.certainty, number) if kind in (FRONT, BEYOND) else 1.0
                for number, kind in zip(numbers, kinds, strict=True)
            ],
            "likely": [_likely(scene.certainty, number) for number in numbers],
            **{
                f"o{column}": [format_value(one, value) for value in values[:, column].tolist()]
                for column, one in enumerate(objectives)
            },
            "config": [describe(number) for number in numbers],
            "aria": [f"trial {number}" for number in numbers],
        }
    )


def _rows(scene: Scene) -> dict[str, NDArray[np.int64]]:
    """The rows of the trials that are drawn as each kind, in drawing order."""
    places = scene.places
    numbers = places.numbers[places.members]
    shown = scene.drawn | np.isin(places.members, places.rows(scene.pick, scene.recommended))
    return {
        BEYOND: places.members[shown & ~scene.within],
        FRONT: places.members[shown & scene.within],
        TIED: places.members[shown & np.isin(numbers, scene.tied)],
        DEFAULT: np.flatnonzero(places.default),
        RECOMMENDED: places.rows(scene.recommended),
        PICKED: places.rows(scene.pick),
    }


def _opacity(known: Certainty | None, number: int) -> float:
    probability = None if known is None else known.probability_of(number)
    return 1.0 if probability is None else FAINTEST + (1 - FAINTEST) * probability


def _likely(known: Certainty | None, number: int) -> str:
    probability = None if known is None else known.probability_of(number)
    return "not known" if probability is None else f"{100 * probability:.0f} %"


def _labels(scene: Scene) -> pd.DataFrame:
    """The numbers beside the pick and the recommended trial."""
    places = scene.places
    rows = places.rows(scene.pick, scene.recommended)
    text = [f"#{number}" for number in places.numbers[rows].tolist()]
    return pd.DataFrame({"x": places.across[rows], "y": places.upwards[rows], "text": text})


def _limit(scene: Scene, column: int, limit: float) -> pd.DataFrame:
    """One row: a limit, held inside the window; at its far edge, and unseen, where it lies beyond."""
    objective, window = scene.places.axes[column], scene.window
    place = loss(objective, limit)
    inside = float(np.clip(place, window.low[column], window.high[column]))
    text = "" if place > window.high[column] else f"limit {format_value(objective, limit)}"
    at = values_of(objective, np.array([inside]))
    return pd.DataFrame({"limit": at, "text": [text], "seen": [float(bool(text))]})

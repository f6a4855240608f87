"""What a scatter of two objectives draws, as frames: the window, the cloud, the step, the points, the limits.

Places are losses, so that one rule holds for every direction and scale; frames are in the objectives' own values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from moopt.certainty import Certainty
from moopt.objectives import Floats, Objective, format_value, loss, loss_matrix, values_of
from moopt.pareto import nondominated
from moopt_explorer.data import VALUE
from moopt_explorer.state import TRIAL_NUMBER
from moopt_explorer.thinning import thinned

CELLS = (32, 24)
"""The cloud has at most so many cells across and upwards."""
MOST_POINTS = 250
"""So many members of the front are drawn one by one, each as a mark to be seen and one to be clicked."""
FRONT, BEYOND, DOMINATED = "front", "front, beyond a limit", "dominated"
TIED, DEFAULT, RECOMMENDED, PICKED = "tie", "default config", "recommended", "picked"
SIZES = {FRONT: 55, BEYOND: 40, DOMINATED: 18, TIED: 170, DEFAULT: 130, RECOMMENDED: 300, PICKED: 150}
"""The kinds of points, in their drawing order, with their areas in square pixels."""
FAINTEST = 0.25
"""How opaque a member of the front is that hardly belongs there."""
_MARGIN = 0.12
Axes = tuple[Objective, Objective]


@dataclass(frozen=True, slots=True)
class Window:
    """The part of two objectives that a picture shows, in losses."""

    low: tuple[float, float]
    high: tuple[float, float]

    def holds(self, points: Floats) -> NDArray[np.bool_]:
        """Which points (n, 2), in losses, are in it."""
        return np.asarray(((points >= self.low) & (points <= self.high)).all(axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What is to be drawn where."""

    trials: pd.DataFrame
    """Complete trials with a finite loss on both axes."""
    pair: Floats
    """Their losses on both axes, shape (n, 2)."""
    axes: Axes
    window: Window
    pick: int | None
    recommended: int | None
    drawn: NDArray[np.bool_]
    """Which of them are members of the front that are drawn one by one, shape (n,); other members are in the cloud."""
    certainty: Certainty | None = None

    @property
    def front(self) -> NDArray[np.bool_]:
        """Which of the trials are on the front, shape (n,)."""
        return self.trials["front"].to_numpy(bool)

    @property
    def tied(self) -> tuple[int, ...]:
        """Numbers of the trials that differ within noise from the pick, or from what is recommended without one."""
        number = self.recommended if self.pick is None else self.pick
        return () if number is None or self.certainty is None else self.certainty.ties_of(number)

    @property
    def n_outside(self) -> int:
        """How many of the trials the window leaves out."""
        return int((~self.window.holds(self.pair)).sum())


def scene(
    trials: pd.DataFrame,
    axes: Axes,
    *,
    pick: int | None = None,
    recommended: int | None = None,
    whole: bool = False,
    certainty: Certainty | None = None,
) -> Scene:
    """The scene of complete trials.

    Columns: ``number``, the flags ``front``, ``within`` (the limits) and ``default``, and ``value_<objective>``.
    Without ``whole`` the window keeps to the surroundings of what is marked: the front, the default config, the pick.
    A single objective is shown whole.
    """
    pair = loss_matrix(axes, np.column_stack([_column(trials, one) for one in axes]))
    finite = np.flatnonzero(np.isfinite(pair).all(axis=1))
    trials, pair = trials.iloc[finite], pair[finite]
    marked = (trials["front"] | trials["default"] | trials["number"].isin(_numbers(pick, recommended))).to_numpy(bool)
    window = window_of(pair if whole or axes[0] == TRIAL_NUMBER else pair[marked])
    front, within = trials["front"].to_numpy(bool), trials["within"].to_numpy(bool)
    return Scene(trials, pair, axes, window, pick, recommended, _drawn(pair, front, within), certainty)


def _drawn(pair: Floats, front: NDArray[np.bool_], within: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of the front the corners of its step first, then who is within the limits."""
    drawn = front.copy()
    if front.sum() > MOST_POINTS:
        corners = (front & within).nonzero()[0]
        ranks = np.where(within, 1, 2)
        ranks[corners[nondominated(pair[corners])]] = 0
        drawn[front] = thinned(pair[front, 0], ranks[front], MOST_POINTS)
    return drawn


def window_of(points: Floats) -> Window:
    """The window around points (n, 2), in losses, with a margin; a unit square where there is none."""
    if not len(points):
        return Window((0.0, 0.0), (1.0, 1.0))
    low, high = points.min(axis=0), points.max(axis=0)
    span = np.where(high > low, high - low, np.maximum(np.abs(high), 1.0) * 0.1)
    low, high = low - _MARGIN * span, high + _MARGIN * span
    return Window((float(low[0]), float(low[1])), (float(high[0]), float(high[1])))


def datasets(
    scene: Scene, objectives: Sequence[Objective], limits: Mapping[str, float], describe: Callable[[int], str]
) -> dict[str, pd.DataFrame]:
    """All frames of a scene by the names that the spec knows; ``describe`` gives a trial's config as a line."""
    reached = scene.front & scene.trials["within"].to_numpy(bool)
    if scene.axes[0] == TRIAL_NUMBER:  # over the trials' numbers the step is the best so far
        reached = np.ones(len(reached), dtype=bool)
    return {
        "window": in_values(np.array([scene.window.low, scene.window.high]), scene.axes),
        "cloud": cloud(scene.pair[~scene.drawn], scene.front[~scene.drawn], scene.axes, scene.window),
        "steps": in_values(attainment(scene.pair[reached], scene.window), scene.axes),
        "points": _points(scene, objectives, describe),
        "labels": _labels(scene),
        "across": _limit(scene, 0, limits),
        "upwards": _limit(scene, 1, limits),
    }


def cloud(pair: Floats, front: NDArray[np.bool_], axes: Axes, window: Window) -> pd.DataFrame:
    """Points (n, 2), in losses, of which some are members of the front (n,), as at most 32 x 24 cells: the middle of
    those in a cell (``x``, ``y``), how many they are (``n``), what they are (``kind``: ``front`` where any is) and both
    as a ``text``.
    """
    inside = window.holds(pair)
    pair, front = pair[inside], front[inside]
    low, high = np.array(window.low), np.array(window.high)
    place = np.minimum(((pair - low) / (high - low) * CELLS).astype(np.int64), np.array(CELLS) - 1)
    cell, n_cells = place[:, 0] + CELLS[0] * place[:, 1], CELLS[0] * CELLS[1]
    counts, members = np.bincount(cell, minlength=n_cells), np.bincount(cell[front], minlength=n_cells)
    sums = np.column_stack([np.bincount(cell, pair[:, column], n_cells) for column in (0, 1)])
    filled = counts > 0
    counts, members = counts[filled], members[filled]
    frame = in_values(sums[filled] / counts[:, None], axes)
    frame["n"] = counts
    frame["kind"] = np.where(members > 0, FRONT, DOMINATED)
    frame["text"] = [_told(*each) for each in zip(counts - members, members, strict=True)]
    return frame


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


def _column(trials: pd.DataFrame, objective: Objective) -> Floats:
    name = "number" if objective == TRIAL_NUMBER else f"{VALUE}{objective.name}"
    return trials[name].to_numpy(np.float64)


def _numbers(*numbers: int | None) -> list[int]:
    return [number for number in numbers if number is not None]


def _points(scene: Scene, objectives: Sequence[Objective], describe: Callable[[int], str]) -> pd.DataFrame:
    """The points to be clicked, in drawing order; a trial may be drawn as several kinds."""
    trials = scene.trials
    chosen = trials[scene.drawn | trials["default"] | trials["number"].isin(_numbers(scene.pick, scene.recommended))]
    numbers, front, within = (chosen[name].to_numpy() for name in ("number", "front", "within"))
    masks = {
        BEYOND: front & ~within,
        FRONT: front & within,
        TIED: front & np.isin(numbers, scene.tied),
        DEFAULT: chosen["default"].to_numpy(),
        RECOMMENDED: np.isin(numbers, _numbers(scene.recommended)),
        PICKED: np.isin(numbers, _numbers(scene.pick)),
    }
    rows = np.concatenate([np.flatnonzero(mask) for mask in masks.values()])
    kinds = np.repeat(list(masks), [int(mask.sum()) for mask in masks.values()])
    values = {one.name: _column(chosen, one)[rows] for one in (*scene.axes, *objectives)}
    return pd.DataFrame(
        {
            "trial": numbers[rows],
            "x": values[scene.axes[0].name],
            "y": values[scene.axes[1].name],
            "kind": kinds,
            "size": [SIZES[kind] for kind in kinds],
            "opacity": [
                _opacity(scene.certainty, int(number)) if kind in (FRONT, BEYOND) else 1.0
                for number, kind in zip(numbers[rows], kinds, strict=True)
            ],
            "likely": [_likely(scene.certainty, int(number)) for number in numbers[rows]],
            **{f"o{i}": [format_value(one, v) for v in values[one.name]] for i, one in enumerate(objectives)},
            "config": [describe(int(number)) for number in numbers[rows]],
            "aria": [f"trial {number}" for number in numbers[rows]],
        }
    )


def _opacity(known: Certainty | None, number: int) -> float:
    probability = None if known is None else known.probability_of(number)
    return 1.0 if probability is None else FAINTEST + (1 - FAINTEST) * probability


def _likely(known: Certainty | None, number: int) -> str:
    probability = None if known is None else known.probability_of(number)
    return "not known" if probability is None else f"{100 * probability:.0f} %"


def _labels(scene: Scene) -> pd.DataFrame:
    """The numbers beside the pick and the recommended trial."""
    labelled = scene.trials[scene.trials["number"].isin(_numbers(scene.pick, scene.recommended))]
    return pd.DataFrame(
        {
            "x": _column(labelled, scene.axes[0]),
            "y": _column(labelled, scene.axes[1]),
            "text": [f"#{number}" for number in labelled["number"]],
        }
    )


def _limit(scene: Scene, column: int, limits: Mapping[str, float]) -> pd.DataFrame:
    """One row: the limit, held inside the window; at its far edge, and unseen, where there is none to be seen."""
    objective, window = scene.axes[column], scene.window
    limit = limits.get(objective.name)
    place = window.high[column] if limit is None else loss(objective, limit)
    inside = float(np.clip(place, window.low[column], window.high[column]))
    text = "" if limit is None or place > window.high[column] else f"limit {format_value(objective, limit)}"
    at = values_of(objective, np.array([inside]))
    return pd.DataFrame({"limit": at, "text": [text], "seen": [float(bool(text))]})

"""Where all trials of a study lie on two objectives, whatever the limits are: counted once, drawn many times.

Places are losses, so that one rule holds for every direction and scale; arrays only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from moopt.objectives import Floats, Objective, loss_matrix
from moopt_explorer.state import TRIAL_NUMBER

CELLS = (32, 24)
"""A cloud has at most so many cells across and upwards."""
_N_CELLS = CELLS[0] * CELLS[1]
_MARGIN = 0.12
_MOST_KEPT = 8
Axes = tuple[Objective, Objective]


@dataclass(frozen=True, slots=True)
class Window:
    """The part of two objectives that a picture shows, in losses."""

    low: tuple[float, float]
    high: tuple[float, float]

    def holds(self, points: Floats) -> NDArray[np.bool_]:
        """Which points (n, 2), in losses, are in it, shape (n,)."""
        inside = [
            (points[:, column] >= self.low[column]) & (points[:, column] <= self.high[column]) for column in (0, 1)
        ]
        return np.asarray(inside[0] & inside[1])


def window_of(points: Floats) -> Window:
    """The window around points (n, 2), in losses, with a margin; a unit square where there is none."""
    if not len(points):
        return Window((0.0, 0.0), (1.0, 1.0))
    low, high = points.min(axis=0), points.max(axis=0)
    span = np.where(high > low, high - low, np.maximum(np.abs(high), 1.0) * 0.1)
    low, high = low - _MARGIN * span, high + _MARGIN * span
    return Window((float(low[0]), float(low[1])), (float(high[0]), float(high[1])))


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Points in the cells of a window, row by row."""

    counts: NDArray[np.int64]
    """How many are in each, shape (32 * 24,)."""
    sums: Floats
    """Of their losses, shape (32 * 24, 2)."""
    n_outside: int
    """How many lie in none."""


def cells(pair: Floats, window: Window) -> Cells:
    """Points (n, 2), in losses, counted in the cells of a window."""
    inside = pair[window.holds(pair)]
    low, high = np.array(window.low), np.array(window.high)
    place = np.minimum(((inside - low) / (high - low) * CELLS).astype(np.int64), np.array(CELLS) - 1)
    cell = place[:, 0] + CELLS[0] * place[:, 1]
    counts = np.bincount(cell, minlength=_N_CELLS)
    sums: Floats = np.column_stack([np.bincount(cell, inside[:, column], _N_CELLS) for column in (0, 1)])
    return Cells(counts, sums, len(pair) - len(inside))


@dataclass(frozen=True, eq=False)
class Places:
    """The complete trials with a finite loss on both axes."""

    axes: Axes
    """Without limits."""
    numbers: NDArray[np.int64]
    """Shape (n,), ascending."""
    pair: Floats
    """Their losses on both axes, shape (n, 2)."""
    across: Floats
    """Their own values on the first axis, shape (n,)."""
    upwards: Floats
    """Their own values on the second axis, shape (n,)."""
    values: Floats
    """Their values of all objectives, shape (n, m)."""
    front: NDArray[np.bool_]
    """Which of them are on the front, shape (n,)."""
    default: NDArray[np.bool_]
    """Which of them are default configs, shape (n,)."""

    @cached_property
    def members(self) -> NDArray[np.int64]:
        """The rows of the front's members, shape (k,)."""
        return np.flatnonzero(self.front)

    @cached_property
    def whole(self) -> Window:
        """The window around all of them."""
        return window_of(self.pair)

    def rows(self, *numbers: int | None) -> NDArray[np.int64]:
        """The rows of trials by their numbers; what is not here is left out."""
        wanted = np.unique([number for number in numbers if number is not None]).astype(np.int64)
        at = np.searchsorted(self.numbers, wanted)
        there = at < len(self.numbers)
        return np.asarray(at[there][self.numbers[at[there]] == wanted[there]])

    def dominated(self, window: Window) -> Cells:
        """The trials that are not on the front, counted in the cells of a window; kept for the next time."""
        if window not in self._counted:
            if len(self._counted) >= _MOST_KEPT:
                self._counted.clear()
            self._counted[window] = cells(self.pair[~self.front], window)
        return self._counted[window]

    @cached_property
    def _counted(self) -> dict[Window, Cells]:
        return {}


def places(
    axes: Axes,
    objectives: Sequence[Objective],
    numbers: NDArray[np.int64],
    values: Floats,
    front: NDArray[np.bool_],
    default: NDArray[np.bool_],
) -> Places:
    """Trials (n,) with their values (n, m) of the objectives on two axes; an axis may be the trials' numbers."""
    by_name = {one.name: values[:, column] for column, one in enumerate(objectives)}
    across, upwards = (numbers.astype(np.float64) if one == TRIAL_NUMBER else by_name[one.name] for one in axes)
    plain = without_limits(axes)
    pair = loss_matrix(plain, np.column_stack([across, upwards]))
    finite = np.flatnonzero(np.isfinite(pair).all(axis=1))
    return Places(
        plain,
        numbers[finite],
        pair[finite],
        across[finite],
        upwards[finite],
        values[finite],
        front[finite],
        default[finite],
    )


def without_limits(axes: Axes) -> Axes:
    """Both axes as they are wherever the limits stand."""
    return replace(axes[0], limit=None), replace(axes[1], limit=None)

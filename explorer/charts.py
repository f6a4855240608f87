"""A frame of trials -> the spec of a chart, with its data as datasets.

A spec is written once in Altair and cached, since checking it costs more than everything else of a
page; what changes from one look to the next are the datasets. Fields have fixed plain names, so that
no objective's name can be taken for a path or a formula.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from moopt.objectives import Floats, Objective, format_value, loss, loss_matrix
from moopt.pareto import nondominated
from moopt_explorer.state import TRIAL_NUMBER

SELECTION = "picked"
CELLS = (40, 30)
"""The cloud has at most so many cells across and upwards."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one theme, after Okabe and Ito; shape and size tell the same story."""

    front: str
    chosen: str
    default: str
    cloud: str
    text: str


LIGHT = Palette("#0072B2", "#D55E00", "#009E73", "#8a8a8a", "#1f2428")
DARK = Palette("#56B4E9", "#E69F00", "#00b584", "#9a9a9a", "#e6e8ea")
_SIZES = {
    "front": 55,
    "front, beyond a limit": 40,
    "dominated": 18,
    "default config": 130,
    "recommended": 300,
    "picked": 150,
}
_MARGIN = 0.12


@dataclass(frozen=True, slots=True)
class Window:
    """The part of two objectives that a picture shows, in losses, each end a little beyond the trials in it."""

    low: tuple[float, float]
    high: tuple[float, float]

    def holds(self, points: Floats) -> NDArray[np.bool_]:
        """Which points (n, 2), in losses, are in it."""
        return np.asarray(((points >= self.low) & (points <= self.high)).all(axis=1))


def scatter(
    trials: pd.DataFrame,
    objectives: Sequence[Objective],
    axes: tuple[Objective, Objective],
    *,
    limits: Mapping[str, float],
    pick: int | None = None,
    recommended: int | None = None,
    whole: bool = False,
    palette: Palette = LIGHT,
) -> dict[str, Any]:
    """The scatter of two objectives.

    ``trials`` are complete trials with the columns ``number``, ``front``, ``within``, ``default`` (three flags),
    ``config`` (a line of text) and the objectives. Without ``whole`` the picture keeps to the surroundings of the
    front and the default config.
    """
    pair = loss_matrix(axes, trials[[axes[0].name, axes[1].name]].to_numpy(np.float64))
    trials, pair = trials[np.isfinite(pair).all(axis=1)], pair[np.isfinite(pair).all(axis=1)]
    window = window_of(pair, whole | trials["front"].to_numpy(bool) | trials["default"].to_numpy(bool))
    shown = {
        "window": _in_values(np.array([window.low, window.high]), axes),
        "cloud": cloud(pair[~trials["front"].to_numpy(bool)], axes, window),
        "steps": _in_values(attainment(pair[(trials["front"] & trials["within"]).to_numpy(bool)], window), axes),
        "points": _points(trials, objectives, axes, pick, recommended),
        "labels": _labels(trials, axes, pick, recommended),
        "across": _limit_rows(axes, 0, limits, window),
        "upwards": _limit_rows(axes, 1, limits, window),
    }
    return dict(scatter_spec(axes, tuple(objectives), palette), datasets=shown)


def window_of(pair: Floats, inside: NDArray[np.bool_]) -> Window:
    """The window around the marked points (n, 2), in losses, with a margin; a unit square where there is none."""
    points = pair[inside]
    if not len(points):
        return Window((0.0, 0.0), (1.0, 1.0))
    low, high = points.min(axis=0), points.max(axis=0)
    span = np.where(high > low, high - low, np.maximum(np.abs(high), 1.0) * 0.1)
    low, high = low - _MARGIN * span, high + _MARGIN * span
    return Window((float(low[0]), float(low[1])), (float(high[0]), float(high[1])))


def n_outside(trials: pd.DataFrame, axes: tuple[Objective, Objective]) -> int:
    """How many of the complete trials the picture of the front leaves out."""
    pair = loss_matrix(axes, trials[[axes[0].name, axes[1].name]].to_numpy(np.float64))
    finite = np.isfinite(pair).all(axis=1)
    marked = (trials["front"] | trials["default"]).to_numpy(bool) & finite
    return int((finite & ~window_of(pair, marked).holds(pair)).sum())


def cloud(pair: Floats, axes: tuple[Objective, Objective], window: Window) -> pd.DataFrame:
    """Points (n, 2), in losses, as at most 40 x 30 cells: the middle of those in a cell (``x``, ``y``) and how many
    they are (``n`` and, for a tooltip, ``text``).
    """
    pair = pair[window.holds(pair)]
    low, high = np.array(window.low), np.array(window.high)
    place = np.minimum(((pair - low) / (high - low) * CELLS).astype(np.int64), np.array(CELLS) - 1)
    _, cell, counts = np.unique(place @ np.array([1, CELLS[0]]), return_inverse=True, return_counts=True)
    middle = np.column_stack([np.bincount(cell, pair[:, column], len(counts)) for column in (0, 1)])
    frame = _in_values(middle / np.maximum(counts, 1)[:, None], axes)
    frame["n"] = counts
    frame["text"] = [f"{count} dominated {'trial' if count == 1 else 'trials'}" for count in counts]
    return frame


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


@lru_cache(maxsize=128)
def scatter_spec(
    axes: tuple[Objective, Objective], objectives: tuple[Objective, ...], palette: Palette
) -> dict[str, Any]:
    """The spec without data; read it, never change it."""
    across, upwards = axes
    x, y = _axis(alt.X("x:Q"), across), _axis(alt.Y("y:Q"), upwards)
    kinds = list(_SIZES)
    stroke = [palette.front, palette.front, palette.cloud, palette.default, palette.chosen, palette.chosen]
    fill = [palette.front, "transparent", palette.cloud, palette.default, "transparent", palette.chosen]
    shape = ["diamond" if kind == "default config" else "circle" for kind in kinds]
    legend = alt.Legend(orient="top", title=None, symbolStrokeWidth=1.5, columnPadding=14, labelLimit=220)
    tooltip = [
        alt.Tooltip("trial:N", title="trial"),
        *(alt.Tooltip(f"o{i}:N", title=one.name) for i, one in enumerate(objectives)),
        alt.Tooltip("config:N", title="config"),
    ]
    points = alt.Chart(alt.NamedData("points")).encode(x=x, y=y)
    layers = [
        alt.Chart(alt.NamedData("window")).mark_point(opacity=0, size=0, aria=False).encode(x=x, y=y),
        *_limit_layers(across, alt.X, "across", palette),
        *_limit_layers(upwards, alt.Y, "upwards", palette),
        alt.Chart(alt.NamedData("cloud"))
        .mark_circle(color=palette.cloud, opacity=0.45, aria=False)
        .encode(
            x=x,
            y=y,
            size=alt.Size("n:Q", scale=alt.Scale(type="sqrt", range=[14, 150], domainMin=1), legend=None),
            tooltip=alt.Tooltip("text:N", title="here"),
        ),
        alt.Chart(alt.NamedData("steps"))
        .mark_line(color=palette.front, strokeWidth=1.2, opacity=0.75, aria=False)
        .encode(x=x, y=y, order=alt.Order("order:Q")),
        points.mark_point(strokeWidth=1.8, opacity=1).encode(
            stroke=alt.Stroke("kind:N", scale=alt.Scale(domain=kinds, range=stroke), legend=legend),
            fill=alt.Fill("kind:N", scale=alt.Scale(domain=kinds, range=fill), legend=legend),
            shape=alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=shape), legend=legend),
            size=alt.Size("size:Q", scale=None, legend=None),
            description="aria:N",
        ),
        alt.Chart(alt.NamedData("labels"))
        .mark_text(align="left", dx=11, dy=-13, fontSize=13, fontWeight="bold", color=palette.text, aria=False)
        .encode(
            x=x,
            y=y,
            text="text:N",
        ),
        # A point is small and a hand is not: a wider mark that nobody sees takes the click and the tooltip.
        points.mark_circle(opacity=0, size=420, aria=False, cursor="pointer")
        .encode(tooltip=tooltip)
        .add_params(alt.selection_point(name=SELECTION, fields=["trial"], empty=False, clear=False)),
    ]
    spec: dict[str, Any] = (
        alt.layer(*layers).resolve_scale(size="independent", color="independent").properties(height=430).to_dict()
    )
    return spec


def _axis(channel: Any, objective: Objective) -> Any:
    linear = {} if objective.log else {"zero": False}
    scale = alt.Scale(type="log" if objective.log else "linear", nice=False, padding=0, **linear)
    return channel.scale(scale).axis(
        alt.Axis(
            title=axis_title(objective),
            titleLimit=520,
            format="~g",
            labelOverlap="greedy",
            tickCount=6,
            gridOpacity=0.5,
        )
    )


def axis_title(objective: Objective) -> str:
    """An objective's name with its unit, its scale and its better side."""
    if objective == TRIAL_NUMBER:
        return "trial"
    parts = ", ".join(part for part in (objective.unit, "log scale" if objective.log else "") if part)
    return f"{objective.name}{parts and f' ({parts})'}: {objective.better} is better"


def _limit_layers(objective: Objective, channel: Any, dataset: str, palette: Palette) -> list[alt.Chart]:
    """The shade of what a limit excludes, its edge and its value."""
    vertical = channel is alt.X
    name, other = ("x", "x2") if vertical else ("y", "y2")
    towards_high = objective.direction == "minimize"
    if vertical:
        end = alt.value("width") if towards_high else alt.value(0)
    else:
        end = alt.value(0) if towards_high else alt.value("height")
    chart = alt.Chart(alt.NamedData(dataset))
    at = channel("limit:Q")
    align = {"align": "left" if towards_high else "right", "dx": 4 if towards_high else -4, "baseline": "bottom"}
    label = (
        {**align, "dy": -4}
        if vertical
        else {"align": "right", "dx": -4, "baseline": "bottom" if towards_high else "top"}
    )
    where = alt.value("height") if vertical else alt.value("width")
    return [
        chart.mark_rect(color=palette.cloud, opacity=0.14, aria=False).encode(**{name: at, other: end}),
        chart.mark_rule(color=palette.cloud, strokeDash=[5, 4], aria=False).encode(**{name: at}),
        chart.mark_text(color=palette.text, opacity=0.75, fontSize=11, aria=False, **label).encode(
            **{name: at, "y" if vertical else "x": where, "text": "text:N"}
        ),
    ]


def _limit_rows(
    axes: tuple[Objective, Objective], column: int, limits: Mapping[str, float], window: Window
) -> pd.DataFrame:
    """One row: the limit, held inside the picture; at its far edge where there is none to be seen."""
    objective = axes[column]
    limit = limits.get(objective.name)
    place = window.high[column] if limit is None else loss(objective, limit)
    inside = float(np.clip(place, window.low[column], window.high[column]))
    text = "" if limit is None or place > window.high[column] else f"limit {format_value(objective, limit)}"
    return pd.DataFrame({"limit": [_value(objective, inside)], "text": [text]})


def _points(
    trials: pd.DataFrame,
    objectives: Sequence[Objective],
    axes: tuple[Objective, Objective],
    pick: int | None,
    recommended: int | None,
) -> pd.DataFrame:
    """The points to be clicked, in drawing order; a trial may be drawn as several kinds."""
    marked = trials["number"].isin([number for number in (pick, recommended) if number is not None])
    chosen = trials[trials["front"] | trials["default"] | marked]
    numbers = chosen["number"].to_numpy()
    kinds = [
        ("front, beyond a limit", (chosen["front"] & ~chosen["within"]).to_numpy(bool)),
        ("front", (chosen["front"] & chosen["within"]).to_numpy(bool)),
        ("default config", chosen["default"].to_numpy(bool)),
        ("recommended", numbers == (-1 if recommended is None else recommended)),
        ("picked", numbers == (-1 if pick is None else pick)),
    ]
    rows = np.concatenate([np.flatnonzero(mask) for _, mask in kinds])
    texts = {
        f"o{i}": [format_value(one, value) for value in chosen[one.name].to_numpy(np.float64)[rows]]
        for i, one in enumerate(objectives)
    }
    return pd.DataFrame(
        {
            "trial": numbers[rows],
            "x": chosen[axes[0].name].to_numpy(np.float64)[rows],
            "y": chosen[axes[1].name].to_numpy(np.float64)[rows],
            "kind": np.repeat([kind for kind, _ in kinds], [int(mask.sum()) for _, mask in kinds]),
            "size": np.repeat([_SIZES[kind] for kind, _ in kinds], [int(mask.sum()) for _, mask in kinds]),
            **texts,
            "config": chosen["config"].to_numpy(object)[rows],
            "aria": [f"trial {number}" for number in numbers[rows]],
        }
    )


def _labels(
    trials: pd.DataFrame, axes: tuple[Objective, Objective], pick: int | None, recommended: int | None
) -> pd.DataFrame:
    wanted = {"picked": pick, "recommended": None if recommended == pick else recommended}
    rows = [
        {"x": row[axes[0].name], "y": row[axes[1].name], "text": f"#{number}", "kind": kind}
        for kind, number in wanted.items()
        if number is not None
        for _, row in trials[trials["number"] == number].iterrows()
    ]
    return pd.DataFrame(rows, columns=["x", "y", "text", "kind"])


def _in_values(points: Floats, axes: tuple[Objective, Objective]) -> pd.DataFrame:
    """Points (n, 2) in losses, back in the objectives' own values and in their order."""
    named = {name: _value(axes[column], points[:, column]) for column, name in enumerate("xy")}
    return pd.DataFrame({**named, "order": np.arange(len(points))})


def _value(objective: Objective, place: Any) -> Any:
    """Losses back in the objective's own values."""
    value = -place if objective.direction == "maximize" else place
    return 10.0**value if objective.log else value

"""The spec of a chart; its data come as datasets.

A spec is written once in Altair and cached, since checking it costs more than everything else of a
page; what changes from one look to the next are the datasets. Fields have fixed plain names, so that
no objective's name can be taken for a path or a formula.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import altair as alt

from moopt.objectives import Objective
from moopt_explorer import marks
from moopt_explorer.compare import Comparison
from moopt_explorer.marks import Axes, Scene
from moopt_explorer.state import TRIAL_NUMBER
from moopt_explorer.text import shorten

SELECTION = "picked"
"""The name of the click's selection; its field is ``trial``."""


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


def scatter(
    scene: Scene,
    objectives: Sequence[Objective],
    *,
    limits: Mapping[str, float],
    describe: Callable[[int], str],
    palette: Palette = LIGHT,
) -> dict[str, Any]:
    """The scatter of a scene; ``describe`` gives a trial's config as a line."""
    plain = tuple(replace(one, limit=None) for one in objectives)
    across, upwards = (replace(one, limit=None) for one in scene.axes)
    shown = marks.datasets(scene, objectives, limits, describe)
    return dict(scatter_spec((across, upwards), plain, palette), datasets=shown)


@lru_cache(maxsize=128)
def scatter_spec(axes: Axes, objectives: tuple[Objective, ...], palette: Palette) -> dict[str, Any]:
    """The spec without data; read it, never change it."""
    across, upwards = axes
    x, y = _axis(alt.X("x:Q"), across), _axis(alt.Y("y:Q"), upwards)
    kinds = list(marks.SIZES)
    stroke = [palette.front, palette.front, palette.cloud, palette.default, palette.chosen, palette.chosen]
    fill = [palette.front, "transparent", palette.cloud, palette.default, "transparent", palette.chosen]
    shape = ["diamond" if kind == marks.DEFAULT else "circle" for kind in kinds]
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


def dumbbells(found: Comparison, palette: Palette = LIGHT) -> dict[str, Any]:
    """Trials as points on a line an objective, in its own unit, with their intervals."""
    plain = tuple(replace(one, limit=None) for one in found.objectives)
    spec = dumbbell_spec(plain, tuple(f"#{one.number}" for one in found.trials), palette)
    return dict(spec, datasets={"compared": found.frame()})


@lru_cache(maxsize=32)
def dumbbell_spec(objectives: tuple[Objective, ...], trials: tuple[str, ...], palette: Palette) -> dict[str, Any]:
    """The spec without data; read it, never change it."""
    colours = [palette.chosen, palette.front, palette.default, palette.text][: len(trials)]
    shapes = ["circle", "square", "diamond", "triangle-up"][: len(trials)]
    scale = alt.Scale(domain=list(trials), range=colours)
    rows = []
    for place, one in enumerate(objectives):
        legend = alt.Legend(orient="top", title=None) if place == 0 else None
        chart = alt.Chart(alt.NamedData("compared")).transform_filter(f"datum.objective === {place}")
        x = _axis(alt.X("value:Q"), one, padding=12)
        between = chart.mark_rule(color=palette.cloud, opacity=0.5, aria=False).encode(
            x=alt.X("min(value):Q"), x2="max(value):Q", y=alt.value(_row_height(len(trials)) / 2)
        )
        points = chart.mark_point(size=110, strokeWidth=2).encode(
            x=x,
            color=alt.Color("trial:N", scale=scale, legend=legend),
            shape=alt.Shape("trial:N", scale=alt.Scale(domain=list(trials), range=shapes), legend=legend),
            yOffset=alt.YOffset("trial:N", scale=alt.Scale(domain=list(trials))),
            tooltip=[alt.Tooltip("trial:N", title="trial"), alt.Tooltip("text:N", title=one.name)],
        )
        intervals = chart.mark_rule(strokeWidth=2, opacity=0.7, aria=False).encode(
            x=alt.X("low:Q"),
            x2="high:Q",
            color=alt.Color("trial:N", scale=scale, legend=legend),
            yOffset=alt.YOffset("trial:N", scale=alt.Scale(domain=list(trials))),
        )
        rows.append(
            alt.layer(between, intervals, points).properties(height=_row_height(len(trials)), width="container")
        )
    spec: dict[str, Any] = alt.vconcat(*rows, spacing=14).to_dict()
    return spec


def _row_height(n_trials: int) -> int:
    return 16 + 13 * n_trials


def _axis(channel: Any, objective: Objective, padding: float = 0) -> Any:
    linear: dict[str, Any] = {} if objective.log else {"zero": False}
    scale = alt.Scale(type="log" if objective.log else "linear", nice=False, padding=padding, **linear)
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
    return f"{shorten(objective.name)}{parts and f' ({parts})'}: {objective.better} is better"


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
    label: dict[str, Any] = {"align": "right", "dx": -4, "baseline": "bottom" if towards_high else "top"}
    if vertical:
        label = {"align": "left" if towards_high else "right", "dx": 4 if towards_high else -4, "dy": -4}
    where = alt.value("height") if vertical else alt.value("width")
    return [
        chart.mark_rect(color=palette.cloud, opacity=0.14, aria=False).encode(**{name: at, other: end}),
        chart.mark_rule(color=palette.cloud, strokeDash=[5, 4], aria=False).encode(
            **{name: at, "opacity": alt.Opacity("seen:Q", scale=None, legend=None)}
        ),
        chart.mark_text(color=palette.text, opacity=0.75, fontSize=11, aria=False, **label).encode(
            **{name: at, "y" if vertical else "x": where, "text": "text:N"}
        ),
    ]

"""The scatter of two objectives: cloud, front with its step, limits, default config and pick."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import altair as alt

from moopt.objectives import Objective
from moopt_explorer import marks
from moopt_explorer.charts.looks import LIGHT, PADDING, SELECTION, Palette, axis, legend
from moopt_explorer.marks import Scene
from moopt_explorer.places import Axes

_SHAPES = {marks.DEFAULT: "diamond", marks.TIED: "square"}


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
    shown = marks.datasets(scene, objectives, limits, describe)
    limited = tuple(side for side in marks.SIDES if side in shown)
    spec = scatter_spec(scene.places.axes, plain, palette, limited, sure=scene.certainty is not None)
    return dict(spec, datasets=shown)


@lru_cache(maxsize=128)
def scatter_spec(
    axes: Axes,
    objectives: tuple[Objective, ...],
    palette: Palette,
    limited: tuple[str, ...] = (),
    *,
    sure: bool = False,
) -> dict[str, Any]:
    """The spec without data, with the axes that have a limit (each layer costs the browser time), and ``sure`` where
    it is known how sure the front is; read it, never change it.
    """
    across, upwards = axes
    x, y = axis(alt.X("x:Q"), across), axis(alt.Y("y:Q"), upwards)
    kinds = [kind for kind in marks.SIZES if sure or kind != marks.TIED]
    strokes = dict.fromkeys(kinds, palette.front) | {
        marks.DOMINATED: palette.cloud,
        marks.DEFAULT: palette.default,
        marks.RECOMMENDED: palette.chosen,
        marks.PICKED: palette.chosen,
    }
    hollow = (marks.BEYOND, marks.TIED, marks.RECOMMENDED)
    stroke = [strokes[kind] for kind in kinds]
    fill = ["transparent" if kind in hollow else strokes[kind] for kind in kinds]
    shape = [_SHAPES.get(kind, "circle") for kind in kinds]
    keys = legend(symbolStrokeWidth=1.5)
    tooltip = [
        alt.Tooltip("trial:N", title="trial"),
        *(alt.Tooltip(f"o{i}:N", title=one.name) for i, one in enumerate(objectives)),
        *([alt.Tooltip("likely:N", title="probability of being on the front")] if sure else []),
        alt.Tooltip("config:N", title="config"),
    ]
    points = alt.Chart(alt.NamedData("points")).encode(x=x, y=y)
    layers = [
        alt.Chart(alt.NamedData("window")).mark_point(opacity=0, size=0, aria=False).encode(x=x, y=y),
        *(
            layer
            for objective, channel, side in zip(axes, (alt.X, alt.Y), marks.SIDES, strict=True)
            if side in limited
            for layer in _limit_layers(objective, channel, side, palette)
        ),
        alt.Chart(alt.NamedData("cloud"))
        .mark_circle(opacity=0.45, aria=False)
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=[marks.DOMINATED, marks.FRONT], range=[palette.cloud, palette.front]),
                legend=None,
            ),
            size=alt.Size("n:Q", scale=alt.Scale(type="sqrt", range=[14, 150], domainMin=1), legend=None),
            tooltip=alt.Tooltip("text:N", title="here"),
        ),
        alt.Chart(alt.NamedData("steps"))
        .mark_line(color=palette.front, strokeWidth=1.2, opacity=0.75, aria=False)
        .encode(x=x, y=y, order=alt.Order("order:Q")),
        points.mark_point(strokeWidth=1.8).encode(
            opacity=alt.Opacity("opacity:Q", scale=None, legend=None),
            stroke=alt.Stroke("kind:N", scale=alt.Scale(domain=kinds, range=stroke), legend=keys),
            fill=alt.Fill("kind:N", scale=alt.Scale(domain=kinds, range=fill), legend=keys),
            shape=alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=shape), legend=keys),
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
        alt.layer(*layers)
        .resolve_scale(size="independent", color="independent")
        .properties(height=430, padding=PADDING)
        .to_dict()
    )
    return spec


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

"""A few trials as points on a line an objective, with their intervals, and what was confirmed below."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import altair as alt

from moopt.objectives import Objective
from moopt_explorer.charts.looks import LIGHT, Palette, axis_title, scale
from moopt_explorer.compare import CONFIRMED, SEARCHED, Comparison

_PITCH = 14
"""Pixels from one trial's line to the next."""


def dumbbells(found: Comparison, palette: Palette = LIGHT) -> dict[str, Any]:
    """Trials as points on a line an objective, in its own unit, with their intervals."""
    plain = tuple(replace(one, limit=None) for one in found.objectives)
    frame = found.frame()
    rows = tuple(dict.fromkeys(frame["row"]))
    spec = dumbbell_spec(plain, tuple(f"#{one.number}" for one in found.trials), rows, palette)
    return dict(spec, datasets={"compared": frame, "window": found.window()})


@lru_cache(maxsize=32)
def dumbbell_spec(
    objectives: tuple[Objective, ...], trials: tuple[str, ...], rows: tuple[str, ...], palette: Palette
) -> dict[str, Any]:
    """The spec without data, with a line for each of ``rows``; read it, never change it."""
    views = [
        _view(place, one, trials, rows, palette).properties(
            height=_PITCH * (len(rows) + 1),
            width="container",
            title=alt.Title(axis_title(one), anchor="start", fontSize=12, fontWeight="normal", offset=2),
        )
        for place, one in enumerate(objectives)
    ]
    spec: dict[str, Any] = alt.vconcat(*views, spacing=10).to_dict()
    return spec


def _view(
    place: int, objective: Objective, trials: tuple[str, ...], rows: tuple[str, ...], palette: Palette
) -> alt.LayerChart:
    """One objective's line."""
    colours = [palette.chosen, palette.front, palette.default, palette.text][: len(trials)]
    shapes = ["circle", "square", "diamond", "triangle-up"][: len(trials)]
    kinds = [SEARCHED, CONFIRMED] if len(rows) > len(trials) else [SEARCHED]
    legend = alt.Legend(orient="top", title=None) if place == 0 else None
    of_kind = legend if len(kinds) > 1 else None
    colour = alt.Color("trial:N", scale=alt.Scale(domain=list(trials), range=colours), legend=legend)
    shape = alt.Shape("trial:N", scale=alt.Scale(domain=list(trials), range=shapes), legend=legend)
    filled = alt.Scale(domain=kinds, range=[0, 1][: len(kinds)])
    along: dict[str, Any] = {"scale": scale(objective)}
    look = alt.Axis(title=None, format="~g", labelOverlap="greedy", tickCount=6, gridOpacity=0.5)
    y = alt.Y("row:N", scale=alt.Scale(domain=list(rows), padding=0.5), axis=None)
    chart = alt.Chart(alt.NamedData("compared")).transform_filter(f"datum.objective === {place}")
    between = chart.mark_rule(color=palette.cloud, opacity=0.5, aria=False).encode(
        x=alt.X("min(value):Q", axis=look, **along), x2="max(value):Q", y=alt.value(_PITCH * (len(rows) + 1) / 2)
    )
    intervals = chart.mark_rule(aria=False).encode(
        x=alt.X("low:Q", **along),
        x2="high:Q",
        y=y,
        color=colour,
        strokeWidth=alt.StrokeWidth(
            "kind:N", scale=alt.Scale(domain=kinds, range=[1.2, 2.6][: len(kinds)]), legend=None
        ),
    )
    points = chart.mark_point(size=90, strokeWidth=1.8).encode(
        x=alt.X("value:Q", **along),
        y=y,
        color=colour,
        shape=shape,
        fill=alt.Fill("trial:N", scale=alt.Scale(domain=list(trials), range=colours), legend=None),
        fillOpacity=alt.FillOpacity("kind:N", scale=filled, legend=of_kind),
        tooltip=[
            alt.Tooltip("trial:N", title="trial"),
            alt.Tooltip("text:N", title=objective.name),
            alt.Tooltip("kind:N", title="measured"),
        ],
    )
    window = (
        alt.Chart(alt.NamedData("window"))
        .transform_filter(f"datum.objective === {place}")
        .mark_point(opacity=0, size=0, aria=False)
        .encode(x=alt.X("ends:Q", **along))
    )
    return alt.LayerChart(layer=[window, between, intervals, points])

"""A few trials as points on a line an objective, with their intervals."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import altair as alt

from moopt.objectives import Objective
from moopt_explorer.charts.looks import LIGHT, Palette, axis
from moopt_explorer.compare import Comparison


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
        x = axis(alt.X("value:Q"), one, padding=12)
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

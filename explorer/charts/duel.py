"""Two studies' fronts in two objectives, each with its attainment."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import altair as alt

from moopt_explorer.charts.looks import LIGHT, Palette, axis
from moopt_explorer.places import Axes, without_limits
from moopt_explorer.rivals import ONE, OTHER, Rivals, drawn
from moopt_explorer.wording import shorten


def duel(found: Rivals, axes: Axes, names: tuple[str, str], palette: Palette = LIGHT) -> dict[str, Any]:
    """The fronts of two studies with their names."""
    spec = duel_spec(without_limits(axes), (shorten(names[0]), shorten(names[1])), palette)
    return dict(spec, datasets=drawn(found, axes))


@lru_cache(maxsize=32)
def duel_spec(axes: Axes, names: tuple[str, str], palette: Palette) -> dict[str, Any]:
    """The spec without data; read it, never change it."""
    kinds = [ONE, OTHER]
    x, y = axis(alt.X("x:Q"), axes[0], 8), axis(alt.Y("y:Q"), axes[1], 8)
    # Names are shown by the legend alone: two studies may look alike where their names are cut.
    labels = "datum.value === 'one' ? names[0] : names[1]"
    legend = alt.Legend(orient="top", title=None, labelExpr=labels, labelLimit=300, symbolStrokeWidth=0)
    colour = alt.Color("study:N", scale=alt.Scale(domain=kinds, range=[palette.front, palette.chosen]), legend=legend)
    shape = alt.Shape("study:N", scale=alt.Scale(domain=kinds, range=["circle", "square"]), legend=legend)
    dash = alt.StrokeDash("study:N", scale=alt.Scale(domain=kinds, range=[[1, 0], [6, 3]]), legend=None)
    steps = (
        alt.Chart(alt.NamedData("steps"))
        .mark_line(strokeWidth=1.4, opacity=0.85, aria=False)
        .encode(x=x, y=y, color=colour, strokeDash=dash, order=alt.Order("order:Q"), detail="study:N")
    )
    points = (
        alt.Chart(alt.NamedData("points"))
        .mark_point(filled=True, size=46, opacity=0.9)
        .encode(
            x=x,
            y=y,
            color=colour,
            shape=shape,
            tooltip=[
                alt.Tooltip("trial:N", title="trial"),
                alt.Tooltip("x:Q", title=shorten(axes[0].name), format=".4g"),
                alt.Tooltip("y:Q", title=shorten(axes[1].name), format=".4g"),
            ],
        )
    )
    spec: dict[str, Any] = (
        alt.layer(steps, points)
        .add_params(alt.param(name="names", value=list(names)))
        .properties(width="container", height=430)
        .to_dict()
    )
    return spec

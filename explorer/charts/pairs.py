"""Every two objectives of the front against each other."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import altair as alt

from moopt.objectives import Objective
from moopt_explorer.charts.looks import LIGHT, SELECTION, Palette, legend, scale, small_axis
from moopt_explorer.lines import BEYOND, DEFAULT, KINDS, PICKED, RECOMMENDED, WITHIN, Lines

MOST_IN_MATRIX = 6
_WIDTH = 860
"""Pixels of all panels of a row."""
_SIZES = {BEYOND: 22, WITHIN: 28, DEFAULT: 90, RECOMMENDED: 190, PICKED: 90}
"""Areas in square pixels."""


def matrix(shown: Lines, palette: Palette = LIGHT) -> dict[str, Any]:
    """Every two objectives against each other, at most six of them."""
    plain = tuple(replace(one, limit=None) for one in shown.objectives[:MOST_IN_MATRIX])
    return dict(
        matrix_spec(plain, palette), datasets={"lines": shown.frame.assign(size=shown.frame["kind"].map(_SIZES))}
    )


@lru_cache(maxsize=32)
def matrix_spec(objectives: tuple[Objective, ...], palette: Palette) -> dict[str, Any]:
    """The spec without data; read it, never change it."""
    n = len(objectives)
    side = max(90, _WIDTH // (n - 1) - 20)
    colours = [palette.cloud, palette.front, palette.default, palette.chosen, palette.chosen]
    hollow = (BEYOND, RECOMMENDED)
    fills = ["transparent" if kind in hollow else colour for kind, colour in zip(KINDS, colours, strict=True)]
    shapes = ["circle", "circle", "diamond", "circle", "circle"]
    keys = legend(symbolStrokeWidth=1.5)
    data = alt.Chart(alt.NamedData("lines"))
    rows = []
    for upwards in range(1, n):
        row = []
        for across in range(upwards):
            last, first = upwards == n - 1, across == 0
            x = alt.X(f"v{across}:Q", scale=scale(objectives[across], 6), axis=small_axis(objectives[across], last))
            y = alt.Y(f"v{upwards}:Q", scale=scale(objectives[upwards], 6), axis=small_axis(objectives[upwards], first))
            row.append(
                data.mark_point(strokeWidth=1.4, opacity=0.85)
                .encode(
                    x=x,
                    y=y,
                    stroke=alt.Stroke("kind:N", scale=alt.Scale(domain=list(KINDS), range=colours), legend=keys),
                    fill=alt.Fill("kind:N", scale=alt.Scale(domain=list(KINDS), range=fills), legend=keys),
                    shape=alt.Shape("kind:N", scale=alt.Scale(domain=list(KINDS), range=shapes), legend=keys),
                    size=alt.Size("size:Q", scale=None, legend=None),
                    tooltip=[
                        alt.Tooltip("trial:N", title="trial"),
                        *(alt.Tooltip(f"o{place}:N", title=one.name) for place, one in enumerate(objectives)),
                    ],
                )
                .add_params(
                    alt.selection_point(
                        name=f"{SELECTION}_{across}_{upwards}", fields=["trial"], empty=False, clear=False
                    )
                )
                .properties(width=side, height=side * 5 // 8)
            )
        rows.append(alt.hconcat(*row, spacing=10))
    spec: dict[str, Any] = alt.vconcat(*rows, spacing=10).configure_view(strokeOpacity=0.15).to_dict()
    return spec

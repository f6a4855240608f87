"""Every two objectives of the front against each other."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import altair as alt

from moopt.objectives import Objective
from moopt_explorer.charts.looks import LIGHT, SELECTION, Palette, scale, small_axis
from moopt_explorer.lines import KINDS, Lines

MOST_IN_MATRIX = 6


def matrix(shown: Lines, palette: Palette = LIGHT) -> dict[str, Any]:
    """Every two objectives against each other, at most six of them."""
    plain = tuple(replace(one, limit=None) for one in shown.objectives[:MOST_IN_MATRIX])
    return dict(matrix_spec(plain, palette), datasets={"lines": shown.frame})


@lru_cache(maxsize=32)
def matrix_spec(objectives: tuple[Objective, ...], palette: Palette) -> dict[str, Any]:
    """The spec without data; read it, never change it."""
    n = len(objectives)
    side = max(90, 640 // (n - 1) - 40)
    colours = [palette.cloud, palette.front, palette.default, palette.chosen, palette.chosen]
    colour_scale = alt.Scale(domain=list(KINDS), range=colours)
    shapes = alt.Scale(domain=list(KINDS), range=["circle", "circle", "diamond", "circle", "circle"])
    sizes = alt.Scale(domain=list(KINDS), range=[24, 30, 80, 160, 90])
    legend = alt.Legend(orient="top", title=None)
    data = alt.Chart(alt.NamedData("lines"))
    rows = []
    for upwards in range(1, n):
        row = []
        for across in range(upwards):
            last, first = upwards == n - 1, across == 0
            x = alt.X(f"v{across}:Q", scale=scale(objectives[across], 6), axis=small_axis(objectives[across], last))
            y = alt.Y(f"v{upwards}:Q", scale=scale(objectives[upwards], 6), axis=small_axis(objectives[upwards], first))
            row.append(
                data.mark_point(filled=True, opacity=0.8)
                .encode(
                    x=x,
                    y=y,
                    color=alt.Color("kind:N", scale=colour_scale, legend=legend),
                    shape=alt.Shape("kind:N", scale=shapes, legend=legend),
                    size=alt.Size("kind:N", scale=sizes, legend=legend),
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
                .properties(width=side, height=side * 3 // 4)
            )
        rows.append(alt.hconcat(*row, spacing=10))
    spec: dict[str, Any] = alt.vconcat(*rows, spacing=10).configure_view(strokeOpacity=0.15).to_dict()
    return spec

"""How a study came to its front: hypervolume and the front's size over the evaluations."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import altair as alt
import pandas as pd

from moopt_explorer.charts.looks import LIGHT, Palette

_PERCENT = "format(100 * datum.value, '.0f') + ' %'"


def course(trace: pd.DataFrame, palette: Palette = LIGHT) -> dict[str, Any]:
    """The frame of :func:`moopt_explorer.growth.trace`, drawn."""
    return dict(course_spec(palette), datasets={"trace": trace})


@lru_cache(maxsize=4)
def course_spec(palette: Palette) -> dict[str, Any]:
    """The spec without data; read it, never change it."""
    data = alt.Chart(alt.NamedData("trace")).encode(
        tooltip=[
            alt.Tooltip("evaluations:Q", title="evaluations"),
            alt.Tooltip("share:Q", title="of the present hypervolume", format=".1%"),
            alt.Tooltip("hypervolume:Q", title="hypervolume", format=".4g"),
            alt.Tooltip("front:Q", title="front"),
        ],
    )
    share = alt.Y("share:Q", axis=_axis("hypervolume, of the present one", labelExpr=_PERCENT))
    size = alt.Y("front:Q", axis=_axis("trials on the front", tickMinStep=1))
    views = [
        data.mark_line(color=colour, interpolate="step-after", point=alt.OverlayMarkDef(size=14, color=colour))
        .encode(x=alt.X("evaluations:Q", scale=alt.Scale(nice=False), axis=_axis(title, labels=title is not None)), y=y)
        .properties(width="container", height=height)
        for colour, y, title, height in (
            (palette.front, share, None, 200),
            (palette.default, size, "evaluations", 110),
        )
    ]
    spec: dict[str, Any] = alt.vconcat(*views, spacing=8).to_dict()
    return spec


def _axis(title: str | None, **looks: Any) -> alt.Axis:
    return alt.Axis(title=title, tickCount=5, gridOpacity=0.5, minExtent=44, **looks)

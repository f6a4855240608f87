"""What moves the objectives: shares of the hyperparameters, and one objective along one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import altair as alt
import pandas as pd

from moopt.importance import Dependence
from moopt.objectives import Objective
from moopt_explorer.charts.looks import LIGHT, Palette, axis_title, scale
from moopt_explorer.wording import shorten

_LABEL_PIXELS = 210


def shares(frame: pd.DataFrame, targets: Sequence[str], palette: Palette = LIGHT) -> dict[str, Any]:
    """The frame of :func:`moopt_explorer.influence.shares_frame`, a row a hyperparameter, a column a target."""
    frame = frame.assign(text=[f"{100 * share:.0f}" if share >= 0.01 else "" for share in frame["share"]])
    names = tuple(dict.fromkeys(frame["hyperparameter"]))
    return dict(shares_spec(names, tuple(targets), palette), datasets={"shares": frame})


@lru_cache(maxsize=32)
def shares_spec(hyperparameters: tuple[str, ...], targets: tuple[str, ...], palette: Palette) -> dict[str, Any]:
    """The spec without data; read it, never change it."""
    cells = alt.Chart(alt.NamedData("shares")).encode(
        x=alt.X(
            "target:N",
            sort=list(targets),
            axis=alt.Axis(
                title=None, orient="top", labelAngle=-40, labelLimit=_LABEL_PIXELS, labelOverlap=False, domain=False
            ),
        ),
        y=alt.Y(
            "hyperparameter:N",
            sort=list(hyperparameters),
            axis=alt.Axis(title=None, labelLimit=_LABEL_PIXELS, domain=False, ticks=False),
        ),
        tooltip=[
            alt.Tooltip("hyperparameter:N", title="hyperparameter"),
            alt.Tooltip("target:N", title="moves"),
            alt.Tooltip("share:Q", title="share", format=".1%"),
        ],
    )
    layers = [
        cells.mark_rect(color=palette.front, cornerRadius=2).encode(
            opacity=alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.04, 0.75]), legend=None)
        ),
        cells.mark_text(color=palette.text, fontSize=11, aria=False).encode(text="text:N"),
    ]
    spec: dict[str, Any] = (
        alt.layer(*layers).properties(width="container", height=alt.Step(24)).configure_view(strokeOpacity=0).to_dict()
    )
    return spec


def along(found: Dependence, objective: Objective, palette: Palette = LIGHT) -> dict[str, Any]:
    """An objective along a hyperparameter: the mean prediction, and where four trials in five lie."""
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in found.values)
    values = list(found.values) if numeric else [shorten(str(value), 24) for value in found.values]
    frame = pd.DataFrame({"value": values, "mean": found.mean, "low": found.low, "high": found.high})
    is_log = numeric and _spread_by_factors(values)
    spec = along_spec(replace(objective, limit=None), found.hyperparameter, numeric, is_log, palette)
    return dict(spec, datasets={"along": frame})


@lru_cache(maxsize=64)
def along_spec(
    objective: Objective, hyperparameter: str, numeric: bool, is_log: bool, palette: Palette
) -> dict[str, Any]:
    """The spec without data; read it, never change it."""
    title = shorten(hyperparameter)
    x: Any = alt.X("value:N", sort=None, axis=alt.Axis(title=title, labelAngle=0, labelOverlap="greedy"))
    if numeric:
        looks = alt.Axis(title=title, format="~g", labelOverlap="greedy", tickCount=6, gridOpacity=0.5)
        x = alt.X("value:Q", scale=alt.Scale(type="log" if is_log else "linear", zero=False, nice=False), axis=looks)
    y_axis = alt.Axis(title=axis_title(objective), titleLimit=260, format="~g", tickCount=6, gridOpacity=0.5)
    base = alt.Chart(alt.NamedData("along")).encode(
        x=x,
        tooltip=[
            alt.Tooltip("value", type="quantitative" if numeric else "nominal", title="value"),
            alt.Tooltip("mean:Q", title="predicted", format=".4g"),
            alt.Tooltip("low:Q", title="from", format=".4g"),
            alt.Tooltip("high:Q", title="to", format=".4g"),
        ],
    )
    y = alt.Y("mean:Q", scale=scale(objective, 6), axis=y_axis)
    band = base.mark_area(color=palette.front, opacity=0.16) if numeric else base.mark_rule(color=palette.front)
    line = base.mark_line(color=palette.front, point=True) if numeric else base.mark_point(filled=True, size=90)
    layers = [
        band.encode(y=alt.Y("low:Q", scale=scale(objective, 6), axis=y_axis), y2="high:Q"),
        line.encode(y=y) if numeric else line.encode(y=y, color=alt.value(palette.front)),
    ]
    spec: dict[str, Any] = alt.layer(*layers).properties(width="container", height=260).to_dict()
    return spec


def _spread_by_factors(values: Sequence[Any]) -> bool:
    """Whether positive values keep their distance by factors and not by differences."""
    if len(values) < 3 or min(values) <= 0:
        return False
    low, middle, high = values[0], values[len(values) // 2], values[-1]
    return bool(high > 20 * low and middle < low + 0.25 * (high - low))

"""Parallel axes of the front, a brush each; better is up."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any, Literal

import altair as alt
import pandas as pd

from moopt.objectives import Objective
from moopt_explorer.charts.looks import LIGHT, Palette, legend, short_title
from moopt_explorer.lines import DEFAULT, KINDS, PICKED, RECOMMENDED, Lines

_MANY_LINES = 60
_STRIP, _GAP, _LABELS = 16, 8, 30
"""Pixels across, of an axis with its brush, between two titles, and of the first axis's labels."""


def parallel(shown: Lines, palette: Palette = LIGHT, width: int = 840) -> dict[str, Any]:
    """The lines over an axis an objective; each axis has a brush, called ``b0``, ``b1``..."""
    plain = tuple(replace(one, limit=None) for one in shown.objectives)
    spec = parallel_spec(plain, palette, width, len(shown.frame) > _MANY_LINES)
    ends = {f"worst{place}": float(value) for place, value in enumerate(shown.worst)}
    ends |= {f"best{place}": float(value) for place, value in enumerate(shown.best)}
    params = [one | {"value": ends[one["name"]]} if one["name"] in ends else one for one in spec["params"]]
    return dict(spec, params=params, datasets={"lines": shown.frame, "ends": _ends(len(plain))})


def _ends(n_axes: int) -> pd.DataFrame:
    return pd.DataFrame({f"c{place}": [0.0, 1.0] for place in range(n_axes)})


def _title(objective: Objective, place: int, n_axes: int, step: int) -> alt.Title:
    """The name above an axis, cut where the next one begins; the outer ones stay inside the picture."""
    inner = 0 < place < n_axes - 1
    anchor: Literal["start", "middle", "end"] = "middle" if inner else "start" if place == 0 else "end"
    room = step - _GAP if inner else step // 2 + (_GAP if place else _LABELS)
    return alt.Title(short_title(objective), fontSize=12, anchor=anchor, limit=room)


@lru_cache(maxsize=32)
def parallel_spec(objectives: tuple[Objective, ...], palette: Palette, width: int, many: bool) -> dict[str, Any]:
    """The spec without data; read it, never change it."""
    places = range(len(objectives))
    brushes = [alt.selection_interval(name=f"b{place}", encodings=["y"], empty=True) for place in places]
    inside: Any = brushes[0]
    for brush in brushes[1:]:
        inside = inside & brush
    data = alt.Chart(alt.NamedData("lines"))
    # What is brushed has two marks an axis: each mark more is a mark to be judged at every move of a brush.
    foot_and_top = alt.Chart(alt.NamedData("ends"))
    colours = [palette.cloud, palette.front, palette.default, palette.chosen, palette.chosen]
    scale = alt.Scale(domain=list(KINDS), range=colours)
    colour = alt.Color("kind:N", scale=scale, legend=legend(symbolType="stroke"))
    faint = 0.25 if many else 0.55
    strong = alt.FieldOneOfPredicate("kind", [DEFAULT, RECOMMENDED, PICKED])
    opacity = alt.when(~inside).then(alt.value(0.04)).when(strong).then(alt.value(1.0)).otherwise(alt.value(faint))
    dashed = alt.when(alt.datum.kind == RECOMMENDED).then(alt.value([6, 4])).otherwise(alt.value([1, 0]))
    thick = alt.when(strong).then(alt.value(2.6)).otherwise(alt.value(1.1))
    step = max(60, (width - _STRIP * len(objectives)) // max(1, len(objectives) - 1))
    tooltip = [
        alt.Tooltip("trial:N", title="trial"),
        *(alt.Tooltip(f"o{place}:N", title=one.name) for place, one in enumerate(objectives)),
        alt.Tooltip("config:N", title="config"),
    ]
    views: list[Any] = []
    for place, one in enumerate(objectives):
        at = f"worst{place} + datum.value * (best{place} - worst{place})"
        turned = f"-({at})" if one.direction == "maximize" else at
        label = f"format({f'pow(2, {turned})' if one.log else turned}, '.3~g')"
        axis = alt.Axis(labelExpr=label, title=None, values=[0, 0.25, 0.5, 0.75, 1], grid=False, domain=True)
        strip = (
            foot_and_top.mark_tick(thickness=0, width=_STRIP, opacity=0, aria=False)
            .encode(y=alt.Y(f"c{place}:Q", scale=alt.Scale(domain=[0, 1]), axis=axis))
            .add_params(brushes[place])
            .properties(width=_STRIP, height=230, title=_title(one, place, len(objectives), step))
        )
        views.append(strip)
        if place + 1 < len(objectives):
            views.append(
                data.mark_rule()
                .encode(
                    x=alt.value(0),
                    x2=alt.value(step),
                    y=alt.Y(f"c{place}:Q", scale=alt.Scale(domain=[0, 1]), axis=None),
                    y2=f"c{place + 1}",
                    color=colour,
                    opacity=opacity,
                    strokeWidth=thick,
                    strokeDash=dashed,
                    tooltip=tooltip,
                )
                .properties(width=step, height=230)
            )
    ends = [alt.param(name=f"{end}{place}", value=0) for place in places for end in ("worst", "best")]
    spec: dict[str, Any] = (
        alt.hconcat(*views, spacing=0, bounds="flush").add_params(*ends).configure_view(stroke=None).to_dict()
    )
    return spec

"""Colours, scales and axes that all charts share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import altair as alt

from moopt.objectives import Objective
from moopt_explorer.state import TRIAL_NUMBER
from moopt_explorer.wording import shorten

SELECTION = "picked"
"""The name of a click's selection; its field is ``trial``."""
PADDING = {"left": 0, "top": 4, "right": 4, "bottom": 4}
"""Pixels around a picture."""
_BESIDE, _ENTRY = 70, 150
"""Pixels of a phone's width beside a legend, and of an entry."""


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


def scale(objective: Objective, padding: float = 0) -> alt.Scale:
    """An objective's scale, logarithmic where it declares so; ``padding`` in pixels."""
    linear: dict[str, Any] = {} if objective.log else {"zero": False}
    return alt.Scale(type="log" if objective.log else "linear", nice=False, padding=padding, **linear)


def axis(channel: Any, objective: Objective, padding: float = 0) -> Any:
    """A channel along an objective, with its full title."""
    return channel.scale(scale(objective, padding)).axis(
        alt.Axis(
            title=axis_title(objective),
            titleLimit=520,
            format="~g",
            labelOverlap="greedy",
            tickCount=6,
            gridOpacity=0.5,
        )
    )


def legend(**looks: Any) -> alt.Legend:
    """A legend above a picture, in as many columns as the window has room for."""
    columns = alt.ExprRef(f"max(2, floor((windowSize()[0] - {_BESIDE}) / {_ENTRY}))")
    return alt.Legend(orient="top", title=None, columns=columns, columnPadding=14, labelLimit=220, **looks)


def small_axis(objective: Objective, named: bool) -> alt.Axis:
    """The axis of a small panel, with labels and a short title where it is ``named``."""
    title = short_title(objective) if named else None
    return alt.Axis(title=title, labels=named, tickCount=3, format="~g", labelOverlap="greedy", gridOpacity=0.4)


def axis_title(objective: Objective) -> str:
    """An objective's name with its unit, its scale and its better side."""
    if objective == TRIAL_NUMBER:
        return "trial"
    parts = ", ".join(part for part in (objective.unit, "log scale" if objective.log else "") if part)
    return f"{shorten(objective.name)}{parts and f' ({parts})'}: {objective.better} is better"


def short_title(objective: Objective) -> str:
    """Its name, and an arrow towards better."""
    return f"{shorten(objective.name, 18)} {'↓' if objective.direction == 'minimize' else '↑'}"

"""What the user asked for, and its twin in the URL.

A view is plain frozen data; its query is short readable text, so that a link or the browser's Back
brings it back. What a query holds is never trusted: unknown names and broken values are left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from moopt.choose import BALANCED, KNEE
from moopt.choose.moves import ANYTHING, IMPROVE, Wish
from moopt.errors import ObjectiveError
from moopt.objectives import Objective, parse_limit

NO_LIMIT = "none"
TRIAL_NUMBER = Objective("trial number")
"""What goes across where a study has one objective: the trials in their order."""
_LIMIT_PREFIX, _WISH_PREFIX = "limit.", "wish."
MOST_COMPARED = 4
SCATTER, AXES, MATRIX = "scatter", "axes", "matrix"
PICTURES = (SCATTER, AXES, MATRIX)
_LARGEST_NUMBER = 2**53


@dataclass(frozen=True)
class View:
    """What the user asked for. Its defaults are what a fresh page shows, and stay out of the URL."""

    study: str = ""
    """The study's name; empty for the only or the latest one."""
    x: str = ""
    """The objective across; empty for the study's choice."""
    y: str = ""
    """The objective upwards; empty for the study's choice."""
    limits: Mapping[str, float | None] = field(default_factory=lambda: MappingProxyType({}))
    """Objective name -> the limit set by the user, None for lifted; those not named keep the study's own."""
    preference: str = BALANCED
    """``balanced``, ``knee`` or an objective's name."""
    pick: int | None = None
    """The number of the picked trial."""
    picture: str = SCATTER
    """``scatter``, ``axes`` (parallel ones) or ``matrix``."""
    whole: bool = False
    """Whether the picture shows all trials and not the front's surroundings."""
    wishes: Mapping[str, Wish] = field(default_factory=lambda: MappingProxyType({}))
    """Objective name -> what is wished of it, seen from the pick; those not named are kept."""
    compared: tuple[int, ...] = ()
    """The numbers of the trials that are compared, besides the pick."""
    rival: str = ""
    """The study that this one is compared with; empty for none."""
    explained: str = ""
    """The objective whose hyperparameters are looked at; empty for the first one."""
    along: str = ""
    """The hyperparameter along which it is drawn; empty for the most important one."""


def to_query(view: View) -> dict[str, str]:
    """The query of a view: only what differs from a fresh page."""
    query = {
        "study": view.study,
        "x": view.x,
        "y": view.y,
        "prefer": "" if view.preference == BALANCED else view.preference,
        "pick": "" if view.pick is None else str(view.pick),
        "picture": "" if view.picture == SCATTER else view.picture,
        "show": "all" if view.whole else "",
        "compare": ",".join(map(str, view.compared)),
        "with": view.rival,
        "explain": view.explained,
        "along": view.along,
    }
    wishes = {f"{_WISH_PREFIX}{name}": str(wish) for name, wish in view.wishes.items()}
    limits = {
        f"{_LIMIT_PREFIX}{name}": NO_LIMIT if limit is None else repr(limit) for name, limit in view.limits.items()
    }
    return {key: text for key, text in query.items() if text} | dict(sorted({**limits, **wishes}.items()))


def from_query(query: Mapping[str, str]) -> View:
    """The view of a query; what cannot be read is left at its default."""
    return View(
        study=query.get("study", ""),
        x=query.get("x", ""),
        y=query.get("y", ""),
        limits=dict(_limits(query)),
        preference=query.get("prefer") or BALANCED,
        pick=number(query.get("pick", "")),
        picture=query.get("picture", "") if query.get("picture", "") in PICTURES else SCATTER,
        whole=query.get("show") == "all",
        wishes=dict(_wishes(query)),
        compared=_several(query.get("compare", "")),
        rival=query.get("with", ""),
        explained=query.get("explain", ""),
        along=query.get("along", ""),
    )


def fitted(view: View, objectives: Sequence[Objective]) -> View:
    """The view as this study can show it: names that are no objective of it, and limits that none of them can
    have, fall back to their defaults.
    """
    by_name = {objective.name: objective for objective in objectives}
    limits = {
        name: limit
        for name, limit in view.limits.items()
        if name in by_name and _possible(by_name[name], limit) and limit != by_name[name].limit
    }
    asked = replace(view, x=view.x if view.x in by_name else "", y=view.y if view.y in by_name else "")
    if axes(asked, objectives) == axes(View(), objectives):
        asked = replace(asked, x="", y="")
    wishes = {
        name: wish
        for name, wish in view.wishes.items()
        if name in by_name and (isinstance(wish, str) or _possible(by_name[name], wish))
    }
    return replace(
        asked,
        limits=limits,
        picture=view.picture if len(objectives) > 1 else SCATTER,
        wishes=wishes if view.pick is not None else {},
        explained=view.explained if view.explained in by_name and view.explained != objectives[0].name else "",
        preference=view.preference if view.preference in (BALANCED, KNEE, *by_name) else BALANCED,
    )


def axes(view: View, objectives: Sequence[Objective]) -> tuple[Objective, Objective]:
    """The objectives across and upwards: unless asked otherwise the first cost goes across and the first other one
    upwards. A single objective goes upwards, over the trials' numbers.
    """
    if len(objectives) == 1:
        return TRIAL_NUMBER, objectives[0]
    by_name = {objective.name: objective for objective in objectives}
    x = by_name.get(view.x) or next(one for one in _costs_first(objectives) if one.name != view.y)
    wanted = [by_name[view.y]] if view.y in by_name else []
    y = next(one for one in [*wanted, *objectives] if one != x)
    return x, y


def with_limit(view: View, objective: Objective, limit: float | None) -> View:
    """The view with one limit set or lifted (None)."""
    others = {name: value for name, value in view.limits.items() if name != objective.name}
    return replace(view, limits=others if limit == objective.limit else others | {objective.name: limit})


def with_wish(view: View, name: str, wish: Wish | None) -> View:
    """The view with another wish about one objective; None keeps it."""
    others = {key: value for key, value in view.wishes.items() if key != name}
    return replace(view, wishes=others if wish is None else others | {name: wish})


def number(text: str) -> int | None:
    """A trial's number from a text; None where it is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        return None
    found = int(text)
    return found if found < _LARGEST_NUMBER else None


def _costs_first(objectives: Sequence[Objective]) -> list[Objective]:
    """Logarithmic objectives first, then the minimised ones: a cost reads best across."""
    return sorted(objectives, key=lambda one: (not one.log, one.direction != "minimize"))


def _limits(query: Mapping[str, str]) -> list[tuple[str, float | None]]:
    found: list[tuple[str, float | None]] = []
    for key, text in query.items():
        name = key.removeprefix(_LIMIT_PREFIX)
        if name in ("", key):
            continue
        if text == NO_LIMIT:
            found.append((name, None))
        elif (limit := _float(text)) is not None:
            found.append((name, limit))
    return found


def _wishes(query: Mapping[str, str]) -> list[tuple[str, Wish]]:
    found: list[tuple[str, Wish]] = []
    for key, text in query.items():
        name = key.removeprefix(_WISH_PREFIX)
        if name in ("", key):
            continue
        wish = text if text in (IMPROVE, ANYTHING) else _float(text)
        if wish is not None:
            found.append((name, wish))
    return found


def _several(text: str) -> tuple[int, ...]:
    numbers = [found for part in text.split(",") if (found := number(part)) is not None]
    return tuple(dict.fromkeys(numbers))[:MOST_COMPARED]


def _possible(objective: Objective, limit: float | None) -> bool:
    if limit is None:
        return True
    try:
        parse_limit(objective, limit)
    except ObjectiveError:
        return False
    return True


def _float(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None

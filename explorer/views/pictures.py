"""The pictures of the page Explore: a scatter of two objectives, parallel axes with brushes, a matrix of scatters."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from moopt.objectives import Floats, Objective
from moopt_explorer import charts, lines, marks, markup, state, wording
from moopt_explorer.answer import Answer
from moopt_explorer.lines import Lines
from moopt_explorer.thinning import MOST_MARKS
from moopt_explorer.views import parts, session, widgets
from moopt_explorer.views.session import Look

_CHART, _AXES, _MATRIX, _ROUND = "moopt chart", "moopt axes", "moopt matrix", "moopt_round"
_CONTROLS_WIDTH = 760
_FEWEST_MARKS = 9
"""So that no more than some 200 lines follow a brush."""
_NAMES = {state.SCATTER: "Scatter", state.AXES: "Parallel axes", state.MATRIX: "Matrix"}


def draw(look: Look, found: Answer) -> None:
    """Draw the picture that the view asks for."""
    if len(found.objectives) > 1:
        widgets.keep("picture", look.view.picture)
        st.segmented_control(
            "Picture",
            list(_NAMES),
            required=True,
            format_func=_NAMES.__getitem__,
            key=widgets.key("picture"),
            on_change=session.callback(of="picture"),
            label_visibility="collapsed",
        )
    {state.SCATTER: _scatter, state.AXES: _parallel, state.MATRIX: _matrix}[look.view.picture](look, found)


def _marked(look: Look, found: Answer) -> list[tuple[int, str, Floats]]:
    """What is drawn on top of the front: number, kind and values."""
    numbers = [
        *((one.number, lines.DEFAULT) for one in look.snapshot.defaults),
        (found.recommended, lines.RECOMMENDED),
        (found.pick, lines.PICKED),
    ]
    marked = []
    for number, kind in numbers:
        values = None if number is None else look.snapshot.values_of(number)
        if number is not None and values is not None:
            marked.append((number, kind, np.array([values.get(one.name, np.nan) for one in found.objectives])))
    return [one for one in marked if np.isfinite(one[2]).all()]


def _lines(look: Look, found: Answer, marks_a_trial: int) -> Lines:
    """The front for a picture that draws so many marks a trial."""
    most = MOST_MARKS // marks_a_trial
    return lines.lines(found.front, found.left, _marked(look, found), look.snapshot.describe, most)


def _drawn(n_drawn: int, n_members: int, elsewhere: str = "") -> str:
    """How much of a large front is drawn; empty where all of it is."""
    if n_drawn == n_members:
        return ""
    return f"{n_drawn:,} of the {n_members:,} members of the front are drawn one by one{elsewhere}."


def _hint(*sentences: str) -> None:
    if any(sentences):
        st.html(markup.line_html(" ".join(filter(None, sentences)), "mo-hint"))


# A scatter


def _scatter(look: Look, found: Answer) -> None:
    across, upwards = state.axes(look.view, found.objectives)
    if len(found.objectives) > 1:
        _controls(look, found, across, upwards)
    snapshot = look.snapshot
    scene = marks.scene(
        snapshot.places((across, upwards)),
        found.front.numbers[found.left],
        pick=found.pick,
        recommended=found.recommended,
        whole=look.view.whole,
        certainty=found.certainty,
    )
    spec = charts.scatter(
        scene,
        found.objectives,
        limits=found.limits,
        describe=snapshot.describe,
        palette=parts.palette(),
    )
    st.vega_lite_chart(
        spec=spec,
        key=_CHART,
        width="stretch",
        on_select=_chart_clicked,
        alt=f"{wording.shorten(upwards.name)} over {wording.shorten(across.name)}: the front of the study",
    )
    n_outside = scene.n_outside
    _hint(
        _drawn(int(scene.drawn.sum()), len(scene.drawn), ", the others are in the cloud"),
        f"{wording.count(n_outside, 'dominated trial')} outside the picture." if n_outside else "",
    )


def _controls(look: Look, found: Answer, across: Objective, upwards: Objective) -> None:
    names = [objective.name for objective in found.objectives]
    widgets.keep("x", across.name)
    widgets.keep("y", upwards.name)
    widgets.keep("show", "all" if look.view.whole else "front")
    # Room is left at the end: the chart's own toolbar comes up there.
    with st.container(horizontal=True, vertical_alignment="bottom", width=_CONTROLS_WIDTH):
        st.selectbox(
            "Across", names, format_func=wording.shorten, key=widgets.key("x"), on_change=session.callback(of="x")
        )
        st.selectbox(
            "Upwards", names, format_func=wording.shorten, key=widgets.key("y"), on_change=session.callback(of="y")
        )
        st.segmented_control(
            "Show",
            ["front", "all"],
            format_func={"front": "the front", "all": "all trials"}.__getitem__,
            key=widgets.key("show"),
            on_change=session.callback(of="show"),
        )


def _chart_clicked() -> None:
    points = st.session_state[_CHART].selection.get(charts.SELECTION, [])
    if points:
        session.callback(session.picked(int(points[0]["trial"])))()


# Parallel axes


def _parallel(look: Look, found: Answer) -> None:
    marks_a_line = max(len(found.objectives) - 1, _FEWEST_MARKS)
    shown = _lines(look, found, marks_a_line)
    _brushing(shown, charts.parallel(shown, parts.palette()))


@st.fragment
def _brushing(shown: Lines, spec: dict[str, Any]) -> None:
    """A part of the page of its own: a brush draws it alone anew, a button below it the whole page."""
    if session.has_spoken():
        session.redraw()
    # Brushes cannot be taken back from here, so a chart without them takes the place of one that had some.
    key = f"{_AXES} {st.session_state.get(_ROUND, 0)}"
    st.vega_lite_chart(
        spec=spec,
        key=key,
        on_select=lambda: None,
        alt="The front over an axis an objective, better values on top",
    )
    told = _drawn(shown.n_drawn, len(shown.numbers), "; brushes count all")
    brushes = _brushes(key, len(shown.objectives))
    if not brushes:
        _hint("Drag along an axis to keep a part of it. Better is up on every axis.", told)
        return
    _hint(told)
    _brushed(shown, brushes)


def _brushes(key: str, n_axes: int) -> dict[int, tuple[float, float]]:
    selection: Any = st.session_state.get(key, {}).get("selection", {})
    found = {}
    for place in range(n_axes):
        ends = selection.get(f"b{place}", {}).get(f"c{place}")
        if ends:
            found[place] = (float(min(ends)), float(max(ends)))
    return found


def _brushed(shown: Lines, brushes: lines.Brushes) -> None:
    numbers, limits = shown.brushed(brushes), shown.limits(brushes)
    told, turn, clear = st.columns([4, 2, 1], vertical_alignment="center")
    told.html(markup.line_html(f"{wording.count(len(numbers), 'trial')} in the brushes: {wording.numbers(numbers)}"))
    turn.button(
        "Turn brushes into limits",
        width="stretch",
        disabled=not limits,
        on_click=_turned(session.callback(session.limited(limits))),
    )
    clear.button("Clear", width="stretch", on_click=_turned(session.callback()))


def _turned(change: Any) -> Any:
    """The callback, with the brushes taken away."""

    def changed() -> None:
        st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
        change()

    return changed


# A matrix of scatters


def _matrix(look: Look, found: Answer) -> None:
    n_shown = min(len(found.objectives), charts.MOST_IN_MATRIX)
    shown = _lines(look, found, n_shown * (n_shown - 1) // 2)
    st.vega_lite_chart(
        spec=charts.matrix(shown, parts.palette()),
        key=_MATRIX,
        on_select=_matrix_clicked,
        alt="Every two objectives of the front against each other",
    )
    _hint(_drawn(shown.n_drawn, len(found.front)))


def _matrix_clicked() -> None:
    for name, points in st.session_state[_MATRIX].selection.items():
        if points and name.startswith(charts.SELECTION):
            session.callback(session.picked(int(points[0]["trial"])))()

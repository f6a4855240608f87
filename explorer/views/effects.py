"""What moves the objectives, for the page Progress: importance, and one objective along one hyperparameter.

It takes seconds, so it is found out beside the pages.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from dataclasses import dataclass, field

import streamlit as st

from moopt.importance import FEWEST_TRIALS, MOST_TRIALS, Dependence
from moopt_explorer import charts, data, influence, markup, wording
from moopt_explorer.data import Snapshot
from moopt_explorer.influence import Influence
from moopt_explorer.views import beside, parts, session, widgets
from moopt_explorer.views.session import Look

_ANEW = "moopt_anew"
_PATIENCE_S = 0.3
"""What is done that soon is drawn without a word about the wait."""


@dataclass
class _Kept:
    """What is known of one study, for all its readers."""

    last: Influence | None = None
    pending: Future[Influence] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


def draw(look: Look) -> None:
    """Draw it, or that it is being found out; a study that runs is looked into anew when it has grown by a tenth."""
    st.html(markup.section_html("What moves the objectives", "shares in %"))
    kept = _kept(look.location, data.identity(look.location), look.snapshot.record.name)
    _look_into(kept, look.snapshot, asked=bool(st.session_state.pop(_ANEW, False)))
    if kept.pending is not None:
        _wait(kept, look.snapshot)
    if kept.last is None:
        return
    if not kept.last.importances:
        line = f"From {FEWEST_TRIALS} complete trials on, and with a known space, it says which hyperparameter matters."
        st.html(markup.line_html(line, "mo-hint"))
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        _shares(look, kept.last)
    with right:
        _along(look, kept.last)


def _look_into(kept: _Kept, snapshot: Snapshot, *, asked: bool) -> None:
    """Take what was found out meanwhile, and have it found out anew where that is due or asked for."""
    with kept.lock:
        if kept.pending is None and (asked or influence.is_due(kept.last, snapshot)):
            kept.pending = beside.start(lambda: influence.find_out(snapshot))
        if kept.pending is not None and wait([kept.pending], _PATIENCE_S).done:
            pending, kept.pending = kept.pending, None
            kept.last = pending.result()


def _wait(kept: _Kept, snapshot: Snapshot) -> None:
    """Say that it is being found out; the page is drawn anew when it is."""

    @st.fragment(run_every="1s")
    def line() -> None:
        pending = kept.pending
        if pending is None or pending.done():
            session.redraw()
        n_complete = len(snapshot.complete)
        told = f"Being found out from {wording.count(min(n_complete, MOST_TRIALS), 'complete trial')}"
        st.html(markup.line_html(f"{told}; that takes some seconds.", "mo-hint"))

    line()


def _shares(look: Look, found: Influence) -> None:
    targets = influence.target_names(look.snapshot.objectives)
    st.vega_lite_chart(
        spec=charts.shares(influence.shares_frame(found), targets, parts.palette()),
        key="moopt shares",
        width="stretch",
        alt="How much each hyperparameter moves each objective",
    )
    st.html(markup.line_html(wording.explained_line(found), "mo-hint"))
    n_more = len(look.snapshot.complete) - found.n_complete
    if n_more:
        more = wording.count(n_more, "complete trial")
        line = f"{more} since then. It is found out anew when they are a tenth more, and at the end."
        st.html(markup.line_html(line, "mo-hint"))
        st.button("Find out anew", on_click=session.note, args=(_ANEW, True))


def _along(look: Look, found: Influence) -> None:
    objectives = {one.name: one for one in look.snapshot.objectives}
    name = look.view.explained or next(iter(objectives))
    ranked = influence.ranking(found, name)
    along = look.view.along if look.view.along in ranked else ranked[0]
    widgets.keep("explained", name)
    widgets.keep("along", along)
    what, by = st.columns(2)
    what.selectbox(
        "Objective",
        list(objectives),
        format_func=wording.shorten,
        key=widgets.key("explained"),
        on_change=session.callback(session.explained, of="explained"),
    )
    by.selectbox(
        "Along",
        ranked,
        format_func=wording.shorten,
        key=widgets.key("along"),
        on_change=session.callback(session.along, of="along"),
    )
    snapshot = look.snapshot
    place = (look.location, data.identity(look.location), snapshot.record.name, found.n_complete)
    drawn = _dependence(*place, name, along, snapshot)
    if drawn is None:
        st.html(markup.line_html("No complete trial has this hyperparameter active.", "mo-hint"))
        return
    st.vega_lite_chart(
        spec=charts.along(drawn, objectives[name], parts.palette()),
        key="moopt along",
        width="stretch",
        alt="The objective as predicted along the hyperparameter",
    )
    line = "Predicted with the other hyperparameters as the trials have them; the band holds four trials in five."
    st.html(markup.line_html(line, "mo-hint"))


@st.cache_resource(max_entries=32, show_spinner=False)
def _kept(location: str, identity: int, name: str) -> _Kept:  # noqa: ARG001 - a place for each study
    return _Kept()


@st.cache_data(max_entries=64, show_spinner="Drawing it along the hyperparameter…")
def _dependence(
    location: str,  # noqa: ARG001 - these are what makes it another one
    identity: int,  # noqa: ARG001
    name: str,  # noqa: ARG001
    n_complete: int,  # noqa: ARG001
    objective: str,
    hyperparameter: str,
    _snapshot: Snapshot,
) -> Dependence | None:
    return influence.depends(_snapshot, objective, hyperparameter)

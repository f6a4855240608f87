"""What moves the objectives, for the page Progress: importance, and one objective along one hyperparameter."""

from __future__ import annotations

import time
from typing import Any

import streamlit as st

from moopt.importance import FEWEST_TRIALS, Dependence
from moopt_explorer import charts, data, influence, markup, wording
from moopt_explorer.data import Snapshot
from moopt_explorer.influence import Influence
from moopt_explorer.views import parts, session
from moopt_explorer.views.session import Look

_ANEW = "moopt_anew"


def draw(look: Look) -> None:
    """Draw it; what takes seconds is found out once a revision, and not again and again while the study runs."""
    st.html(markup.section_html("What moves the objectives", "shares in %"))
    found = _influence(look)
    if not found.importances:
        line = f"From {FEWEST_TRIALS} complete trials on, and with a known space, it says which hyperparameter matters."
        st.html(markup.line_html(line, "mo-hint"))
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        targets = influence.target_names(look.snapshot.objectives)
        st.vega_lite_chart(
            spec=charts.shares(influence.shares_frame(found), targets, parts.palette()),
            key="moopt shares",
            width="stretch",
            alt="How much each hyperparameter moves each objective",
        )
        st.html(markup.line_html(wording.explained_line(found), "mo-hint"))
        if found.revision != look.snapshot.revision:
            st.html(markup.line_html(f"Found out {wording.ago(time.time() - found.found_at)}.", "mo-hint"))
            st.button("Find out anew", on_click=lambda: st.session_state.update({_ANEW: True}))
    with right:
        _along(look, found)


def _along(look: Look, found: Influence) -> None:
    objectives = {one.name: one for one in look.snapshot.objectives}
    name = look.view.explained or next(iter(objectives))
    ranked = influence.ranking(found, name)
    along = look.view.along if look.view.along in ranked else ranked[0]
    session.keep("explained", name)
    session.keep("along", along)
    what, by = st.columns(2)
    what.selectbox(
        "Objective",
        list(objectives),
        format_func=wording.shorten,
        key=session.key("explained"),
        on_change=session.callback(session.explained),
    )
    by.selectbox(
        "Along",
        ranked,
        format_func=wording.shorten,
        key=session.key("along"),
        on_change=session.callback(session.along),
    )
    snapshot = look.snapshot
    place = (look.location, data.identity(look.location), snapshot.record.name, found.revision)
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
def _kept(location: str, identity: int, name: str) -> dict[str, Any]:  # noqa: ARG001 - a place for each study
    return {}


def _influence(look: Look) -> Influence:
    """What was found out last, or now where that is due or asked for."""
    kept = _kept(look.location, data.identity(look.location), look.snapshot.record.name)
    last: Influence | None = kept.get("last")
    wanted = bool(st.session_state.pop(_ANEW, False))
    if last is None or wanted or influence.is_due(last, look.snapshot, time.time()):
        with st.spinner("Finding out what moves the objectives…"):
            last = kept["last"] = influence.find_out(look.snapshot, time.time())
    return last


@st.cache_data(max_entries=64, show_spinner="Drawing it along the hyperparameter…")
def _dependence(
    location: str,  # noqa: ARG001 - these are what makes it another one
    identity: int,  # noqa: ARG001
    name: str,  # noqa: ARG001
    revision: int,  # noqa: ARG001
    objective: str,
    hyperparameter: str,
    _snapshot: Snapshot,
) -> Dependence | None:
    return influence.depends(_snapshot, objective, hyperparameter)

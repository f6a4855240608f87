"""The page Studies: the store's studies, two of their fronts against each other, rename and delete."""

from __future__ import annotations

import time
from dataclasses import replace

import pandas as pd
import streamlit as st

from moopt.errors import MooptError, StoreError
from moopt_explorer import charts, data, markup, rivals, state, wording
from moopt_explorer.data import Snapshot
from moopt_explorer.rivals import Rivals
from moopt_explorer.state import View
from moopt_explorer.views import parts, session, stores, widgets
from moopt_explorer.views.session import Look

NONE = ""


def page(look: Look) -> None:
    """Draw the page."""
    parts.head(look)
    parts.refused("study")
    _table(look)
    with st.expander("Rename or delete this study"):
        _rename(look)
        _delete(look)
    _against(look)


def _table(look: Look) -> None:
    names = list(look.names)
    shown = look.snapshot.record.name
    widgets.keep("study", shown)
    st.selectbox("Study", names, key=widgets.key("study"), on_change=session.callback(of="study"))
    key = f"moopt studies {shown} {hash(look.names)}"

    def clicked() -> None:
        rows = st.session_state[key].selection.rows
        session.reported()
        if rows and names[rows[0]] != shown:
            session.callback(lambda _: View(study=names[rows[0]]))()

    st.dataframe(
        pd.DataFrame([_row(look, name) for name in names]),
        key=key,
        hide_index=True,
        on_select=clicked,
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [names.index(shown)]}},
        column_config={
            "created": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
            "study": st.column_config.TextColumn(width="large"),
        },
    )


def _row(look: Look, name: str) -> dict[str, object]:
    store = look.store
    if name == look.snapshot.record.name:
        return _summary(look.snapshot)
    place = (look.location, data.identity(look.location), name)
    return _read_summary(*place, store.revision(name), store.is_running(name))


@st.cache_data(max_entries=256, show_spinner=False)
def _read_summary(
    location: str,
    identity: int,  # noqa: ARG001 - these are what makes a study's line another one
    name: str,
    revision: int,  # noqa: ARG001
    running: bool,  # noqa: ARG001
) -> dict[str, object]:
    return _summary(data.read(stores.store_at(location), name, sure=False))


def _summary(snapshot: Snapshot) -> dict[str, object]:
    record = snapshot.record
    return {
        "study": record.name,
        "algorithm": str(record.search.get("algorithm", "")),
        "trials": len(snapshot.trials),
        "front": 0 if snapshot.front is None else len(snapshot.front),
        "state": wording.state_text(snapshot),
        "created": pd.Timestamp(time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created_at))),
    }


# Rename and delete


def _rename(look: Look) -> None:
    name = look.snapshot.record.name
    field, button = st.columns([4, 1], vertical_alignment="bottom")
    key = widgets.key(f"rename {name}")
    field.text_input("New name", value=name, key=key, max_chars=300)
    button.button("Rename", on_click=_renamed, args=(look, name, key), width="stretch")


def _renamed(look: Look, name: str, key: str) -> None:
    session.callback()()
    new_name = str(st.session_state[key]).strip()
    if new_name == name:
        session.say("This is its name already; write another one.", "study")
        return
    try:
        look.store.rename_study(name, new_name)
    except MooptError as error:
        session.say(str(error), "study")
        return
    session.callback(lambda view: replace(view, study=new_name))()
    widgets.keep("study", new_name)


def _delete(look: Look) -> None:
    name = look.snapshot.record.name
    key = widgets.key(f"delete {name}")
    question = f"Delete it with its {wording.count(len(look.snapshot.trials), 'trial')}, notes and decisions, for good?"
    st.html(markup.line_html(question))
    field, button = st.columns([4, 1], vertical_alignment="bottom")
    field.text_input("To delete it, write its name", key=key)
    button.button("Delete for good", on_click=_deleted, args=(look, name, key), width="stretch")


def _deleted(look: Look, name: str, key: str) -> None:
    session.callback()()
    if str(st.session_state[key]).strip() != name.strip():
        session.say(f"Nothing was deleted: what was written is not the name of the study, {name}.", "study")
        return
    try:
        look.store.delete_study(name)
    except MooptError as error:
        session.say(str(error), "study")
        return
    session.callback(lambda _: View())()


# One against another


def _against(look: Look) -> None:
    name = look.snapshot.record.name
    others = [one for one in look.names if one != name]
    st.html(markup.section_html("Against another study", ""))
    if not others:
        st.html(
            markup.line_html("The store holds no other study. Give one the same --store to compare them.", "mo-hint")
        )
        return
    rival = look.view.rival if look.view.rival in others else NONE
    widgets.keep("rival", rival)
    st.selectbox(
        "Compare with",
        [NONE, *others],
        format_func=lambda one: one or "no other study",
        key=widgets.key("rival"),
        on_change=session.callback(session.rivalled, of="rival"),
    )
    if not rival:
        return
    try:
        found = rivals.rivals(look.snapshot, stores.snapshot_at(look.location, rival)[0])
    except StoreError as error:
        st.error(markup.markdown(str(error)))
        return
    if found is None:
        st.info("They share no objective, or one of them has no complete trial, so there is nothing to compare.")
        return
    _duel(look, found, (name, rival))


def _duel(look: Look, found: Rivals, names: tuple[str, str]) -> None:
    st.html(markup.rivals_html(found, names))
    shared = ", ".join(wording.shorten(one.name) for one in found.objectives)
    line = f"In the objectives that they share: {shared}. The hypervolume is on the scale of both fronts together."
    st.html(markup.line_html(line, "mo-hint"))
    if len(found.objectives) < 2:
        return
    across, upwards = state.axes(state.fitted(look.view, found.objectives), found.objectives)
    options = [one.name for one in found.objectives]
    for column, (what, label, chosen, other) in zip(
        st.columns(2), [("x", "Across", across, upwards), ("y", "Upwards", upwards, across)], strict=True
    ):
        widgets.keep(what, chosen.name)
        column.selectbox(
            label,
            [one for one in options if one != other.name],
            format_func=wording.shorten,
            key=widgets.key(what),
            on_change=session.callback(of=what),
        )
    st.vega_lite_chart(
        spec=charts.duel(found, (across, upwards), names, parts.palette()),
        key="moopt duel",
        width="stretch",
        alt="The fronts of both studies with their attainment",
    )

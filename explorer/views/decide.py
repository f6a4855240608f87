"""The page Decide and export: why this trial, what it gives up, its config, and the files."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

import pandas as pd
import streamlit as st

from moopt import choose, export
from moopt.errors import MooptError
from moopt.store import artefacts
from moopt.trial import Decision, Trial
from moopt_explorer import data, evidence, files, markup, wording
from moopt_explorer.answer import Answer
from moopt_explorer.data import Snapshot
from moopt_explorer.views import beside, parts, session, stores, widgets
from moopt_explorer.views.session import Look

_PREPARED = "moopt_prepared"
_TWICE_S = 10.0
"""Deciding the same again within these is a second click; a server at work may come to it late."""


def page(look: Look) -> None:
    """Draw the page."""
    parts.head(look)
    found = look.answer
    trial = None if found is None or found.pick is None else look.snapshot.trial(found.pick)
    if found is None or trial is None:
        parts.nothing_picked(found, "decide on")
        if found is not None:
            _whole_front(look)
        return
    choice, default = found.why(), look.snapshot.default_for(trial)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _why(found, choice)
        _values(look, found, trial, default)
        if choice is not None:
            parts.swaps(found, trial.number)
    with right:
        if choice is not None:
            _actions(look, choice)
        _config(trial, default)
        _notes(look, trial)
        _whole_front(look)


def _why(found: Answer, choice: choose.Choice | None) -> None:
    if choice is not None:
        st.html(markup.section_html(f"Why #{choice.number}", ""))
        st.html(markup.line_html(choice.reason, "mo-why"))
    else:
        parts.beaten(found)


def _values(look: Look, found: Answer, trial: Trial, default: Trial | None) -> None:
    st.html(markup.section_html("What it gives", _beside(default)))
    told = evidence.evidence(look.snapshot, trial.number)
    st.html(markup.values_html(found.objectives, trial.values, told, default))
    lines = [evidence.tie_text(found, trial.number), evidence.about(look.snapshot, trial.number)]
    for line in filter(None, lines):
        st.html(markup.line_html(line, "mo-hint"))


def _beside(default: Trial | None) -> str:
    return "" if default is None else f"beside the default config, #{default.number}"


def _config(trial: Trial, default: Trial | None) -> None:
    st.html(markup.section_html("The config", _beside(default)))
    st.html(markup.config_html(trial.config, None if default is None else default.config))


def _notes(look: Look, trial: Trial) -> None:
    st.html(markup.section_html("Notes", "kept with the trial"))
    parts.refused("note")
    if trial.notes:
        st.html(markup.list_html(trial.notes))
    key = widgets.key(f"note {trial.number}")
    st.text_area(f"A note on #{trial.number}", key=key, height=80, max_chars=2000)
    st.button("Add the note", on_click=_add_note, args=(look, trial.number, key))


def _add_note(look: Look, number: int, key: str) -> None:
    session.callback()()
    name, note = look.snapshot.record.name, str(st.session_state[key]).strip()
    if not note:
        return
    try:
        if look.store.trial(name, number).notes[-1:] != (note,):  # a second click may find the field full as before
            look.store.add_note(name, number, note)
        st.session_state[key] = ""
    except MooptError as error:  # the text stays where it was written
        session.say(str(error), "note")


def _actions(look: Look, choice: choose.Choice) -> None:
    st.html(markup.section_html("The decision", ""))
    st.button("Record this decision", key="moopt record", width="stretch", on_click=_record, args=(look, choice))
    parts.refused("decision")
    decisions = look.store.decisions(look.snapshot.record.name)
    if decisions:
        last = decisions[-1]
        st.html(markup.line_html(f"Decided: #{last.number}, {wording.ago(time.time() - last.decided_at)}.", "mo-hint"))
    _files(look, choice)


def _record(look: Look, choice: choose.Choice) -> None:
    session.reported()
    name, decision = look.snapshot.record.name, choice.decision(time.time())
    try:
        if not any(_is_again(decision, one) for one in look.store.decisions(name)[-1:]):
            look.store.add_decision(name, decision)
    except MooptError as error:
        session.say(str(error), "decision")


def _is_again(decision: Decision, last: Decision) -> bool:
    same = replace(last, decided_at=decision.decided_at) == decision
    return same and decision.decided_at - last.decided_at < _TWICE_S


def _files(look: Look, choice: choose.Choice) -> None:
    """The zip: made at once where nothing has to be fitted, else when asked for."""
    name = look.snapshot.record.name
    wanted = (look.location, data.identity(look.location), name, choice.number, choice.reason)
    is_kept = artefacts.find(look.store, name, choice.number, "skops") is not None
    if look.snapshot.record.spec and not is_kept and st.session_state.get(_PREPARED) != wanted:
        st.button(
            "Fit the model and pack the files",
            type="primary",
            width="stretch",
            on_click=session.note,
            args=(_PREPARED, wanted),
        )
        return
    try:
        how = "with the model that its confirmation kept" if is_kept else "its model is fitted on all training data"
        with st.spinner(f"Packing #{choice.number}; {how}…"):
            packed, contents = beside.result(_packing(*wanted, _choice=choice))
    except MooptError as error:
        _packing.clear(*wanted)
        st.error(markup.markdown(str(error)))
        return
    st.download_button(
        "Download the zip",
        packed,
        file_name=f"{wording.file_name(name)}-{choice.number}.zip",
        mime="application/zip",
        type="primary",
        shortcut="Ctrl+Enter",
        width="stretch",
        on_click="ignore",
    )
    st.html(markup.line_html(contents, "mo-hint"))


@st.cache_resource(max_entries=8, show_spinner=False)
def _packing(
    location: str,
    identity: int,  # noqa: ARG001 - with the reason, what makes a zip another one
    name: str,
    number: int,
    reason: str,  # noqa: ARG001
    *,
    _choice: choose.Choice,
) -> Future[tuple[bytes, str]]:
    """The zip, and in words what it holds and what it lacks, once they are there."""
    store, decision = stores.store_at(location), _choice.decision(time.time())

    def pack() -> tuple[bytes, str]:
        made = export.make_export(store, name, number, decision=decision)
        return made.zipped(), f"It holds {', '.join(made.files)}. {made.missing}"

    return beside.start(pack)


def _made(packed: Callable[[pd.DataFrame], bytes], snapshot: Snapshot) -> Callable[[], bytes]:
    return lambda: packed(files.front(snapshot))


def _whole_front(look: Look) -> None:
    """All members as files, made when they are asked for."""
    snapshot, name = look.snapshot, wording.file_name(look.snapshot.record.name)
    kinds = {"CSV": (files.as_csv, "csv", "text/csv"), "Parquet": (files.as_parquet, "parquet", None)}
    st.html(markup.section_html("The whole front", "whatever the limits are"))
    with st.container(horizontal=True):
        for kind, (packed, ending, mime) in kinds.items():
            st.download_button(
                f"The front as {kind}",
                _made(packed, snapshot),
                file_name=f"{name}-front.{ending}",
                mime=mime,
                on_click="ignore",
            )

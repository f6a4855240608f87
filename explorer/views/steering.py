"""Stop, pause and continue a search: requests in the store, which its coordinator obeys between steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from moopt import requests
from moopt.errors import MooptError
from moopt.requests import Request
from moopt_explorer import markup
from moopt_explorer.views import parts, session
from moopt_explorer.views.session import Look


def draw(look: Look) -> None:
    """The buttons of a running search, or how one that ended goes on."""
    parts.refused("search")
    if not look.snapshot.running:
        _ended(look)
    elif look.snapshot.record.attributes.get(requests.WANTED) is None:
        st.html(markup.line_html("It is driven by ask and tell, so only its own program can stop it.", "mo-hint"))
    else:
        _running(look)


def _running(look: Look) -> None:
    asked = look.snapshot.asked
    if asked is Request.STOP:
        st.html(
            markup.line_html("Asked to stop: the running steps are finished first, and everything is kept.", "mo-hint")
        )
        return
    with st.container(horizontal=True):
        if asked is Request.PAUSE:
            st.button("Continue", icon=":material/play_arrow:", type="primary", on_click=_asks(look, None))
        else:
            st.button("Pause", icon=":material/pause:", on_click=_asks(look, Request.PAUSE))
        st.button("Stop", icon=":material/stop:", on_click=_asks(look, Request.STOP))
    if asked is Request.PAUSE:
        line = "No new step starts until it goes on; steps that run are finished. Its process stays."
        st.html(markup.line_html(line, "mo-hint"))


def _asks(look: Look, request: Request | None) -> Callable[[], None]:
    name = look.snapshot.record.name

    def clicked() -> None:
        session.callback()()
        try:
            requests.ask(look.store, name, request)
        except MooptError as error:
            session.say(str(error), "search")

    return clicked


def _ended(look: Look) -> None:
    attributes = look.snapshot.record.attributes
    stopped = attributes.get(requests.STOPPED)
    if isinstance(stopped, Mapping):
        st.html(markup.line_html(f"Its search ended: {stopped.get('reason', '')}.", "mo-hint"))
    command = attributes.get(requests.COMMAND)
    if isinstance(command, str):
        st.html(markup.line_html("To go on, run this where it was run before; more --trials go further:", "mo-hint"))
        st.code(command, language=None, wrap_lines=True)
    else:
        line = "To go on, call optimize (or fit) of the program that made it again, with a larger n_trials."
        st.html(markup.line_html(line, "mo-hint"))

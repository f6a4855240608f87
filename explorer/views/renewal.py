"""Parts of a page that ask by themselves whether there is news, and have the page drawn anew."""

from __future__ import annotations

import time

import streamlit as st

from moopt.errors import StoreError
from moopt_explorer import markup, wording
from moopt_explorer.views import session, stores
from moopt_explorer.views.session import Look


def refresh(now: Look) -> None:
    """The study's line, renewed every second; a study that has grown, or another theme, redraws the page."""
    name, theme, drawn = now.snapshot.record.name, st.context.theme.type, False

    @st.fragment(run_every="1s")
    def line() -> None:
        nonlocal drawn
        # Not while the page is being drawn: a fast study would start it over and over.
        shown = (now.snapshot.revision, now.snapshot.running, theme)
        if drawn and (session.has_spoken() or (*_stands(now, name), st.context.theme.type) != shown):
            session.redraw()
        drawn = True
        updated = wording.ago(time.time() - now.read_at)
        st.html(markup.line_html(f"{wording.study_line(now.snapshot)}, updated {updated}"))

    line()


def wait(location: str) -> None:
    """Draw the page anew as soon as the store can be read and holds a study; it is looked for every two seconds."""
    drawn = False

    @st.fragment(run_every="2s")
    def line() -> None:
        nonlocal drawn
        if drawn and _holds_a_study(location):
            st.rerun(scope="app")
        drawn = True
        st.html(markup.line_html("This page comes back by itself as soon as there is something to show.", "mo-hint"))

    line()


def _holds_a_study(location: str) -> bool:
    try:
        return bool(stores.store_at(location).studies())
    except StoreError:
        return False


def _stands(now: Look, name: str) -> tuple[int | None, bool]:
    """The study's revision and whether it runs; None for a study that cannot be read any more."""
    try:
        return now.store.revision(name), now.store.is_running(name)
    except StoreError:
        return None, False

"""What several pages draw: their head, what was refused, the hint where nothing is picked, the swaps of a trial.

What comes and goes above columns stands in a container: otherwise the columns take another place, are drawn from
nothing, and what is just being typed in them is lost.
"""

from __future__ import annotations

import streamlit as st

from moopt import choose
from moopt_explorer import charts, evidence, markup
from moopt_explorer.answer import Answer
from moopt_explorer.views import renewal, session
from moopt_explorer.views.session import Look


def head(look: Look) -> None:
    """The study's name and line, and what became of the pick."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.html(markup.line_html(look.snapshot.record.name, "mo-title"), width="content")
        renewal.refresh(look)
    with st.container():
        if notice := session.notice():
            st.warning(markup.markdown(notice))


def refused(about: str) -> None:
    """What a button about this could not do."""
    with st.container(key=f"mo-refused-{about}"):
        if message := session.said(about):
            st.error(markup.markdown(message))


def palette() -> charts.Palette:
    """The colours of the reader's theme."""
    return charts.DARK if st.context.theme.type == "dark" else charts.LIGHT


def nothing_picked(found: Answer | None, purpose: str) -> None:
    """The way on where a page wants a pick; ``purpose`` ends the sentence "there is nothing to ..."."""
    st.info(f"No trial is picked, so there is nothing to {purpose} yet. Pick one on the page Explore.")
    with st.container(horizontal=True):
        if found is not None and found.recommended is not None:
            st.button(
                f"Take recommended #{found.recommended}",
                type="primary",
                shortcut="Ctrl+Enter",
                on_click=session.callback(session.take_recommended),
            )
        st.button("Back to Explore", on_click=session.go, args=("explore",))


def beaten(found: Answer) -> None:
    """The way on from a pick that is off the front."""
    st.html(markup.line_html("The pick is off the front: another trial is better, and nowhere worse.", "mo-hint"))
    if found.better is not None:
        change = session.callback(session.picked(found.better))
        st.button(f"Take #{found.better} instead", type="primary", on_click=change)


def swaps(found: Answer, number: int) -> None:
    """What a trial's neighbours on the front would buy and cost, each to be taken."""
    st.html(markup.section_html("What its neighbours would change", "cheapest first"))
    offered = choose.swaps(found.objectives, found.front, number)
    if not offered:
        st.html(markup.line_html("It is the only trial on the front.", "mo-hint"))
    for swap in offered:
        told = f"#{swap.number}: {swap.text}{evidence.tie_note(found, number, swap.number)}"
        words, take = st.columns([5, 1], vertical_alignment="center")
        words.html(markup.line_html(told, "mo-swap"))
        if swap.within_limits:
            change = session.callback(session.picked(swap.number))
            take.button(f"Take #{swap.number}", on_click=change, width="stretch")

"""The explorer: ``streamlit run explorer/app.py -- STORE``. Navigation and theme."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import streamlit as st

import moopt  # noqa: F401 - as a whole before its parts: two first readers at once would wait for each other's imports
from moopt.errors import MooptError, StoreError
from moopt_explorer import markup, sockets, state
from moopt_explorer.views import compare, decide, explore, progress, renewal, session, studies, tradeoffs
from moopt_explorer.views.session import Look

_STYLE = Path(__file__).with_name("style.css")
_ICON = Path(__file__).with_name("icon.png")


@st.cache_resource(show_spinner=False)
def _set_up() -> None:
    sockets.send_at_once()


def main(arguments: list[str]) -> None:
    """Draw the page that the address names."""
    _set_up()
    st.set_page_config(page_title="moopt explorer", page_icon=str(_ICON), layout="wide", initial_sidebar_state=330)
    st.html(_STYLE)
    pages = {
        "explore": st.Page(lambda: _draw(arguments, found, explore.page), title="Explore", default=True),
        "tradeoffs": st.Page(lambda: _draw(arguments, found, tradeoffs.page), title="Trade-offs", url_path="tradeoffs"),
        "compare": st.Page(lambda: _draw(arguments, found, compare.page), title="Compare", url_path="compare"),
        "decide": st.Page(lambda: _draw(arguments, found, decide.page), title="Decide and export", url_path="decide"),
        "progress": st.Page(lambda: _draw(arguments, found, progress.page), title="Progress", url_path="progress"),
        "studies": st.Page(lambda: _draw(arguments, found, studies.page), title="Studies", url_path="studies"),
    }
    current = st.navigation(list(pages.values()), position="hidden")
    found = _look(arguments, current.url_path)
    query = st.query_params.to_dict() if isinstance(found, str) else state.to_query(found.view)
    if (wanted := session.turned_to()) is not None:
        st.switch_page(pages[wanted], query_params=query)
    _header(found, list(pages.values()), query)
    current.run()
    session.ended()


def _look(arguments: list[str], page: str) -> Look | str:
    """What the pages show, or why there is nothing to show."""
    if len(arguments) != 1:
        return "The explorer wants one store. Start it with `moopt explore STORE`, or `streamlit run app.py -- STORE`."
    try:
        found = session.look(arguments[0], page)
    except MooptError as error:
        return markup.markdown(str(error))
    if found is None:
        name = markup.markdown(arguments[0])
        return f"The store {name} holds no study yet. Start one with `moopt run`."
    return found


def _header(found: Look | str, pages: list[st.Page], query: dict[str, str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="mo-header"):
        st.html('<b class="mo-brand">moopt</b>', width="content")
        for one in pages:
            st.page_link(one, query_params=query)
        if not isinstance(found, str):
            st.html(markup.sentence_html(found.answer, found.view.preference), width="stretch")


def _draw(arguments: list[str], found: Look | str, page: Callable[[Look], None]) -> None:
    if isinstance(found, str):
        st.error(found)
        if len(arguments) == 1:
            renewal.wait(arguments[0])
        return
    try:
        page(found)
    except StoreError as error:  # the store went between the look and the page
        st.error(markup.markdown(str(error)))


main(sys.argv[1:])

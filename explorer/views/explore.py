"""The page Explore: limits and a preference on the left, the front and the pick on the right."""

from __future__ import annotations

import numpy as np
import streamlit as st

from moopt.choose import BALANCED, KNEE
from moopt.objectives import Objective
from moopt_explorer import evidence, markup, sliders, wording
from moopt_explorer.answer import Answer
from moopt_explorer.views import pictures, renewal, session, tables, widgets
from moopt_explorer.views.session import Look


def page(look: Look) -> None:
    """Draw the page: the picture first, since its code is the browser's longest wait."""
    pick = st.container()
    if look.answer is not None:
        pictures.draw(look, look.answer)
    with st.sidebar:
        _study(look)
        if look.answer is not None:
            _limits(look, look.answer)
            _preference(look, look.answer)
    if look.answer is None:
        _nothing_complete(look)
    else:
        with pick:
            _pick(look, look.answer)
        tables.front(look, look.answer)
        tables.beyond(look, look.answer)
    tables.failures(look)


def _study(look: Look) -> None:
    name = look.snapshot.record.name
    if len(look.names) > 1:
        widgets.keep("study", name)
        st.selectbox("Study", look.names, key=widgets.key("study"), on_change=session.callback(of="study"))
    else:
        st.html(markup.line_html(name, "mo-title"))
    renewal.refresh(look)


def _limits(look: Look, found: Answer) -> None:
    head = markup.section_html("Limits", f"{found.n_left:,} of {len(found.front):,} left")
    for column, objective in enumerate(found.objectives):
        own = look.snapshot.objectives[column].limit
        _limit(objective, own, found.front.values[:, column], "" if column else head)
    if not found.n_left:
        st.warning(markup.markdown(found.way_out or "No trial of the front meets these limits."), icon=None)
        if found.relaxation is not None:
            change = session.relaxed(found.relaxation.name, found.relaxation.relaxed)
            st.button("Relax this limit", on_click=session.callback(change), width="stretch")


def _limit(objective: Objective, own: float | None, values: np.ndarray, head: str) -> None:
    limit = objective.limit
    st.html(
        head
        + markup.limit_head_html(objective, f"{sliders.n_within(objective, values, limit)} left")
        + markup.histogram_html(sliders.histogram(objective, values, limit))
    )
    options = sliders.options(objective, values, own, limit)
    widgets.keep(f"limit {objective.name}", sliders.ANY if limit is None else limit, options)
    st.select_slider(
        markup.markdown(f"Limit of {objective.name}"),
        options,
        format_func=lambda option: sliders.option_text(objective, option),
        key=widgets.key(f"limit {objective.name}"),
        on_change=session.callback(of=f"limit {objective.name}"),
        label_visibility="collapsed",
    )


def _preference(look: Look, found: Answer) -> None:
    widgets.keep("prefer", look.view.preference)
    st.selectbox(
        "Preference",
        [BALANCED, KNEE, *(objective.name for objective in found.objectives)],
        format_func=lambda one: one if one in (BALANCED, KNEE) else f"{wording.shorten(one)} first",
        key=widgets.key("prefer"),
        on_change=session.callback(of="prefer"),
    )
    recommended = found.recommended
    st.button(
        "Take recommended" if recommended is None else f"Take recommended #{recommended}",
        type="primary",
        shortcut="Ctrl+Enter",
        width="stretch",
        disabled=recommended is None,
        on_click=session.callback(session.take_recommended),
    )
    widgets.keep("number", "" if found.pick is None else str(found.pick), ())
    st.text_input("Or pick a trial by its number", key=widgets.key("number"), on_change=session.numbered, max_chars=17)


def _pick(look: Look, found: Answer) -> None:
    if notice := session.notice():
        st.warning(markup.markdown(notice))
    if found.pick is None:
        hint = "Nothing is picked yet. Take the recommended trial, or click a point or a row."
        st.html(
            markup.line_html(hint if found.n_left else "No trial on the front meets the limits. Relax one.", "mo-hint")
        )
        return
    trial = look.snapshot.trial(found.pick)
    values = {} if trial is None else trial.values
    default = None if trial is None else look.snapshot.default_for(trial)
    notes = wording.against_default(found.objectives, default)
    cards = markup.cards_html(found.objectives, values, notes, title=f"#{found.pick}")
    sure = evidence.sure_text(found, found.pick)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(cards, width="content")
        st.button(
            f"Decide on #{found.pick}",
            icon=":material/arrow_forward:",
            shortcut="Ctrl+Shift+Enter",
            on_click=session.go,
            args=("decide",),
        )
    if sure:
        st.html(markup.line_html(sure, "mo-hint"))


def _nothing_complete(look: Look) -> None:
    n_trials = len(look.snapshot.trials)
    if not n_trials:
        st.info("This study has no trial yet. Start its search; this page fills by itself.")
    elif len(look.snapshot.failed) == n_trials:
        kinds = look.snapshot.failed["failure"].value_counts()
        st.error(
            f"{'The only trial' if n_trials == 1 else f'All {n_trials} trials'} failed, most often with: "
            f"{markup.markdown(str(kinds.index[0]))}. Their messages stand below; "
            "mend the cause and run the study again."
        )
    else:
        st.info("No trial is complete yet. This page fills by itself while the search runs.")

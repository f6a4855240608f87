"""The page Explore: limits and a preference on the left, the front and the pick on the right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from moopt.choose import BALANCED, KNEE
from moopt.objectives import PARAM, Objective
from moopt_explorer import data, evidence, markup, sliders, state, wording
from moopt_explorer.answer import Answer
from moopt_explorer.data import VALUE
from moopt_explorer.views import pictures, renewal, session
from moopt_explorer.views.session import Look

_MOST_ROWS = 200
"""A table that nobody reads to its end is not sent to its end."""
_MARK, _LIKELY, _TIE = "mark", "likely", "tie"


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
        _table(look, look.answer)
    _failures(look)


def _study(look: Look) -> None:
    name = look.snapshot.record.name
    if len(look.names) > 1:
        session.keep("study", name)
        st.selectbox("Study", look.names, key=session.key("study"), on_change=session.callback())
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
    session.keep(f"limit {objective.name}", sliders.ANY if limit is None else limit, options)
    st.select_slider(
        markup.markdown(f"Limit of {objective.name}"),
        options,
        format_func=lambda option: sliders.option_text(objective, option),
        key=session.key(f"limit {objective.name}"),
        on_change=session.callback(),
        label_visibility="collapsed",
    )


def _preference(look: Look, found: Answer) -> None:
    session.keep("prefer", look.view.preference)
    st.selectbox(
        "Preference",
        [BALANCED, KNEE, *(objective.name for objective in found.objectives)],
        format_func=lambda one: one if one in (BALANCED, KNEE) else f"{wording.shorten(one)} first",
        key=session.key("prefer"),
        on_change=session.callback(),
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
    session.keep("number", "" if found.pick is None else str(found.pick), ())
    st.text_input("Or pick a trial by its number", key=session.key("number"), on_change=session.numbered, max_chars=17)


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


def _table(look: Look, found: Answer) -> None:
    """The front's members within the limits, the pick and the recommended one on top, then the best upwards."""
    recommended = found.recommended
    table = data.front_table(look.snapshot, _ordered(look, found, recommended)[:_MOST_ROWS])
    table.insert(1, _MARK, table["number"].map({recommended: "recommended", found.pick: "picked"}).fillna(""))
    table = _with_sureness(table, found)
    numbers = table["number"].tolist()
    is_there = found.pick in numbers
    key = f"moopt table {found.pick} {hash(tuple(numbers))}"  # a row keeps its place in a table, not its trial

    def clicked() -> None:
        rows = st.session_state[key].selection.rows
        session.reported()
        # A table reports by itself, and late, the row that it was drawn with, or none: that is nobody's wish.
        if rows and numbers[rows[0]] != found.pick:
            session.callback(session.picked(numbers[rows[0]]))()

    n_left = wording.count(found.n_left, "trial")
    told = (
        n_left
        if found.n_left <= _MOST_ROWS
        else f"the first {_MOST_ROWS} of {n_left}; the files on the page Decide and export hold all"
    )
    head = markup.section_html("The front within the limits", f"{told}{_about_ties(table)}")
    unsure = wording.unsure_line(look.snapshot)
    st.html(head + (markup.line_html(unsure, "mo-hint") if unsure else ""))
    if table.empty:
        return
    st.dataframe(
        table,
        key=key,
        hide_index=True,
        placeholder="",
        on_select=clicked,
        selection_mode="single-row-required" if is_there else "single-row",
        selection_default={"selection": {"rows": [0] if is_there else []}},
        column_config={
            "number": st.column_config.NumberColumn("trial", format="#%d", width=70),
            _MARK: st.column_config.TextColumn("", width=100),
            _LIKELY: st.column_config.NumberColumn(
                "on the front", format="%.0f %%", help="probability of being on the front, given the noise", width=90
            ),
            _TIE: st.column_config.NumberColumn(
                "tie", help="trials with the same number differ within noise", width=60
            ),
            **{f"{PARAM}{name}": wording.shorten(name) for name in _hyperparameters(table)},
            **{f"{VALUE}{one.name}": _column(one) for one in found.objectives},
        },
    )


def _ordered(look: Look, found: Answer, recommended: int | None) -> list[int]:
    numbers, losses = found.front.numbers[found.left], found.front.losses[found.left]
    upwards = found.objectives.index(state.axes(look.view, found.objectives)[1])
    rank = np.select([numbers == found.pick, numbers == recommended], [0, 1], 2)
    ordered: list[int] = numbers[np.lexsort([losses[:, upwards], rank])].tolist()
    return ordered


def _with_sureness(table: pd.DataFrame, found: Answer) -> pd.DataFrame:
    """The table with the probability of being on the front and the ties, where they are known."""
    known = found.certainty
    if known is None or table.empty:
        return table
    numbers = table["number"].tolist()
    ties = pd.Series([int(group) or None for group in known.groups(numbers)], table.index, dtype="Int64")
    likely = [known.probability_of(number) for number in numbers]
    table.insert(2, _LIKELY, [None if one is None else 100 * one for one in likely])
    table.insert(3, _TIE, ties)
    return table


def _about_ties(table: pd.DataFrame) -> str:
    n_tied = int(table[_TIE].notna().sum()) if _TIE in table else 0
    return f", {n_tied} of them in ties: those with the same number differ within noise" if n_tied else ""


def _hyperparameters(table: pd.DataFrame) -> list[str]:
    return [str(name).removeprefix(PARAM) for name in table if str(name).startswith(PARAM)]


def _column(objective: Objective) -> Any:
    return st.column_config.NumberColumn(
        wording.shorten(objective.name), format=f"%.4g {objective.unit}".strip(), help=f"{objective.better} is better"
    )


def _failures(look: Look) -> None:
    failed = look.snapshot.failed
    if failed.empty:
        return
    latest = "" if len(failed) <= _MOST_ROWS else f", the latest {_MOST_ROWS} of them"
    with st.expander(f"{wording.count(len(failed), 'failed trial')}{latest}"):
        shown = failed.iloc[-_MOST_ROWS:].rename(columns={"number": "trial", "failure": "kind"})
        st.dataframe(shown, hide_index=True)


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

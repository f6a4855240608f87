"""The tables of the page Explore: the front within the limits, what lies beyond one, the failed trials."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from moopt.objectives import PARAM, Objective, violations
from moopt_explorer import data, markup, state, wording
from moopt_explorer.answer import Answer
from moopt_explorer.data import VALUE
from moopt_explorer.views import session
from moopt_explorer.views.session import Look

_MOST_ROWS, _MOST_BEYOND = 200, 50
"""A table that nobody reads to its end is not sent to its end."""
_MARK, _LIKELY, _TIE, _MISSES = "mark", "likely", "tie", "misses"


def front(look: Look, found: Answer) -> None:
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
        column_config=_columns(table, found)
        | {
            _MARK: st.column_config.TextColumn("", width=100),
            _LIKELY: st.column_config.NumberColumn(
                "on the front", format="%.0f %%", help="probability of being on the front, given the noise", width=90
            ),
            _TIE: st.column_config.NumberColumn(
                "tie", help="trials with the same number differ within noise", width=60
            ),
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


def beyond(look: Look, found: Answer) -> None:
    """The front's members that miss a limit, the nearest first, and by how much."""
    outside = np.flatnonzero(~found.left)
    if not len(outside):
        return
    nearest = outside[np.argsort(violations(found.objectives, found.front.values[outside]), kind="stable")]
    numbers = found.front.numbers[nearest].tolist()
    part = _part_of(numbers, "nearest", _MOST_BEYOND)
    with st.expander(f"{wording.count(len(numbers), 'trial')} of the front beyond a limit{part}"):
        table = data.front_table(look.snapshot, numbers[:_MOST_BEYOND])
        limited = [one for one in found.objectives if one.limit is not None]
        values = table[[f"{VALUE}{one.name}" for one in limited]].to_numpy(np.float64)
        table.insert(1, _MISSES, [wording.misses(limited, row) for row in values.tolist()])
        st.dataframe(table, hide_index=True, column_config=_columns(table, found))


def failures(look: Look) -> None:
    """The failed trials with their messages."""
    failed = look.snapshot.failed
    if failed.empty:
        return
    with st.expander(f"{wording.count(len(failed), 'failed trial')}{_part_of(failed, 'latest')}"):
        shown = failed.iloc[-_MOST_ROWS:].rename(columns={"number": "trial", "failure": "kind"})
        st.dataframe(shown, hide_index=True)


def _part_of(rows: Sized, which: str, most: int = _MOST_ROWS) -> str:
    return "" if len(rows) <= most else f", the {which} {most} of them"


def _columns(table: pd.DataFrame, found: Answer) -> dict[str, Any]:
    hyperparameters = [str(name) for name in table if str(name).startswith(PARAM)]
    return {
        "number": st.column_config.NumberColumn("trial", format="#%d", width=70),
        **{name: wording.shorten(name.removeprefix(PARAM)) for name in hyperparameters},
        **{f"{VALUE}{one.name}": _column(one) for one in found.objectives},
    }


def _column(objective: Objective) -> Any:
    return st.column_config.NumberColumn(
        wording.shorten(objective.name), format=f"%.4g {objective.unit}".strip(), help=f"{objective.better} is better"
    )

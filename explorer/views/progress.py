"""The page Progress: how far the study is, how it came here, and what moves its objectives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from moopt import gap
from moopt.growth import basis, failures, trace
from moopt.trial import Trial
from moopt_explorer import charts, data, growth, markup, wording
from moopt_explorer.answer import Answer
from moopt_explorer.data import Snapshot
from moopt_explorer.views import effects, parts, steering, stores
from moopt_explorer.views.session import Look

_MOST_READ = 200
"""Of so many members of the front the scores of every step are read."""


def page(look: Look) -> None:
    """Draw the page."""
    parts.head(look)
    st.html(markup.pace_html(growth.pace(look.snapshot), look.snapshot))
    left, right = st.columns([3, 2], gap="large")
    with left:
        _course(look)
    with right:
        st.html(markup.section_html("The search", ""))
        steering.draw(look)
        _trials(look.snapshot)
    if look.answer is not None:
        _fits(look, look.answer)
        effects.draw(look)


def _course(look: Look) -> None:
    snapshot = look.snapshot
    place = look.location, data.identity(look.location), snapshot.record.name
    course = _trace(*place, growth.drawn_until(snapshot), snapshot)
    st.html(markup.section_html("The front as it grew", "on the scale of the present front"))
    if course.empty:
        st.info("No trial is complete yet. This page fills by itself while the search runs.")
        return
    st.vega_lite_chart(
        spec=charts.course(course, parts.palette()),
        key="moopt course",
        width="stretch",
        alt="Hypervolume and size of the front against evaluations",
    )
    st.html(markup.line_html(f"{wording.reached_line(course)} {basis(course)}", "mo-hint"))


@st.cache_data(max_entries=8, show_spinner=False)
def _trace(
    location: str,  # noqa: ARG001 - these four are what makes a study's course another one
    identity: int,  # noqa: ARG001
    name: str,  # noqa: ARG001
    n_complete: int,  # noqa: ARG001
    _snapshot: Snapshot,
) -> pd.DataFrame:
    return trace(_snapshot.objectives, _snapshot.columns)


def _trials(snapshot: Snapshot) -> None:
    if len(snapshot.columns):
        st.html(markup.states_html(snapshot))
    failed = failures(snapshot.columns)
    if failed.empty:
        return
    kinds = failed.groupby("failure")["count"].sum().sort_values(ascending=False)
    told = ", ".join(f"{n:,} {kind}" for kind, n in kinds.items())
    with st.expander(f"{wording.count(int(kinds.sum()), 'failed trial')}: {told}"):
        st.dataframe(
            failed.rename(columns={"failure": "kind", "count": "trials"}),
            hide_index=True,
            column_config={"last": st.column_config.NumberColumn("latest", format="#%d")},
        )


# Train against validation


def _fits(look: Look, found: Answer) -> None:
    numbers = found.front.numbers.tolist()
    read = [numbers[place] for place in np.linspace(0, len(numbers) - 1, min(len(numbers), _MOST_READ)).astype(int)]
    trials = _whole(look.location, data.identity(look.location), look.snapshot.record.name, tuple(read))
    objectives = gap.measured(look.snapshot.objectives, trials)
    st.html(markup.section_html("Train against validation", f"{wording.count(len(trials), 'trial')} of the front"))
    if not objectives:
        st.html(markup.line_html("Nothing was measured on training rows in this study.", "mo-hint"))
        return
    objective = next((one for one in objectives if one.name == look.view.explained), objectives[0])
    measured = gap.gaps(objective, trials)
    st.html(markup.line_html(f"In {wording.shorten(objective.name)}: {wording.gap_line(measured)}"))
    with st.expander("Every trial, the largest gap first"):
        st.dataframe(
            pd.DataFrame([(one.number, one.train, one.validation, one.size, one.reading) for one in measured]).set_axis(
                ["trial", "train", "validation", "gap", "reading"], axis=1
            ),
            hide_index=True,
            column_config={
                "trial": st.column_config.NumberColumn(format="#%d"),
                **{name: st.column_config.NumberColumn(format="%.4g") for name in ("train", "validation", "gap")},
            },
        )
        st.html(markup.line_html(_READING, "mo-hint"))


_READING = (
    "Overfits: the error on training rows is less than half of that on validation rows, beyond what varies between "
    "steps. Underfits: worse on its own training rows than the best of the front is on validation rows."
)


@st.cache_resource(max_entries=8, show_spinner=False)
def _whole(
    location: str,
    identity: int,  # noqa: ARG001 - another file holds other trials
    name: str,
    numbers: tuple[int, ...],
) -> list[Trial]:
    """Complete trials with their steps, which change no more."""
    return stores.store_at(location).some_trials(name, numbers)

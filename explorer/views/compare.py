"""The page Compare: two to four trials side by side, in real units, with what is noise said to be noise."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from moopt.trial import Trial
from moopt_explorer import charts, evidence, markup, state, wording
from moopt_explorer.answer import Answer
from moopt_explorer.compare import Comparison, compare
from moopt_explorer.views import parts, session, widgets
from moopt_explorer.views.session import Look


def page(look: Look) -> None:
    """Draw the page."""
    parts.head(look)
    if look.answer is None:
        st.info("No trial is complete, so there is nothing to compare yet.")
        return
    numbers = _chosen(look, look.answer)
    if len(numbers) < 2:
        st.html(markup.line_html("Choose two to four trials. The front's members and the default configs are offered."))
        return
    name = look.snapshot.record.name
    trials = [look.store.trial(name, number) for number in numbers]
    found = compare(look.answer.objectives, trials, [evidence.evidence(look.snapshot, number) for number in numbers])
    left, right = st.columns([3, 2], gap="large")
    with left:
        _values(look, found)
    with right:
        _configs(found.trials)


def _chosen(look: Look, found: Answer) -> list[int]:
    """The numbers to compare; without a choice of the reader's the pick and the default config like it."""
    offered = sorted({*found.front.numbers.tolist(), *(one.number for one in look.snapshot.defaults)})
    if found.pick is not None and found.pick not in offered:
        offered.append(found.pick)
    numbers = [number for number in look.view.compared or _first(look, found) if number in offered]
    widgets.keep("compare", numbers)
    st.multiselect(
        "Trials to compare",
        offered,
        format_func=lambda number: f"#{number}{_what(look, found, number)}",
        key=widgets.key("compare"),
        on_change=session.callback(of="compare"),
        max_selections=state.MOST_COMPARED,
    )
    return numbers


def _first(look: Look, found: Answer) -> list[int]:
    picked = look.snapshot.trial(found.pick) if found.pick is not None else None
    default = look.snapshot.default_for(picked) if picked is not None else None
    wanted = [found.pick, found.recommended, None if default is None else default.number]
    return list(dict.fromkeys(number for number in wanted if number is not None))


def _what(look: Look, found: Answer, number: int) -> str:
    if number == found.pick:
        return " (picked)"
    if number == found.recommended:
        return " (recommended)"
    return " (default config)" if any(number == one.number for one in look.snapshot.defaults) else ""


def _values(look: Look, found: Comparison) -> None:
    st.html(markup.section_html("Values", wording.measured_note(found.has_noise, found.has_confirmed)))
    st.vega_lite_chart(
        spec=charts.dumbbells(found, parts.palette()),
        key="moopt dumbbells",
        width="stretch",
        alt="The trials' values in each objective with their intervals; the table below says the same",
    )
    st.html(markup.compared_html(found))
    if tied := evidence.ties_text(look.snapshot.certainty, [trial.number for trial in found.trials]):
        st.html(markup.line_html(tied, "mo-line"))
    if found.has_noise:
        lines = [
            wording.noise_line(one, found.within_noise(column), found.n_pairs)
            for column, one in enumerate(found.objectives)
        ]
        noisy = [line for line in lines if line]
        st.html(markup.list_html(noisy) if noisy else markup.line_html("No difference is within noise.", "mo-hint"))


def _configs(trials: Sequence[Trial]) -> None:
    st.html(markup.section_html("Hyperparameters", "those that differ come first"))
    st.html(markup.configs_html(trials))
    with st.container(horizontal=True):
        for trial in trials:
            change = session.callback(session.picked(trial.number))
            st.button(f"Take #{trial.number}", key=f"moopt take {trial.number}", on_click=change)

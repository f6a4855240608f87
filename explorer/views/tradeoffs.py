"""The page Trade-offs: what should get better, what may get worse, and which trial does that."""

from __future__ import annotations

import streamlit as st

from moopt import pareto
from moopt.choose import Front, pick
from moopt.choose.moves import IMPROVE, Move, answer_wishes, next_along
from moopt.choose.swaps import differences, join, words
from moopt.objectives import Objective, format_value
from moopt.trial import Trial
from moopt_explorer import evidence, markup, sliders, wording
from moopt_explorer.answer import Answer
from moopt_explorer.views import parts, session, widgets
from moopt_explorer.views.session import KEEP, WORSEN, Look


def page(look: Look) -> None:
    """Draw the page."""
    parts.head(look)
    found = look.answer
    trial = None if found is None or found.pick is None else look.snapshot.trial(found.pick)
    if found is None or trial is None:
        parts.nothing_picked(found, "trade")
        return
    if not found.on_front:
        parts.beaten(found)
        return
    left, right = st.columns([5, 4], gap="large")
    with left:
        _wishes(look, found, trial)
        move = answer_wishes(found.front, trial.number, look.view.wishes) if look.view.wishes else None
        if move is not None:
            _answer(look, found, trial, move)
        parts.swaps(found, trial.number)
    with right:
        _standing(found, trial)
        _steps(found, trial)


def _wishes(look: Look, found: Answer, trial: Trial) -> None:
    st.html(markup.section_html(f"From #{trial.number}, what should change?", "what is not named stays as good"))
    for column, objective in enumerate(found.objectives):
        _wish(look, found.front, objective, column, trial)


def _wish(look: Look, front: Front, objective: Objective, column: int, trial: Trial) -> None:
    wish = look.view.wishes.get(objective.name)
    said = IMPROVE if wish == IMPROVE else KEEP if wish is None else WORSEN
    named, choice, worst = st.columns([2, 4, 3], vertical_alignment="center")
    named.html(markup.now_html(objective, trial.values[objective.name]))
    widgets.keep(f"wish {objective.name}", said)
    choice.segmented_control(
        markup.markdown(f"Wish for {objective.name}"),
        [IMPROVE, KEEP, WORSEN],
        required=True,
        key=widgets.key(f"wish {objective.name}"),
        on_change=session.callback(of=f"wish {objective.name}"),
        label_visibility="collapsed",
    )
    if said != WORSEN:
        return
    here = front.losses[front.row(trial.number), column]
    worse = front.values[front.losses[:, column] > here, column]
    if not worse.size:
        worst.html(markup.line_html("it is the worst of the front already", "mo-hint"))
        return
    accepted = sliders.ANY if isinstance(wish, str) or wish is None else wish
    options = sliders.options(objective, worse, None if accepted == sliders.ANY else accepted)
    widgets.keep(f"worst {objective.name}", accepted, options)
    worst.select_slider(
        markup.markdown(f"Worst accepted {objective.name}"),
        options,
        format_func=lambda option: "as far as it goes" if option == sliders.ANY else format_value(objective, option),
        key=widgets.key(f"worst {objective.name}"),
        on_change=session.callback(of=f"worst {objective.name}"),
        label_visibility="collapsed",
    )


def _answer(look: Look, found: Answer, trial: Trial, move: Move) -> None:
    if move.number is None:
        st.warning(markup.markdown(move.hindrance), icon=None)
        return
    other = look.snapshot.trial(move.number)
    gains, costs = differences(found.front, found.front.row(trial.number), found.front.row(move.number))
    told = f"#{move.number} does that: {join(gains)}" + (f" for {join(costs)}" if costs else "")
    told += f"{evidence.tie_note(found, trial.number, move.number)}."
    words_, take = st.columns([5, 1], vertical_alignment="center")
    words_.html(markup.line_html(told, "mo-why"))
    take.button(
        f"Take #{move.number}",
        key="moopt take answer",
        type="primary",
        width="stretch",
        on_click=session.callback(session.picked(move.number)),
    )
    more = wording.count(move.n_suited, "trial") + (" does" if move.n_suited == 1 else " do") + " what is asked"
    st.html(markup.section_html("Hyperparameters that differ", more))
    if other is not None:
        st.html(markup.changes_html(trial, other))


def _standing(found: Answer, trial: Trial) -> None:
    """The badges of the pick, and how robust it is."""
    choice = pick(found.objectives, found.front, trial.number, certainty=found.certainty)
    badges = []
    if found.recommended == trial.number:
        badges.append("recommended")
    if found.front.numbers[pareto.knee(found.front.losses)] == trial.number:
        badges.append("knee of the front")
    row = found.front.row(trial.number)
    for column, objective in enumerate(found.objectives):
        if found.front.losses[row, column] == found.front.losses[:, column].min():
            badges.append(f"best {words(objective)}")
    st.html(markup.section_html(f"#{trial.number}", f"chosen by {100 * choice.robustness:.0f} % of 200 preferences"))
    st.html(markup.badges_html(badges or ["no extreme of the front"]))
    if sure := evidence.sure_text(found, trial.number):
        st.html(markup.line_html(sure, "mo-hint"))


def _steps(found: Answer, trial: Trial) -> None:
    """The next trial each way along each objective."""
    st.html(markup.section_html("Along one objective", "the next trial within the limits"))
    for objective in found.objectives:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(markup.now_html(objective, trial.values[objective.name]), width=110)
            for is_better in (False, True):
                number = next_along(found.front, trial.number, objective.name, better=is_better)
                what = "better" if is_better else "worse"
                st.button(
                    f"{what}: none" if number is None else f"{what}: #{number}, {_at(found, objective, trial, number)}",
                    key=f"moopt {what} {objective.name}",
                    disabled=number is None,
                    width="stretch",
                    on_click=session.callback(session.picked(number)),
                )


def _at(found: Answer, objective: Objective, trial: Trial, number: int) -> str:
    column = [one.name for one in found.objectives].index(objective.name)
    value = format_value(objective, float(found.front.values[found.front.row(number), column]))
    return value + evidence.tie_note(found, trial.number, number)

"""Between the pages and the browser: the view in the session, its twin in the URL, what the widgets say.

The view in the session is the truth. A widget is set from it before it is drawn; a callback reads all
widgets back into it, because a callback's arguments are as old as the last picture. The URL follows the
view; it leads only where the reader has moved in it (a link, Back), never where a widget spoke.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import streamlit as st

from moopt.choose.moves import ANYTHING, IMPROVE, Wish
from moopt.store.base import Store
from moopt_explorer import answer, data, sliders, state
from moopt_explorer.state import View
from moopt_explorer.views import stores, widgets

_VIEW, _SHOWN, _NOTICE = "moopt_view", "moopt_shown", "moopt_notice"
_QUERIES, _PAGE, _SPOKEN, _ENDED = "moopt_queries", "moopt_page", "moopt_spoken", "moopt_ended"
_GO, _SAID, _REFUSED = "moopt_go", "moopt_said", "moopt_refused"
KEEP, WORSEN = "keep", "may worsen"
"""Beside ``improve``, what the control of a wish says."""
_AT_ONCE = 0.5
"""Seconds."""


@dataclass(frozen=True)
class Look:
    """What a page is drawn from."""

    location: str
    store: Store
    names: tuple[str, ...]
    """The store's studies."""
    snapshot: data.Snapshot
    read_at: float
    """When the snapshot was read, in Unix seconds."""
    view: View
    answer: answer.Answer | None
    """None for a study without a complete trial."""


def look(location: str, page: str) -> Look | None:
    """The view and the study it is about, on this page; None for a store without a study. Raises StoreError."""
    store = stores.store_at(location)
    names = tuple(record.name for record in store.studies())
    if not names:
        return None
    view = _asked(page)
    name = view.study if view.study in names else names[-1]
    snapshot, read_at = stores.snapshot_at(location, name)
    view = state.fitted(replace(view, study=name if len(names) > 1 else ""), snapshot.objectives)
    found = answer.answer(snapshot, view)
    if found is not None:
        view = replace(view, pick=found.pick)
        if found.notice:
            st.session_state[_NOTICE] = found.notice
    _publish(view)
    st.session_state[_SHOWN] = snapshot
    return Look(location, store, names, snapshot, read_at, view, found)


def notice() -> str:
    """What is to be said about the pick until the user does something."""
    told = (st.session_state.get(_REFUSED), st.session_state.get(_NOTICE))
    return " ".join(str(one) for one in told if one)


def _asked(page: str) -> View:
    """The view in the session, or the one in the URL where the reader moved there."""
    query = st.query_params.to_dict()
    spoken, moved = st.session_state.pop(_SPOKEN, False), _moved(query, page)
    if _VIEW not in st.session_state or (moved and not spoken):
        st.session_state[_VIEW] = state.from_query(query)
        st.session_state[_QUERIES] = [query]  # what the browser shows now: going Forward is a move again
        st.session_state[_NOTICE] = ""
    view: View = st.session_state[_VIEW]
    return view


def _moved(query: dict[str, str], page: str) -> bool:
    """Whether the URL is the reader's: not the one we gave last, nor one before it in a link to another page.

    Such a link is as old as the last picture: clicked soon after a change, it leads to the page as it was before it,
    and the change would be lost. On one page it is Back or Forward, and at once.
    """
    published: list[dict[str, str]] = st.session_state.setdefault(_QUERIES, [query])
    turned = page != st.session_state.get(_PAGE, page)
    since, st.session_state[_ENDED] = time.monotonic() - st.session_state.get(_ENDED, 0.0), math.inf
    st.session_state[_PAGE] = page
    if query == published[-1]:
        del published[:-1]
        return False
    return not (turned and query in published and since < _AT_ONCE)


def _publish(view: View) -> None:
    query = state.to_query(view)
    st.session_state[_VIEW] = view
    if st.session_state[_QUERIES][-1] != query:
        st.session_state[_QUERIES].append(query)
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)


def ended() -> None:
    """Note that the page is drawn."""
    st.session_state[_ENDED] = time.monotonic()


def callback(change: Callable[[View], View] = lambda view: view, *, of: str = "") -> Callable[[], None]:
    """A widget's callback: what all widgets say now, and then a change of it.

    ``of`` names the widget where a page sets it: what it reports late counts for nothing.
    """

    def changed() -> None:
        if of and widgets.is_late(of):
            reported()
            return
        st.session_state[_VIEW] = change(_said())
        st.session_state[_SPOKEN], st.session_state[_NOTICE], st.session_state[_REFUSED] = True, "", ""

    return changed


def go(page: str) -> None:
    """Turn to another page at the next chance. A button's own value would be lost where its run is cut short."""
    st.session_state[_GO] = page


def turned_to() -> str | None:
    """The page to turn to, asked once."""
    page: str | None = st.session_state.pop(_GO, None)
    return page


def take_recommended(view: View) -> View:
    """The view with the recommended trial picked, computed from the limits as they are at this moment."""
    found = answer.answer(st.session_state[_SHOWN], view)
    if found is None or found.recommended is None:
        return view
    return replace(view, pick=found.recommended)


def picked(number: int | None) -> Callable[[View], View]:
    """A change that picks a trial; it is judged against the limits before it is shown. What was wished of the one
    before is forgotten.
    """
    return lambda view: view if view.pick == number else replace(view, pick=number, wishes={})


def numbered() -> None:
    """Pick the trial whose number its field holds, or none where it is empty; where that trial may not be picked, the
    pick stays and it is said why.
    """
    if widgets.is_late("number"):
        reported()
        return
    written = str(widgets.heard("number")).strip()
    asked = state.number(written.removeprefix("#"))
    if asked is None:
        callback(picked(None) if not written else lambda view: view)()
        st.session_state[_REFUSED] = f"{written} is no number of a trial." if written else ""
        return
    found = answer.answer(st.session_state[_SHOWN], replace(_said(), pick=asked))
    may = found is not None and found.pick == asked
    callback(picked(asked) if may else lambda view: view)()
    st.session_state[_REFUSED] = "" if found is None or may else found.notice


def comparing(numbers: Iterable[int]) -> Callable[[View], View]:
    """A change that compares these trials."""
    return lambda view: replace(view, compared=tuple(numbers))


def rivalled(view: View) -> View:
    """The view compared with the study that its widget names."""
    return replace(view, rival=widgets.heard("rival"))


def explained(view: View) -> View:
    """The view that looks at the objective its widget names, along what matters most to it."""
    return replace(view, explained=widgets.heard("explained"), along="")


def along(view: View) -> View:
    """The view that looks along the hyperparameter its widget names."""
    return replace(view, along=widgets.heard("along"))


def relaxed(name: str, limit: float) -> Callable[[View], View]:
    """A change that moves one limit."""

    def change(view: View) -> View:
        objective = next(one for one in st.session_state[_SHOWN].objectives if one.name == name)
        return state.with_limit(view, objective, limit)

    return change


def limited(limits: Mapping[str, float]) -> Callable[[View], View]:
    """A change that sets several limits."""

    def change(view: View) -> View:
        for objective in st.session_state[_SHOWN].objectives:
            if objective.name in limits:
                view = state.with_limit(view, objective, limits[objective.name])
        return view

    return change


def say(message: str, about: str) -> None:
    """Have something said on the page that is drawn next, where it says things about this."""
    st.session_state[_SAID] = {about: message}


def said(about: str) -> str:
    """What is to be said about this, asked once."""
    told: dict[str, str] = st.session_state.get(_SAID, {})
    return told.pop(about, "")


def _said() -> View:
    """The session's view with what the widgets on the page say."""
    view: View = st.session_state[_VIEW]
    shown: data.Snapshot = st.session_state[_SHOWN]
    said = {what: widgets.heard(what) for what in ("study", "x", "y", "prefer", "show", "picture")}
    if said["study"] and said["study"] != shown.record.name:
        return View(study=said["study"])
    view = replace(
        view,
        x=said["x"] or view.x,
        y=said["y"] or view.y,
        preference=said["prefer"] or view.preference,
        picture=said["picture"] or view.picture,
        whole=said["show"] == "all" if said["show"] else view.whole,
    )
    compared = widgets.heard("compare")
    if compared is not None:
        view = replace(view, compared=tuple(compared))
    for objective in shown.objectives:
        limit = widgets.heard(f"limit {objective.name}")
        if limit is not None:
            view = state.with_limit(view, objective, None if limit == sliders.ANY else limit)
        wish = widgets.heard(f"wish {objective.name}")
        if wish is not None:
            worst = widgets.heard(f"worst {objective.name}")
            view = state.with_wish(view, objective.name, _wish(wish, sliders.ANY if worst is None else worst))
    return view


def _wish(said: str, worst: float | str) -> Wish | None:
    """What two widgets say of one objective together."""
    if said == WORSEN:
        return ANYTHING if worst == sliders.ANY else float(worst)
    return IMPROVE if said == IMPROVE else None


def reported() -> None:
    """Note that a widget asked, perhaps before the browser saw the last URL: the URL leads nowhere by it."""
    st.session_state[_SPOKEN] = True


def note(what: str, value: object) -> None:
    """A callback that keeps something in the session and leaves the view as it is."""
    reported()
    st.session_state[what] = value


def has_spoken() -> bool:
    """Whether a widget of a part of the page has changed the view, so that the whole page is to be drawn anew."""
    return bool(st.session_state.get(_SPOKEN, False))


def redraw() -> None:
    """Draw the whole page anew, from a part of it that has learned something; the URL leads nowhere by it."""
    reported()
    st.rerun(scope="app")

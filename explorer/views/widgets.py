"""Widgets that a page sets before it draws them, and what they say since.

With each gesture the browser reports all its widgets. One that was set a moment ago may still say there what it said
before: that is as old as the last picture, and nobody's wish.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import streamlit as st

_KEPT, _SETTINGS = "moopt_kept", "moopt_settings"
_DRAWN, _SEEN = 0.5, 2.0
"""Seconds after which the browser has drawn a page whose URL it shows, and has seen one at all."""


@dataclass(frozen=True)
class _Setting:
    before: object
    value: object
    url: dict[str, str]
    """The query of the page that it was set for."""
    at: float
    """On the monotonic clock, in seconds."""


def key(what: str) -> str:
    """The key of a widget."""
    return f"moopt {what}"


def keep(what: str, value: object, among: object = None) -> None:
    """Set a widget before it is drawn; one that says so already, ``among`` the same options, is left alone: a hand
    may be at it while the page is renewed.
    """
    kept: dict[str, object] = st.session_state.setdefault(_KEPT, {})
    before = st.session_state.get(key(what))
    if among is None or kept.get(what) != among or before != value:
        st.session_state[key(what)] = value
    kept[what] = among
    if before is not None and before != value:
        _settings()[what] = _Setting(before, value, st.query_params.to_dict(), time.monotonic())


def heard(what: str) -> Any:
    """What a widget says, or what it was set to where it only says what it said before; None if it is not drawn."""
    return _settings()[what].value if is_late(what) else st.session_state.get(key(what))


def is_late(what: str) -> bool:
    """Whether a widget only says what it said before it was set."""
    setting = _settings().get(what)
    if setting is None:
        return False
    said = st.session_state.get(key(what))
    patience = _DRAWN if st.query_params.to_dict() == setting.url else _SEEN
    if said not in (setting.before, setting.value) or time.monotonic() - setting.at > patience:
        del _settings()[what]
        return False
    return bool(said == setting.before)


def _settings() -> dict[str, _Setting]:
    settings: dict[str, _Setting] = st.session_state.setdefault(_SETTINGS, {})
    return settings

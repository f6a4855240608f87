"""Driving the pages by Streamlit's own test driver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

Open = Callable[..., AppTest]
"""Opens the app on a store, with a query."""


def words(app: AppTest) -> str:
    """All text of a page."""
    assert not app.exception, app.exception
    told = [*app.get("html"), *app.info, *app.warning, *app.error]
    return "\n".join(str(getattr(one, "body", None) or one.value) for one in told).replace("\\", "")


def take(app: AppTest) -> AppTest:
    return next(one for one in app.button if one.label.startswith("Take recommended")).click().run()


def turned(app: AppTest, page: str) -> AppTest:
    """The app on another page."""
    app.session_state["moopt_go"] = page
    return app.run()


def offered(app: AppTest) -> list[str]:
    """What may be downloaded, by its button's label."""
    buttons: list[Any] = app.get("download_button")
    return [one.proto.label for one in buttons]

"""The app on a store, and a store to open it on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from moopt.objectives import Objective
from moopt.store import open_store
from tests.explorer import synthetic
from tests.explorer.pages import Open

APP = Path(__file__).resolve().parents[2] / "explorer" / "app.py"


@pytest.fixture
def explorer(monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens the app on a store, with a query."""

    def opened(*arguments: object, **query: str) -> AppTest:
        monkeypatch.setattr(sys, "argv", ["app.py", *map(str, arguments)])
        app = AppTest.from_file(str(APP), default_timeout=60)
        for key, value in query.items():
            app.query_params[key.replace("__", ".")] = value
        return app.run()

    return opened


@pytest.fixture
def filled(tmp_path: Path) -> Callable[..., Path]:
    """A store with one study."""

    def made(count: int, of: Sequence[Objective] = synthetic.FOUR, **how: float) -> Path:
        path = tmp_path / "study.db"
        store = open_store(path)
        synthetic.fill(store, "churn", count, of=of, **how)
        store.close()
        return path

    return made

"""One browser and one explorer for all browser tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from moopt.store import open_store
from tests.explorer import synthetic

if TYPE_CHECKING:
    from tests.browser.pages import Browsing


@pytest.fixture(scope="session")
def browsing() -> Iterator[Browsing]:
    from tests.browser.pages import CHROMIUM, QUIET, Browsing, playwright  # it skips where there is no playwright

    if not CHROMIUM.exists():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"there is no {CHROMIUM}; install the package chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(QUIET))
        found = Browsing(browser, [])
        yield found
        browser.close()
    assert found.strangers == [], "no request leaves the machine"


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from tests.browser.pages import served

    path = tmp_path_factory.mktemp("explorer") / "churn.db"
    store = open_store(path)
    synthetic.fill(store, "churn", 150)
    store.close()
    with served(path) as address:
        yield address

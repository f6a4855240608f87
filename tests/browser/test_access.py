"""Every page in both themes: contrast and structure of our markup, names of pictures, pictures as files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moopt.store import open_store
from tests.browser.pages import Browsing, expect, idle, served
from tests.explorer import synthetic

pytestmark = pytest.mark.browser

PAGES = {
    "scatter": "?pick={}",
    "axes": "?pick={}&picture=axes",
    "matrix": "?pick={}&picture=matrix",
    "trade-offs": "tradeoffs?pick={}&wish.accuracy=improve&wish.latency_ms=anything&wish.size_kb=anything",
    "compare": "compare?pick={}&compare=0,2,3,4",
    "decide": "decide?pick={}",
    "progress": "progress",
    "studies": "studies?with=rival",
}
PICTURED = ("scatter", "axes", "matrix", "compare", "progress", "studies")


@pytest.fixture(scope="module")
def sure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """The address of two studies, the latest one confirmed, and a confirmed trial that is on its front."""
    path = tmp_path_factory.mktemp("access") / "sure.db"
    store = open_store(path)
    synthetic.fill(store, "rival", 60)
    number = synthetic.confirmed(store, "sure")[1]
    store.close()
    with served(path) as address:
        yield address, number


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_against_wcag_2_a_and_aa(
    name: str, theme: str, sure: tuple[str, int], browsing: Browsing
) -> None:
    with _opened(name, sure, browsing, theme) as page:
        expect(page.locator("[data-testid=stApp]")).to_have_css("color-scheme", theme)
        expect(page.locator(".mo-section").last).to_be_visible()
        idle(page)
        assert _violations(page) == []


@pytest.mark.parametrize("name", PICTURED)
def test_a_picture_has_a_name_and_is_saved_as_png(name: str, sure: tuple[str, int], browsing: Browsing) -> None:
    with _opened(name, sure, browsing) as page:
        pictures = page.get_by_test_id("stVegaLiteChart")
        expect(pictures.first.locator("svg.marks")).to_be_visible()
        for place in range(pictures.count()):
            picture = pictures.nth(place)
            expect(picture).to_have_attribute("aria-label", re.compile(".{20}"))
            picture.hover(position={"x": 20, "y": 20})
            with page.expect_download() as arriving:
                page.get_by_role("button", name="Download as PNG").first.click()
            assert Path(arriving.value.path()).read_bytes().startswith(b"\x89PNG")


def _opened(name: str, sure: tuple[str, int], browsing: Browsing, theme: str = "light") -> Any:
    address, number = sure
    return browsing.page(f"{address}/{PAGES[name].format(number)}", theme)


def _violations(page: Any) -> list[str]:
    """What axe-core finds in our own markup; Streamlit's widgets are its own."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="wants axe, from the extra dev")
    found = axe.Axe().run(
        page,
        context={"include": [["[data-testid=stHtml]"]]},
        options={"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa"]}},
    )
    return [f"{one['id']}: {node['html']}" for one in found.response["violations"] for node in one["nodes"]]

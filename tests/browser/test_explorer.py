"""The explorer as people meet it: the real server, a real browser, gestures."""

from __future__ import annotations

import io
import os
import re
import socket
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from moopt.objectives import Objective
from moopt.store import open_store
from tests.explorer import synthetic

playwright = pytest.importorskip("playwright.sync_api", reason="wants playwright, from the extra dev")
expect = playwright.expect

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
APP = Path(__file__).resolve().parents[2] / "explorer" / "app.py"
PATIENCE = 60_000

expect.set_options(timeout=PATIENCE)
pytestmark = pytest.mark.browser


@dataclass
class Browsing:
    """A browser, and the addresses outside this machine that it asked for."""

    browser: Any
    strangers: list[str]

    @contextmanager
    def page(self, address: str) -> Iterator[Any]:
        """A page in a context of its own."""
        context = self.browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("request", lambda request: self._note(request.url))
        page.goto(address)
        yield page
        context.close()

    def _note(self, url: str) -> None:
        if not re.match(r"(https?|wss?)://127\.0\.0\.1[:/]|data:|blob:", url):
            self.strangers.append(url)


@pytest.fixture(scope="module")
def browsing() -> Iterator[Browsing]:
    if not CHROMIUM.exists():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"there is no {CHROMIUM}; install the package chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(QUIET))
        found = Browsing(browser, [])
        yield found
        browser.close()
    assert found.strangers == [], "no request leaves the machine"


@contextmanager
def served(store: Path) -> Iterator[str]:
    """The address of an explorer of a store."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(APP), "--server.port", str(port), "--", str(store)]
    with open(store.with_suffix(".log"), "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        while not _answers(address):
            assert process.poll() is None, store.with_suffix(".log").read_text()
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
            return True
    except (URLError, OSError):
        return False


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("explorer") / "churn.db"
    store = open_store(path)
    synthetic.fill(store, "churn", 150)
    store.close()
    with served(path) as address:
        yield address


def sentence(page: Any) -> Any:
    return page.locator(".mo-steps")


def ready(page: Any) -> None:
    expect(page.locator("svg.marks")).to_be_visible()


def limit(page: Any, objective: str) -> Any:
    return page.get_by_role("slider", name=f"Limit of {objective}")


def test_from_a_limit_to_the_files_and_back(study: str, browsing: Browsing) -> None:
    with browsing.page(study) as page:
        ready(page)
        expect(sentence(page)).to_contain_text("Pick none yet")

        slider = limit(page, "latency_ms")
        slider.focus()
        for _ in range(12):
            slider.press("ArrowLeft")
        expect(sentence(page)).to_contain_text("latency_ms ≤")

        page.get_by_role("button", name=re.compile("Take recommended #")).click()
        expect(sentence(page)).to_contain_text(re.compile(r"Pick #\d+"))
        recommended = re.search(r"pick=(\d+)", page.url)
        assert recommended is not None

        other = _click_a_point(page, not_this=recommended[1])
        expect(sentence(page)).to_contain_text(f"Pick #{other}")
        explored = page.url

        page.get_by_role("button", name=f"Decide on #{other}").click()
        expect(page.locator(".mo-why")).to_contain_text(f"Trial {other} ")
        decided = page.url
        with page.expect_download() as arriving:
            page.get_by_role("button", name="Download the zip").click()
        archive = zipfile.ZipFile(io.BytesIO(Path(arriving.value.path()).read_bytes()))
        assert archive.testzip() is None
        assert {"config.json", "front.csv", "WHY.md", "manifest.json"} <= set(archive.namelist())
        assert f"{other}" in archive.read("WHY.md").decode()

        page.go_back()
        ready(page)
        expect(sentence(page)).to_contain_text(f"Pick #{other}")
        assert page.url == explored
        page.go_back()
        expect(sentence(page)).to_contain_text(f"Pick #{recommended[1]}")

    with browsing.page(decided) as fresh:
        expect(fresh.locator(".mo-why")).to_contain_text(f"Trial {other} ")
        fresh.get_by_role("link", name="Explore").click()
        ready(fresh)
        expect(sentence(fresh)).to_contain_text(f"Pick #{other}")
        expect(limit(fresh, "latency_ms")).not_to_have_attribute("aria-valuetext", "no limit")


def _click_a_point(page: Any, not_this: str) -> str:
    """Click a point of the front within the limits, and give its number."""
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")
    points = page.locator("svg.marks path[aria-label^='trial '][fill='#0072B2']")
    labels = points.evaluate_all("points => points.map(point => point.getAttribute('aria-label'))")
    chosen = next(label for label in labels if label != f"trial {not_this}")
    page.locator(f"svg.marks path[aria-label='{chosen}']").first.click(force=True)
    page.wait_for_url(lambda url: "pick=" in url and f"pick={not_this}" not in url)
    clicked = re.search(r"pick=(\d+)", page.url)
    assert clicked is not None
    return clicked[1]


def test_a_hasty_hand_never_picks_beyond_a_limit(study: str, browsing: Browsing) -> None:
    with browsing.page(study) as page:
        ready(page)
        slider = limit(page, "size_kb")
        for presses in (6, 9, 4):
            slider.focus()
            for _ in range(presses):
                page.keyboard.press("ArrowLeft")
            page.keyboard.press("Control+Enter")
        expect(sentence(page)).to_contain_text(re.compile(r"size_kb ≤ .*Pick (#\d+|none yet)", re.S))
        expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")
        text = sentence(page).inner_text()
        stated = re.search(r"size_kb ≤ ([\d.]+) kB", text)
        assert stated is not None
        if "Pick #" in text:
            size = re.search(r"size_kb\s+([\d.]+) kB", page.locator(".mo-cards").inner_text())
            assert size is not None
            assert float(size[1]) <= float(stated[1])


def test_a_study_that_grows_while_it_is_open(tmp_path: Path, browsing: Browsing) -> None:
    path = tmp_path / "growing.db"
    store = open_store(path)
    synthetic.create(store, "growing")
    with served(path) as address, browsing.page(address) as page:
        expect(page.get_by_text("This study has no trial yet")).to_be_visible()
        with store.write("growing") as writer:
            synthetic.grow(writer, 0, 20)
            ready(page)
            expect(page.get_by_text("20 trials")).to_be_visible()
            expect(page.get_by_text(re.compile(", running"))).to_be_visible()
        page.get_by_role("button", name=re.compile("Take recommended #")).click()
        expect(sentence(page)).to_contain_text(re.compile(r"Pick #\d+"))
        store.close()
        path.unlink()
        expect(page.get_by_text(re.compile("is gone|no store|no file"))).to_be_visible()


def test_names_are_text_and_never_run(tmp_path: Path, browsing: Browsing) -> None:
    odd = "<img src=x onerror=document.title='run'>'\"🙂_*" + "n" * 250
    of = (Objective(odd, "maximize"), Objective("</style><script>document.title='run'</script>", log=True))
    path = tmp_path / "odd.db"
    store = open_store(path)
    synthetic.fill(store, odd, 40, of=of)
    store.close()
    with served(path) as address, browsing.page(address) as page:
        ready(page)
        page.get_by_role("button", name=re.compile("Take recommended #")).click()
        expect(sentence(page)).to_contain_text(re.compile(r"Pick #\d+"))
        page.locator("svg.marks path[aria-label^='trial ']").last.hover(force=True)
        page.get_by_role("button", name=re.compile("Decide on")).click()
        expect(page.locator(".mo-why")).to_contain_text("onerror")
        for name, shown in (("Studies", "To delete it, write its name"), ("Progress", "What moves the objectives")):
            page.get_by_role("link", name=name).click()
            expect(page.get_by_text(shown)).to_be_attached()
        assert page.locator("img[src=x]").count() == 0
        assert page.title() != "run"


def test_a_picture_and_the_front_are_saved(study: str, browsing: Browsing) -> None:
    with browsing.page(study) as page:
        ready(page)
        page.locator("svg.marks").first.hover()
        with page.expect_download() as arriving:
            page.get_by_role("button", name=re.compile("^Download as PNG")).first.click()
        assert Path(arriving.value.path()).read_bytes().startswith(b"\x89PNG")
        for kind, start in (("CSV", b"number,state,"), ("Parquet", b"PAR1")):
            with page.expect_download() as arriving:
                page.get_by_role("button", name=f"The front as {kind}").click()
            assert Path(arriving.value.path()).read_bytes().startswith(start)

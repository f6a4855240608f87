"""What the browser tests share: the real server, pages in a browser, the places on a page."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

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


@dataclass
class Browsing:
    """A browser, and the addresses outside this machine that it asked for."""

    browser: Any
    strangers: list[str]

    @contextmanager
    def page(self, address: str, theme: str = "light") -> Iterator[Any]:
        """A page in a context of its own, of a system that prefers a theme."""
        size = {"width": 1280, "height": 900}
        context = self.browser.new_context(viewport=size, accept_downloads=True, color_scheme=theme)
        context.set_default_timeout(PATIENCE)
        context.on("request", lambda request: self.note(request.url))
        page = context.new_page()
        page.on("websocket", lambda socket: self.note(socket.url))
        page.goto(address)
        yield page
        context.close()

    @contextmanager
    def page_on_a_line(self, address: str) -> Iterator[tuple[Any, Line]]:
        """A page, and its line from the server."""
        with self.page("about:blank") as page:
            line = Line(page)
            page.goto(address)
            yield page, line

    def note(self, url: str) -> None:
        if not re.match(r"(https?|wss?)://127\.0\.0\.1[:/]|data:|blob:", url):
            self.strangers.append(url)


class Line:
    """From the server to a page; what comes while it is held arrives when it is released, drop by drop."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self._held: list[str | bytes] | None = None
        page.route_web_socket(re.compile("."), self._connect)

    def hold(self) -> None:
        self._held = []

    def release(self) -> None:
        while self._held:
            self._socket.send(self._held.pop(0))
            self._page.wait_for_timeout(20)  # each is drawn by itself
        self._held = None

    def _connect(self, socket: Any) -> None:
        self._socket = socket
        socket.connect_to_server().on_message(self._take)

    def _take(self, message: str | bytes) -> None:
        if self._held is None:
            self._socket.send(message)
        else:
            self._held.append(message)


@contextmanager
def served(store: Path, base: str = "", *, before: Sequence[str] = ()) -> Iterator[str]:
    """The address of an explorer of a store, below a base path; ``before`` stands before its command."""
    port = free_port()
    options = ["--server.port", str(port), *(["--server.baseUrlPath", base] if base else [])]
    command = [*before, sys.executable, "-m", "streamlit", "run", str(APP), *options, "--", str(store)]
    with running(command, f"http://127.0.0.1:{port}/{base}".rstrip("/"), store.with_suffix(".log")) as (address, _):
        yield address


@contextmanager
def running(
    command: Sequence[str], address: str, log: Path, folder: Path | None = None
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The server that a command starts, once it answers at an address."""
    with open(log, "wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, cwd=folder)
    try:
        while not _answers(address):
            assert process.poll() is None, log.read_text()
        yield address, process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
            return True
    except (URLError, OSError):
        return False


def sentence(page: Any) -> Any:
    return page.locator(".mo-steps")


def ready(page: Any) -> None:
    expect(page.locator("svg.marks")).to_be_visible()


def limit(page: Any, objective: str) -> Any:
    return page.get_by_role("slider", name=f"Limit of {objective}")


def lower(page: Any, objective: str, presses: int) -> None:
    """Lower a limit by so many presses of a key, until the page says so."""
    slider = limit(page, objective)
    slider.focus()
    for _ in range(presses):
        slider.press("ArrowLeft")
    expect(sentence(page)).to_contain_text(f"{objective} ≤")


def idle(page: Any) -> None:
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")
    page.evaluate("new Promise(done => requestIdleCallback(() => done()))")  # only then are all its keys listened to


def click_a_point(page: Any, not_this: str) -> str:
    """Click a point of the front within the limits, and give its number."""
    idle(page)
    points = page.locator("svg.marks path[aria-label^='trial '][fill='#0072B2']")
    labels = points.evaluate_all("points => points.map(point => point.getAttribute('aria-label'))")
    chosen = next(label for label in labels if label != f"trial {not_this}")
    page.locator(f"svg.marks path[aria-label='{chosen}']").first.click(force=True)
    page.wait_for_url(lambda url: "pick=" in url and f"pick={not_this}" not in url)
    clicked = re.search(r"pick=(\d+)", page.url)
    assert clicked is not None
    return clicked[1]

"""The explorer in Chromium, beside optuna-dashboard and an empty Streamlit app; JSON lines.

    python tests/benchmarks/explorer.py [paint|cold|gestures|wire|keyboard]... [--folder FOLDER]

- ``paint``: from navigation to the first picture of the front, fresh contexts, interleaved: optuna-dashboard and the
  explorer on the same study of 1,000 trials, the explorer on 100,000 (bounds: .45, and 1.3 times its own 1,000).
- ``cold``: the same in a server that has just started (bound: 100,000 at most 2 times 1,000).
- ``gestures``: CPU of a rerun, time from a slider, a brush and a click to the picture or the text that answers, beside
  an empty app of one slider and one chart (bounds: 3, 2, 2 and 3 times).
- ``wire``: data of the first load and of a rerun without anything new, and the browser's heap after both (bounds at
  100,000 trials: 300 kB, 5 kB, 50 MB more than the empty app). Streamlit's own scripts and fonts are not data.
- ``keyboard``: open, set a limit, take the recommended trial, download the zip, by the keyboard alone, on a confirmed
  study of 400 trials (bounds: 6 actions, 8 s); and without waits, whether the pick ever violates a visible limit.

All times are read in the page, between two events of it. The folder keeps the studies for the next run: the one of
100,000 trials takes ten minutes to write. Needs Chromium and the extras dev and bench.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.benchmarks.explorer_apps import (
    Server,
    confirmed_study,
    dashboard,
    explorer,
    optuna_study_of,
    plain_app,
    study_of,
)
from tests.browser.pages import CHROMIUM, QUIET, playwright

FEW, MANY = 1_000, 100_000
REST = 0.7
"""Seconds in which a browser and a server are done with a page that was closed."""
SEEN = {
    "explorer": "document.querySelector('.marks [aria-label^=\"trial \"], canvas.marks') !== null",
    "axes": "document.querySelector('svg.marks g.view_1_group, canvas.marks') !== null",
    "dashboard": "document.querySelector('#graph-pareto-front .point') !== null",
    "plain": "document.querySelector('.marks [aria-label]') !== null",
}
"""What must be in the page for its picture to be painted."""
WATCH = """
    window.moopt = {hand: 0, seen: null, answered: null};
    for (const kind of ['keydown', 'pointerup'])
        addEventListener(kind, event => { window.moopt.hand = event.timeStamp; }, true);
    window.moopt.until = (test, name) => {
        const look = () => { if (test()) window.moopt[name] = performance.now(); else requestAnimationFrame(look); };
        requestAnimationFrame(look);
    };
"""
"""The time of the last gesture, and a look at every frame until something is true."""


# Pages


@contextmanager
def browsing() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(QUIET))
        yield browser
        browser.close()


@contextmanager
def fresh_page(browser: Any, seen: str) -> Iterator[Any]:
    """A page of a context of its own, that notes when ``seen`` is first true."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.add_init_script(f"{WATCH} window.moopt.until(() => {seen}, 'seen');")
    yield page
    context.close()


def paint(browser: Any, address: str, seen: str) -> float:
    """Milliseconds from navigation to what is to be seen, once what was open before has gone."""
    time.sleep(REST)
    with fresh_page(browser, seen) as page:
        return _painted(page, address)


def _painted(page: Any, address: str) -> float:
    page.goto(address, wait_until="commit")
    page.wait_for_function("window.moopt && window.moopt.seen !== null")
    return float(page.evaluate("window.moopt.seen"))


STILL = """
    new Promise(done => {
        let last = '', frames = 0;
        const look = () => {
            const box = (document.querySelector('.marks') || document.body).getBoundingClientRect();
            const now = [box.x, box.y, box.width, box.height].join();
            frames = now === last ? frames + 1 : 0;
            last = now;
            if (frames < 10) requestAnimationFrame(look); else done();
        };
        look();
    })
"""
"""The chart has kept its place for ten frames."""


def settle(page: Any) -> None:
    """Until the script has ended and the browser has drawn what it gave."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.evaluate(STILL)


def answer_time(page: Any, shown: str, gesture: Callable[[], None]) -> float:
    """Milliseconds from a gesture's last event to when the expression ``shown`` has another value."""
    settle(page)
    page.evaluate(
        f"() => {{ const shown = () => {shown}; const before = shown(); window.moopt.answered = null;"
        " window.moopt.until(() => shown() !== null && shown() !== before, 'answered'); }"
    )
    gesture()
    page.wait_for_function("window.moopt.answered !== null")
    return float(page.evaluate("window.moopt.answered - window.moopt.hand"))


# Paint


def measure_paint(folder: Path, rounds: int) -> Iterator[dict[str, Any]]:
    few, many, peer = study_of(folder, FEW), study_of(folder, MANY), optuna_study_of(folder, FEW)
    with explorer(few) as ours, explorer(many) as large, dashboard(peer) as theirs, browsing() as browser:
        apps = {
            "explorer": (f"{ours.address}/", SEEN["explorer"]),
            "explorer, 100,000": (f"{large.address}/", SEEN["explorer"]),
            "optuna-dashboard": (f"{theirs.address}/dashboard/studies/1", SEEN["dashboard"]),
        }
        for address, seen in apps.values():
            paint(browser, address, seen)  # the first one warms the server
        taken: dict[str, list[float]] = {name: [] for name in apps}
        for _ in range(rounds):
            for name, (address, seen) in apps.items():
                taken[name].append(paint(browser, address, seen))
    for name, times in taken.items():
        yield {"app": name, **spread(times)}
    middle = {name: statistics.median(times) for name, times in taken.items()}
    yield {"ratio": "explorer / optuna-dashboard", "is": middle["explorer"] / middle["optuna-dashboard"], "goal": 0.45}
    yield {"ratio": "100,000 / 1,000, warm", "is": middle["explorer, 100,000"] / middle["explorer"], "goal": 1.3}


def measure_cold(folder: Path, rounds: int) -> Iterator[dict[str, Any]]:
    taken: dict[int, list[float]] = {FEW: [], MANY: []}
    with browsing() as browser:
        for _ in range(rounds):
            for n_trials, times in taken.items():
                with explorer(study_of(folder, n_trials)) as server:
                    times.append(paint(browser, f"{server.address}/", SEEN["explorer"]))
    for n_trials, times in taken.items():
        yield {"app": f"explorer, {n_trials:,}", **spread(times)}
    yield {
        "ratio": "100,000 / 1,000, cold",
        "is": statistics.median(taken[MANY]) / statistics.median(taken[FEW]),
        "goal": 2,
    }


# Gestures

CHART_TEXT = "[...document.querySelectorAll('.marks text')].map(one => one.textContent).join()"
BRUSHED = (
    "(document.querySelector('[data-testid=stMain]').textContent.match(/\\d+ trials? in the brushes/) || [null])[0]"
)
PICKED = "(document.querySelector('.mo-cards') || {textContent: null}).textContent"


BOUNDS = {"cpu": ("cpu", 3), "slider": ("slider", 2), "brush": ("slider", 2), "click": ("click", 3)}
"""Beside which figure of the empty app each stands, and at how many times it."""


def measure_gestures(folder: Path, rounds: int) -> Iterator[dict[str, Any]]:
    stores = {n_trials: study_of(folder, n_trials) for n_trials in (FEW, MANY)}
    with plain_app() as plain, explorer(stores[FEW]) as few, explorer(stores[MANY]) as many, browsing() as browser:
        base = _plain_gestures(browser, plain, rounds)
        for what, taken in base.items():
            yield {"app": "empty", "what": what, **spread(taken)}
        for n_trials, server in ((FEW, few), (MANY, many)):
            for what, taken in _our_gestures(browser, server, rounds).items():
                yield {"app": f"explorer, {n_trials:,}", "what": what, **spread(taken)}
                beside, goal = BOUNDS[what]
                ratio = statistics.median(taken) / statistics.median(base[beside])
                yield {"ratio": f"{what} at {n_trials:,} / the empty app's {beside}", "is": ratio, "goal": goal}


def _plain_gestures(browser: Any, server: Server, rounds: int) -> dict[str, list[float]]:
    with fresh_page(browser, SEEN["plain"]) as page:
        _painted(page, server.address)
        slider, cpu = _slides(page, server, page.get_by_role("slider"), rounds)
        click = _clicks(
            page, "document.querySelector('.picked').textContent", ".marks path[aria-roledescription=point]", rounds
        )
    return {"cpu": cpu, "slider": slider, "click": click}


def _our_gestures(browser: Any, server: Server, rounds: int) -> dict[str, list[float]]:
    with fresh_page(browser, SEEN["explorer"]) as page:
        _painted(page, server.address)
        slider, cpu = _slides(page, server, page.get_by_role("slider", name="Limit of latency_ms"), rounds)
    with fresh_page(browser, SEEN["explorer"]) as page:
        _painted(page, server.address)
        click = _clicks(page, PICKED, ".marks path[aria-label^='trial '][fill='#0072B2']", rounds)
    with fresh_page(browser, SEEN["axes"]) as page:
        _painted(page, f"{server.address}/?picture=axes")
        brush = _brushes(page, rounds)
    return {"cpu": cpu, "slider": slider, "brush": brush, "click": click}


def _slides(page: Any, server: Server, slider: Any, rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds from a key on a slider to the chart that shows it, and of CPU until the page is still."""
    taken, cpu = [], []
    slider.focus()
    for _ in range(rounds + 1):
        settle(page)
        before = server.cpu()
        taken.append(answer_time(page, CHART_TEXT, lambda: page.keyboard.press("ArrowLeft")))
        settle(page)
        cpu.append(1000 * (server.cpu() - before))
    return taken[1:], cpu[1:]


def _clicks(page: Any, shown: str, marks: str, rounds: int) -> list[float]:
    """Milliseconds from clicks on points far from each other to their details."""
    taken = []
    for place in range(rounds + 1):
        settle(page)
        boxes = page.locator(marks).evaluate_all(
            "marks => marks.map(mark => mark.getBoundingClientRect()).map(box => [box.x + box.width / 2,"
            " box.y + box.height / 2]).sort((one, other) => one[0] - other[0])"
        )
        x, y = boxes[0] if place % 2 else boxes[-1]
        taken.append(answer_time(page, shown, lambda x=x, y=y: page.mouse.click(x, y)))
    return taken[1:]


def _brushes(page: Any, rounds: int) -> list[float]:
    taken = []
    for place in range(rounds + 1):
        settle(page)
        strip = page.locator("svg.marks g.view_1_group > g > path.background").first.bounding_box()
        x, end = strip["x"] + strip["width"] / 2, 0.35 + 0.5 * (place % 4) / 4

        def drag(x: float = x, end: float = end, strip: Any = strip) -> None:
            page.mouse.move(x, strip["y"] + 2)
            page.mouse.down()
            page.mouse.move(x, strip["y"] + strip["height"] * end, steps=4)
            page.mouse.up()

        taken.append(answer_time(page, BRUSHED, drag))
    return taken[1:]


# The wire and the heap


def measure_wire(folder: Path, rounds: int) -> Iterator[dict[str, Any]]:
    with plain_app() as plain, browsing() as browser:
        base = _traffic(browser, plain, SEEN["plain"], lambda page: page.get_by_role("slider").press("ArrowLeft"))
    yield {"app": "empty", **base}
    for n_trials in (FEW, MANY):
        with explorer(study_of(folder, n_trials)) as server, browsing() as browser:
            found = _traffic(browser, server, SEEN["explorer"], lambda page: page.keyboard.press("Control+Enter"))
        found["heap_mb_above_empty"] = found["heap_mb"] - base["heap_mb"]
        yield {"app": f"explorer, {n_trials:,}", **found, "goals": {"first_kb": 300, "rerun_kb": 5, "heap_mb": 50}}


def _traffic(browser: Any, server: Server, seen: str, again: Callable[[Any], None]) -> dict[str, float]:
    """kB of data of the first load and of a rerun that brings nothing new, and MB of the heap after both."""
    with fresh_page(browser, seen) as page:
        wire = Wire(page)
        _painted(page, server.address)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(1500)
        taken = [wire.taken()]
        for _ in range(4):  # the first ones bring something: a pick, and what the widgets say of it
            again(page)
            page.wait_for_timeout(1500)
            taken.append(wire.taken())
        return {
            "first_kb": taken[0]["page"],
            "changed_kb": taken[1]["page"],
            "rerun_kb": taken[-1]["page"],
            "poll_kb": taken[-1]["poll"],
            "app_kb": wire.files / 1000,
            "heap_mb": wire.heap_mb(),
        }


class Wire:
    """The bytes that a page gets: messages of its WebSocket, and files that are not the app's own code."""

    def __init__(self, page: Any) -> None:
        self.client = page.context.new_cdp_session(page)
        self.files = 0
        self.bytes = {"page": 0, "poll": 0}
        self.run, self.begun = "page", 0
        self.code: set[str] = set()
        self.client.send("Network.enable")
        self.client.on("Network.webSocketFrameReceived", self._frame)
        self.client.on("Network.responseReceived", self._response)
        self.client.on("Network.loadingFinished", self._finished)

    def taken(self) -> dict[str, float]:
        """kB of data since the last time, by runs of the page's script and of the part that asks for news."""
        kilobytes = {run: count / 1000 for run, count in self.bytes.items()}
        self.bytes = dict.fromkeys(self.bytes, 0)
        return kilobytes

    def heap_mb(self) -> float:
        self.client.send("HeapProfiler.collectGarbage")
        self.client.send("Performance.enable")
        metrics = self.client.send("Performance.getMetrics")["metrics"]
        return next(one["value"] for one in metrics if one["name"] == "JSHeapUsedSize") / 1e6

    def _frame(self, event: Any) -> None:
        raw = base64.b64decode(event["response"]["payloadData"])
        message = ForwardMsg()
        message.ParseFromString(raw)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.run = "poll"
        elif kind == "navigation":  # only a run of the whole script tells which pages there are
            self.run = "page"
            self.bytes["page"] += self.begun
            self.bytes["poll"] -= self.begun
        self.begun = len(raw) if kind == "new_session" else self.begun + len(raw)
        self.bytes[self.run] += len(raw)

    def _response(self, event: Any) -> None:
        if re.search(r"/static/|/$", event["response"]["url"]):
            self.code.add(event["requestId"])

    def _finished(self, event: Any) -> None:
        if event["requestId"] in self.code:
            self.files += event["encodedDataLength"]
        else:
            self.bytes["page"] += event["encodedDataLength"]


# The keyboard

_LIMITED, _PRESSES = "latency_ms", 6


def measure_keyboard(folder: Path, rounds: int, hasty: int) -> Iterator[dict[str, Any]]:
    with explorer(confirmed_study(folder, 400)) as server, browsing() as browser:
        taken = []
        for _ in range(rounds + 1):
            with fresh_page(browser, SEEN["explorer"]) as page:
                taken.append(_decide_by_keyboard(page, server.address))
        yield {"what": "from open to the zip", **spread([one["ms"] for one in taken[1:]]), "goal_ms": 8000}
        yield {"what": "actions", "is": taken[-1]["actions"], "goal": 6}
        violations, judged = 0, 0
        for number in range(hasty):
            with fresh_page(browser, SEEN["explorer"]) as page:
                found = _hasty(page, server.address, presses=5 + number % 12)
                violations += found["violated"]
                judged += found["judged"]
        yield {
            "what": "hasty runs",
            "runs": hasty,
            "ended_with_limit_and_pick": judged,
            "violations": violations,
            "goal": 0,
        }


def _decide_by_keyboard(page: Any, address: str) -> dict[str, float]:
    """Milliseconds from navigation to the zip, the actions, and the keys; a run of one key is one action."""
    painted = _painted(page, address)
    began = time.perf_counter()
    settle(page)
    tabs = _tab_to_the_limit(page)
    before = page.locator(".mo-steps").inner_text()
    for _ in range(_PRESSES):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("text => document.querySelector('.mo-steps').innerText !== text", arg=before)
    settle(page)
    page.keyboard.press("Control+Enter")
    page.wait_for_function("/Pick #/.test(document.querySelector('.mo-steps').innerText)")
    settle(page)
    page.keyboard.press("Control+Shift+Enter")
    page.get_by_role("button", name="Download the zip").wait_for()
    settle(page)
    with page.expect_download() as arriving:
        page.keyboard.press("Control+Enter")
    held = zipfile.ZipFile(arriving.value.path()).namelist()
    if "model.skops" not in held:
        raise RuntimeError(f"the zip holds no model: {held}")
    elapsed = painted + 1000 * (time.perf_counter() - began)
    return {"ms": elapsed, "actions": 6, "keys": tabs + _PRESSES + 3}


def _hasty(page: Any, address: str, presses: int) -> dict[str, bool]:
    """The same without a wait: whether a limit and a pick stood on the last page, and whether they contradict."""
    _painted(page, address)
    _tab_to_the_limit(page)
    for _ in range(presses):
        page.keyboard.press("ArrowLeft")
    for chord in ("Control+Enter", "Control+Shift+Enter", "Control+Enter"):
        page.keyboard.press(chord)
    page.wait_for_timeout(2500)
    settle(page)
    stated = re.search(rf"{_LIMITED} ≤ ([\d.]+)", page.locator(".mo-steps").inner_text())
    picked = re.search(r"[?&]pick=(\d+)", page.url)
    given = page.locator("[data-testid=stMain]").inner_text()
    value = re.search(rf"{_LIMITED}\s+([\d.]+)", given)
    judged = bool(picked and stated and value)
    violated = bool(stated and value and judged and float(value[1]) > float(stated[1]))
    return {"judged": judged, "violated": violated}


def _tab_to_the_limit(page: Any) -> int:
    for tabs in range(1, 60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('aria-label')") == f"Limit of {_LIMITED}":
            return tabs
    raise RuntimeError(f"no Tab reaches the limit of {_LIMITED}")


def main() -> None:
    measures = {
        "paint": measure_paint,
        "cold": measure_cold,
        "gestures": measure_gestures,
        "wire": measure_wire,
        "keyboard": measure_keyboard,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measures", nargs="*", metavar="measure", help=f"{', '.join(measures)}; default: all")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--hasty", type=int, default=50, help="runs without waits")
    parser.add_argument("--folder", type=Path, help="keeps the studies")
    given = parser.parse_args()
    if unknown := set(given.measures) - set(measures):
        parser.error(f"no such measure: {', '.join(sorted(unknown))}; there are {', '.join(measures)}")
    with tempfile.TemporaryDirectory(prefix="moopt-") as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in given.measures or measures:
            extra = (given.hasty,) if name == "keyboard" else ()
            for line in measures[name](folder, given.rounds, *extra):
                load = os.getloadavg()[0]
                print(json.dumps({"benchmark": f"explorer {name}", **line, "load_1min": round(load, 1)}), flush=True)


def spread(taken: list[float]) -> dict[str, float]:
    """Of milliseconds."""
    return {
        "ms_median": round(statistics.median(taken), 1),
        "ms_least": round(min(taken), 1),
        "ms_most": round(max(taken), 1),
        "n": len(taken),
    }


if __name__ == "__main__":
    main()

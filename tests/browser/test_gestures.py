"""Gestures and addresses: brushes, hasty hands, links and a base path."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from moopt.store import open_store
from tests.browser.pages import Browsing, expect, idle, limit, ready, sentence, served
from tests.explorer import synthetic

pytestmark = pytest.mark.browser


def test_a_brush_becomes_a_limit(study: str, browsing: Browsing) -> None:
    with browsing.page(f"{study}/?picture=axes") as page:
        ready(page)
        idle(page)
        strip = page.locator("svg.marks g.view_1_group > g > path.background").first.bounding_box()
        middle = strip["x"] + strip["width"] / 2
        page.mouse.move(middle, strip["y"] + 2)
        page.mouse.down()
        page.mouse.move(middle, strip["y"] + strip["height"] * 0.3, steps=5)
        page.mouse.up()
        expect(page.get_by_text(re.compile(r"\d+ trials? in the brushes"))).to_be_visible()
        page.get_by_role("button", name="Turn brushes into limits").click()
        expect(sentence(page)).to_contain_text("accuracy ≥")
        expect(limit(page, "accuracy")).not_to_have_attribute("aria-valuetext", "no limit")
        assert "limit.accuracy=" in page.url


def test_a_slider_and_the_button_without_waiting(study: str, browsing: Browsing) -> None:
    with browsing.page(study) as page:
        ready(page)
        slider = limit(page, "latency_ms")
        button = page.get_by_role("button", name=re.compile("Take recommended"))
        for presses in (5, 8, 3):
            slider.focus()
            for _ in range(presses):
                page.keyboard.press("ArrowLeft")
            button.click(force=True, no_wait_after=True)
        expect(sentence(page)).to_contain_text(re.compile(r"latency_ms ≤ .*Pick #\d+", re.S))
        idle(page)
        stated = re.search(r"latency_ms ≤ ([\d.]+) ms", sentence(page).inner_text())
        given = re.search(r"latency_ms\s+([\d.]+) ms", page.locator(".mo-cards").inner_text())
        assert stated is not None
        assert given is not None
        assert float(given[1]) <= float(stated[1])


def test_what_is_taken_back_before_a_slow_line_answers_is_taken_back(study: str, browsing: Browsing) -> None:
    with browsing.page_on_a_line(study) as (page, line):
        ready(page)
        idle(page)
        page.wait_for_timeout(4000)  # what the browser has of the page is then some runs old
        line.hold()
        for key in ("ArrowLeft", "ArrowRight"):
            limit(page, "latency_ms").press(key)
            page.wait_for_timeout(700)  # its answer is under way
        line.release()
        expect(limit(page, "latency_ms")).to_have_attribute("aria-valuetext", "no limit")
        idle(page)
        page.keyboard.press("Control+Enter")
        expect(sentence(page)).to_contain_text(re.compile(r"Limits none.*Pick #\d+", re.S))


def test_what_is_done_before_a_slow_line_answers_takes_nothing_back(study: str, browsing: Browsing) -> None:
    with browsing.page_on_a_line(study) as (page, line):
        ready(page)
        idle(page)
        line.hold()
        page.keyboard.press("Control+Enter")  # the page does not show yet whose number its field holds now
        page.wait_for_timeout(700)
        limit(page, "latency_ms").press("ArrowLeft")
        page.wait_for_timeout(700)
        line.release()
        expect(sentence(page)).to_contain_text(re.compile(r"latency_ms ≤ .*Pick #\d+", re.S))
        number = page.get_by_role("textbox", name="Or pick a trial")
        expect(number).to_have_value(re.compile(r"\d+"))
        number.fill("")
        number.press("Enter")
        expect(sentence(page)).to_contain_text("Pick none yet")


def test_a_double_click_decides_once_and_notes_once(tmp_path: Path, browsing: Browsing) -> None:
    path = tmp_path / "twice.db"
    store = open_store(path)
    synthetic.fill(store, "churn", 30)
    store.close()
    with (
        served(path) as address,
        browsing.page_on_a_line(f"{address}/decide?pick={_recommended(address, browsing)}") as (page, line),
    ):
        note = page.get_by_role("textbox", name="A note on")
        note.fill("ask Ada")
        idle(page)
        line.hold()
        for name in ("Record this decision", "Add the note"):
            page.get_by_role("button", name=name).dblclick()
            page.wait_for_timeout(700)
        line.release()
        expect(page.get_by_text("Decided: #")).to_be_visible()
        expect(note).to_have_value("")
        idle(page)
    store = open_store(path, read_only=True)
    (decision,) = store.decisions("churn")
    assert store.trial("churn", decision.number).notes == ("ask Ada",)


def test_a_link_brings_picture_wishes_and_compared_trials_back(study: str, browsing: Browsing) -> None:
    pick = _recommended(study, browsing)
    query = f"pick={pick}&picture=matrix&compare=0%2C{pick}&wish.accuracy=improve&wish.latency_ms=anything"
    with browsing.page(f"{study}/?{query}") as page:
        ready(page)
        expect(page.get_by_role("radio", name="Matrix")).to_be_checked()
        page.get_by_role("link", name="Trade-offs").click()
        expect(
            page.get_by_role("radiogroup", name="Wish for accuracy").get_by_role("radio", name="improve")
        ).to_be_checked()
        page.get_by_role("link", name="Compare").click()
        expect(page.get_by_role("button", name="Take #0")).to_be_visible()
        expect(page.get_by_role("button", name=f"Take #{pick}")).to_be_visible()


def _recommended(study: str, browsing: Browsing) -> str:
    with browsing.page(study) as page:
        ready(page)
        found = re.search(r"#(\d+)", page.get_by_role("button", name=re.compile("Take recommended")).inner_text())
        assert found is not None
        return found[1]


def test_below_a_base_path_all_works_as_at_the_root(tmp_path: Path, browsing: Browsing) -> None:
    path = tmp_path / "sure.db"
    store = open_store(path)
    number = synthetic.confirmed(store, "sure")[1]
    store.close()
    with served(path, base="team/moopt") as address, browsing.page(f"{address}/?pick={number}") as page:
        ready(page)
        page.get_by_role("button", name=f"Decide on #{number}").click()
        expect(page.locator(".mo-why")).to_contain_text(f"Trial {number} ")
        assert "/team/moopt/decide?" in page.url
        with page.expect_download():
            page.get_by_role("button", name="Download the zip").click()

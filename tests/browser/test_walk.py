"""All that a reader sets is in the address: Back, Forward and a link bring it back, on every page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from moopt.store import open_store
from tests.browser.pages import Browsing, expect, idle, limit, ready, sentence, served
from tests.explorer import synthetic

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def two_studies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("two") / "two.db"
    store = open_store(path)
    synthetic.fill(store, "first", 60)
    synthetic.fill(store, "second", 80, seed=1)
    store.close()
    with served(path) as address:
        yield address


def choose(page: Any, box: str, option: str) -> None:
    page.get_by_role("combobox", name=box).click()
    page.get_by_role("option", name=option).click()


def turn(page: Any, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def press(page: Any, objective: str) -> None:
    limit(page, objective).press("ArrowLeft")


def wished(page: Any) -> Any:
    return page.get_by_role("radiogroup", name="Wish for recall").get_by_role("radio", name="improve")


def test_back_and_forward_go_through_all_that_was_done(two_studies: str, browsing: Browsing) -> None:
    walk: list[tuple[Callable[[Any], Any], str, Callable[[Any], Any]]] = [
        (
            lambda page: press(page, "latency_ms"),
            "limit.latency_ms=",
            lambda page: expect(sentence(page)).to_contain_text("latency_ms ≤"),
        ),
        (
            lambda page: choose(page, "Preference", "recall first"),
            "prefer=recall",
            lambda page: expect(sentence(page)).to_contain_text("recall first"),
        ),
        (
            lambda page: page.keyboard.press("Control+Enter"),
            "pick=",
            lambda page: expect(page.get_by_role("button", name=re.compile("Decide on"))).to_be_visible(),
        ),
        (
            lambda page: choose(page, "Upwards", "size_kb"),
            "y=size_kb",
            lambda page: expect(page.get_by_role("combobox", name="Upwards")).to_have_value("size_kb"),
        ),
        (
            lambda page: page.get_by_role("radio", name="Matrix").click(),
            "picture=matrix",
            lambda page: expect(page.get_by_role("radio", name="Matrix")).to_be_checked(),
        ),
        (
            lambda page: turn(page, "Trade-offs"),
            "/tradeoffs?",
            lambda page: expect(wished(page)).not_to_be_checked(),
        ),
        (lambda page: wished(page).click(), "wish.recall=improve", lambda page: expect(wished(page)).to_be_checked()),
        (
            lambda page: turn(page, "Progress"),
            "/progress?",
            lambda page: expect(page.get_by_text("The front as it grew")).to_be_visible(),
        ),
        (
            lambda page: turn(page, "Studies"),
            "/studies?",
            lambda page: expect(page.get_by_role("combobox", name="Compare with")).to_have_value("no other study"),
        ),
        (
            lambda page: choose(page, "Compare with", "first"),
            "with=first",
            lambda page: expect(page.get_by_text("dominated by the other")).to_be_visible(),
        ),
    ]
    with browsing.page(two_studies) as page:
        ready(page)
        idle(page)
        urls = []
        for gesture, address, sees in walk:
            gesture(page)
            page.wait_for_url(lambda url, address=address: address in url)
            sees(page)
            idle(page)
            urls.append(page.url)
        for at in range(len(walk) - 2, -1, -1):
            page.go_back()
            page.wait_for_url(urls[at])
            walk[at][2](page)
        page.go_back()
        expect(sentence(page)).to_contain_text("Pick none yet")
        expect(limit(page, "latency_ms")).to_have_attribute("aria-valuetext", "no limit")
        for at in range(len(walk)):
            page.go_forward()
            page.wait_for_url(urls[at])
            walk[at][2](page)
    for at, (_, _, sees) in list(enumerate(walk))[4::2]:
        with browsing.page(urls[at]) as fresh:
            sees(fresh)
            expect(sentence(fresh)).to_contain_text(re.compile(r"latency_ms ≤ .*recall first.*Pick #\d+", re.S))


def test_a_hurried_back_takes_back_what_was_done_last(two_studies: str, browsing: Browsing) -> None:
    with browsing.page(two_studies) as page:
        ready(page)
        idle(page)
        for _ in range(8):
            page.keyboard.press("Control+Enter")
            page.wait_for_url(lambda url: "pick=" in url)
            page.go_back()  # while the page is still being drawn
            expect(sentence(page)).to_contain_text("Pick none yet")
            assert "pick=" not in page.url
            page.go_forward()
            expect(sentence(page)).to_contain_text("Pick #")
            page.go_back()
            expect(sentence(page)).to_contain_text("Pick none yet")
        idle(page)
        assert "pick=" not in page.url


def test_a_link_clicked_at_once_keeps_what_was_set_before(two_studies: str, browsing: Browsing) -> None:
    with browsing.page(two_studies) as page:
        ready(page)
        idle(page)
        turns = [("Trade-offs", "/tradeoffs?"), ("Explore", "/?"), ("Studies", "/studies?"), ("Explore", "/?")] * 2
        for at, (name, address) in enumerate(turns):
            if name != "Explore":
                press(page, "latency_ms" if at < 4 else "size_kb")
            turn(page, name)
            page.wait_for_url(lambda url, address=address: address in url)
            expect(sentence(page)).to_contain_text("latency_ms ≤")
            idle(page)
        expect(sentence(page)).to_contain_text("size_kb ≤")
        assert "limit.latency_ms=" in page.url
        assert "limit.size_kb=" in page.url

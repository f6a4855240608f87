"""A study that grows, a store that goes, comes back or may not be written, and two readers at once."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

import pytest

from moopt import requests
from moopt.objectives import Objective
from moopt.store import open_store
from tests.browser.pages import Browsing, expect, idle, lower, ready, sentence, served
from tests.explorer import synthetic

pytestmark = pytest.mark.browser


def filled(path: Path, name: str, count: int, seed: int = 0) -> Path:
    store = open_store(path)
    synthetic.fill(store, name, count, seed=seed)
    store.close()
    return path


def take(page: Any) -> str:
    page.get_by_role("button", name=re.compile("Take recommended #")).click()
    expect(sentence(page)).to_contain_text(re.compile(r"Pick #\d+"))
    found = re.search(r"Pick #(\d+)", sentence(page).inner_text())
    assert found is not None
    return found[1]


def turn(page: Any, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def test_a_study_that_grows_is_followed_and_a_dominated_pick_is_marked_and_kept(
    tmp_path: Path, browsing: Browsing
) -> None:
    of = (Objective("accuracy", "maximize"),)
    path = tmp_path / "growing.db"
    store = open_store(path)
    synthetic.create(store, "growing", of)
    store.set_attribute("growing", requests.WANTED, {"n_trials": 100, "at": time.time()})
    with served(path) as address, browsing.page(address) as page, store.write("growing") as writer:
        expect(page.get_by_text("This study has no trial yet")).to_be_visible()
        synthetic.grow(writer, 0, 6, of=of, failures=0)
        expect(page.get_by_text(re.compile("^6 trials, 1 on the front, running"))).to_be_visible()
        number = take(page)
        synthetic.grow(writer, 6, 60, of=of, failures=0)
        marked = page.get_by_text(re.compile(rf"^Trial {number} is now dominated by #\d+"))
        expect(marked).to_be_visible()
        turn(page, "Progress")
        expect(page.get_by_text("66of 100")).to_be_visible()
        expect(marked).to_be_visible()
        expect(page.get_by_text(re.compile("^about .* left|^remaining|left$")).first).to_be_visible()
        synthetic.grow(writer, 66, 1, of=of, failures=0)
        expect(page.get_by_text("67of 100")).to_be_visible()
        expect(sentence(page)).to_contain_text(f"Pick #{number}")
        assert f"pick={number}" in page.url


def test_a_store_that_goes_comes_back_by_itself_and_may_be_another(tmp_path: Path, browsing: Browsing) -> None:
    path = filled(tmp_path / "churn.db", "churn", 40)
    other = filled(tmp_path / "other.db", "other", 25, seed=1)
    with served(path) as address, browsing.page(address) as page:
        ready(page)
        number = take(page)
        hidden = path.rename(tmp_path / "hidden.db")
        expect(page.get_by_text(re.compile("there is no store at|is gone")).first).to_be_visible()
        turn(page, "Progress")
        hidden.rename(path)
        expect(page.get_by_text(re.compile("^40 trials"))).to_be_visible()
        expect(sentence(page)).to_contain_text(f"Pick #{number}")
        other.replace(path)
        expect(page.get_by_text(re.compile("^25 trials"))).to_be_visible()
        expect(page.locator(".mo-title")).to_have_text("other")


def test_a_decision_that_cannot_be_kept_is_told_once_and_loses_nothing(tmp_path: Path, browsing: Browsing) -> None:
    # Root may write anywhere, unless it gives that right away.
    as_others = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.getuid() == 0 else []
    folder = tmp_path / "kept"
    folder.mkdir()
    path = filled(folder / "churn.db", "churn", 40)
    with served(path, before=as_others) as address, browsing.page_on_a_line(address) as (page, line):
        path.chmod(0o444)
        folder.chmod(0o555)
        ready(page)
        number = take(page)
        page.get_by_role("button", name=f"Decide on #{number}").click()
        note = page.get_by_role("textbox", name=f"A note on #{number}")
        expect(note).to_be_visible()
        idle(page)
        line.hold()
        page.get_by_role("button", name="Record this decision").click()
        note.fill("ask Ada")  # before the answer is there
        page.wait_for_timeout(700)
        line.release()
        expect(page.locator(".st-key-mo-refused-decision")).to_contain_text("no permission to write")
        page.get_by_role("button", name="Add the note").click()
        expect(page.locator(".st-key-mo-refused-note")).to_contain_text("no permission to write")
        expect(page.get_by_text("no permission to write")).to_have_count(1)
        expect(note).to_have_value("ask Ada")
        folder.chmod(0o755)
        path.chmod(0o644)
        page.get_by_role("button", name="Record this decision").click()
        expect(page.get_by_text(f"Decided: #{number}")).to_be_visible()
        page.get_by_role("button", name="Add the note").click()
        expect(page.get_by_role("listitem").filter(has_text="ask Ada")).to_be_visible()
        idle(page)
        expect(note).to_have_value("")
    store = open_store(path, read_only=True)
    assert [one.number for one in store.decisions("churn")] == [int(number)]
    assert store.trial("churn", int(number)).notes == ("ask Ada",)


def test_two_readers_keep_their_views_apart_and_both_decisions(tmp_path: Path, browsing: Browsing) -> None:
    path = filled(tmp_path / "churn.db", "churn", 40)
    with served(path) as address, browsing.page(address) as one, browsing.page(address) as two:
        ready(one)
        ready(two)
        lower(one, "latency_ms", 20)
        two.get_by_role("combobox", name="Preference").click()
        two.get_by_role("option", name="accuracy first").click()
        expect(sentence(two)).to_contain_text("accuracy first")
        numbers = [take(one), take(two)]
        assert numbers[0] != numbers[1]
        expect(sentence(one)).to_contain_text(f"Pick #{numbers[0]}")
        expect(sentence(one)).to_contain_text("balanced")
        expect(sentence(two)).to_contain_text("none:")
        for page, number in zip((one, two), numbers, strict=True):
            page.get_by_role("button", name=f"Decide on #{number}").click()
            page.get_by_role("button", name="Record this decision").click()
            expect(page.get_by_text(f"Decided: #{number}")).to_be_visible()
    decisions = open_store(path, read_only=True).decisions("churn")
    assert [str(one.number) for one in decisions] == numbers
    assert [list(one.limits) for one in decisions] == [["latency_ms"], []]

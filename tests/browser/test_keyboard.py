"""What a chart's click does, from the keyboard."""

from __future__ import annotations

import re

import pytest

from tests.browser.pages import Browsing, expect, idle, ready, sentence

pytestmark = pytest.mark.browser


def test_any_trial_is_picked_from_the_keyboard(study: str, browsing: Browsing) -> None:
    with browsing.page(study) as page:
        ready(page)
        field = page.get_by_role("textbox", name="Or pick a trial by its number")
        page.get_by_role("button", name=re.compile("Take recommended")).focus()
        page.keyboard.press("Tab")
        expect(field).to_be_focused()
        page.keyboard.type("#0")
        page.keyboard.press("Enter")
        expect(sentence(page)).to_contain_text("Pick #0")
        page.wait_for_url(re.compile("pick=0"))
        expect(field).to_have_value("0")
        idle(page)
        expect(field).to_be_focused()
        page.keyboard.press("Control+A")
        page.keyboard.type("100000")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Trial 100000 is not among the complete trials")).to_be_visible()
        expect(sentence(page)).to_contain_text("Pick #0")
        expect(field).to_have_value("0")

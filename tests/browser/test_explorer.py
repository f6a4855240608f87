"""The explorer as people meet it: from a limit to the files, a study that grows, odd names."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest

from moopt.objectives import Objective
from moopt.store import open_store
from tests.browser.pages import Browsing, click_a_point, expect, idle, limit, lower, ready, sentence, served
from tests.explorer import synthetic

pytestmark = pytest.mark.browser


def test_from_a_limit_to_the_files_and_back(study: str, browsing: Browsing) -> None:
    with browsing.page(study) as page:
        ready(page)
        expect(sentence(page)).to_contain_text("Pick none yet")

        lower(page, "latency_ms", 12)

        page.get_by_role("button", name=re.compile("Take recommended #")).click()
        expect(sentence(page)).to_contain_text(re.compile(r"Pick #\d+"))
        recommended = re.search(r"pick=(\d+)", page.url)
        assert recommended is not None

        other = click_a_point(page, not_this=recommended[1])
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
        idle(page)
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
        page.get_by_role("link", name="Decide and export").click()
        for kind, start in (("CSV", b"number,state,"), ("Parquet", b"PAR1")):
            with page.expect_download() as arriving:
                page.get_by_role("button", name=f"The front as {kind}").click()
            assert Path(arriving.value.path()).read_bytes().startswith(start)

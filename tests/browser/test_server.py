"""The server as a process: where it listens, how it ends, what leaves the machine, and a proxy before it."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import sys
from pathlib import Path

import psutil
import pytest

from moopt.store import open_store
from tests.browser.pages import (
    APP,
    Browsing,
    free_port,
    idle,
    lower,
    ready,
    running,
    served,
)
from tests.explorer import synthetic

pytestmark = pytest.mark.browser

DOCS = APP.parents[1] / "docs" / "explorer.md"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "churn.db"
    opened = open_store(path)
    synthetic.fill(opened, "churn", 40)
    opened.close()
    return path


@pytest.mark.parametrize(
    ("start", "ends"),
    [
        (["-m", "moopt", "explore", "{store}", "--port", "{port}"], signal.SIGINT),
        (["-m", "streamlit", "run", str(APP), "--server.port", "{port}", "--", "{store}"], signal.SIGTERM),
    ],
    ids=["moopt explore, Ctrl+C", "streamlit run, SIGTERM"],
)
def test_it_listens_on_this_machine_alone_and_leaves_nothing(
    store: Path, tmp_path: Path, browsing: Browsing, start: list[str], ends: signal.Signals
) -> None:
    port = free_port()
    command = [sys.executable, *(word.format(store=store, port=port) for word in start)]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with running(command, f"http://127.0.0.1:{port}", tmp_path / "log", elsewhere) as (address, process):
        with browsing.page(address) as page:
            ready(page)
            server = psutil.Process(process.pid)
            family = [server, *server.children(recursive=True)]
            sockets = [one for member in family for one in member.net_connections("inet")]
            listening = [one.laddr for one in sockets if one.status == psutil.CONN_LISTEN]
            assert listening == [("127.0.0.1", port)]
            assert {one.raddr.ip for one in sockets if one.raddr} == {"127.0.0.1"}
            process.send_signal(ends)
            process.wait(timeout=20)
        assert not any(member.is_running() for member in family)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))


def test_a_request_that_leaves_the_machine_is_noticed(browsing: Browsing) -> None:
    watched = Browsing(browsing.browser, [])
    content = "<img src='http://moopt.invalid/picture.png'><script>new WebSocket('ws://moopt.invalid/')</script>"
    with watched.page("data:,") as page, page.expect_event("websocket"):
        page.set_content(content)
    assert sorted(watched.strangers) == ["http://moopt.invalid/picture.png", "ws://moopt.invalid/"]


def test_behind_nginx_as_the_guide_has_it(store: Path, tmp_path: Path, browsing: Browsing) -> None:
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    if not Path(nginx).exists():
        pytest.skip("there is no nginx")
    port = free_port()
    with served(store, base="team/moopt") as server:
        written = re.search(r"location /team/moopt/ \{.*?\n    \}", DOCS.read_text(), re.S)
        assert written is not None
        snippet = written[0].replace("http://127.0.0.1:8501", server.removesuffix("/team/moopt"))
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "".join(f"{kind}_temp_path {tmp_path};" for kind in kinds)
        config = tmp_path / "nginx.conf"
        config.write_text(
            f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/errors; events {{}}\n"
            f"http {{ access_log off; {places} server {{ listen 127.0.0.1:{port}; {snippet} }} }}\n"
        )
        command = [nginx, "-p", str(tmp_path), "-e", str(tmp_path / "errors"), "-c", str(config)]
        outside = f"http://127.0.0.1:{port}/team/moopt"
        with running(command, outside, tmp_path / "nginx.log"), browsing.page(f"{outside}/") as page:
            ready(page)
            lower(page, "latency_ms", 3)
            page.keyboard.press("Control+Enter")
            page.get_by_role("button", name=re.compile("Decide on")).click()
            page.wait_for_url(re.compile(r"/team/moopt/decide\?"))
            with page.expect_download() as arriving:
                page.get_by_role("button", name="Download the zip").click()
            assert Path(arriving.value.path()).read_bytes().startswith(b"PK")
            idle(page)

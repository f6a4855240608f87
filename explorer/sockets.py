"""The server's sockets send at once.

Streamlit's listening socket leaves Nagle's algorithm on, so after its first message a run waits until the browser
acknowledges that one: 40 ms, for nothing.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

import psutil


def send_at_once() -> None:
    """Set ``TCP_NODELAY`` on this process's TCP sockets; those that it accepts later inherit it. Raises nothing."""
    with suppress(psutil.Error):
        for one in psutil.Process().net_connections("tcp"):
            with suppress(OSError), socket.socket(fileno=os.dup(one.fd)) as handle:
                handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

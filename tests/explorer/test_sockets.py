"""The server's sockets send at once."""

from __future__ import annotations

import socket

from moopt_explorer.sockets import send_at_once


def is_prompt(one: socket.socket) -> bool:
    return bool(one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


def test_open_connections_and_those_to_come_send_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        with socket.create_connection(address) as first, listening.accept()[0] as accepted:
            assert not is_prompt(accepted)
            send_at_once()
            assert is_prompt(accepted)
            first.sendall(b"still open")
            assert accepted.recv(10) == b"still open"
        with socket.create_connection(address), listening.accept()[0] as later:
            assert is_prompt(later)

"""What the tests through HTTP share."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
import uvicorn

from mainstay.cli.serving.server import Config
from mainstay.testing.databases import TemplateDatabase, template_database
from mainstay.testing.migrated import migrate_url

MEMBERS = {"type", "title", "status", "code", "detail", "instance", "request_id"}


@pytest.fixture(scope="session")
def sqlite_only() -> Iterator[TemplateDatabase]:
    """A migrated SQLite database, for modules to which it is all one which database it is."""
    with template_database("sqlite", migrate_url) as template:
        yield template


@pytest.fixture
def problem_of() -> Callable[..., dict[str, Any]]:
    """Check that an answer is a problem (RFC 9457) as ours are, and give its document."""

    def check(answer: httpx2.Response, status: int, code: str | None = None) -> dict[str, Any]:
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        document: dict[str, Any] = answer.json()
        assert set(document) >= MEMBERS
        assert document["status"] == status
        assert document["request_id"] == answer.headers["x-request-id"]
        assert document["title"]
        assert document["detail"]
        if code is not None:
            assert document["code"] == code, document
        return document

    return check


class Listening:
    """A server on a port of this machine. ``send`` gives what it answers until it closes."""

    def __init__(self, port: int) -> None:
        self.address = ("127.0.0.1", port)
        self.url = f"http://127.0.0.1:{port}"

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=20)

    def send(self, *parts: bytes) -> bytes:
        """Send bytes as they are; asks the server to close, so that the answer has an end."""
        with self.connect() as connection:
            try:
                for part in parts:
                    connection.sendall(part)
            except OSError:
                pass  # it has answered already, and listens no more
            return receive_all(connection)


def receive_all(connection: socket.socket) -> bytes:
    received = bytearray()
    try:
        while chunk := connection.recv(65_536):
            received += chunk
    except ConnectionResetError:
        pass  # it closed before it had read all that was sent
    return bytes(received)


@pytest.fixture
def listening() -> Callable[..., AbstractContextManager[Listening]]:
    """Serve an application on a socket, by the server that `mainstay serve` is."""

    @contextmanager
    def serve(app: Any, *, header_timeout: float = 10) -> Iterator[Listening]:
        settings: Any = SimpleNamespace(
            HEADER_TIMEOUT_SECONDS=header_timeout, KEEP_ALIVE_SECONDS=5, SHUTDOWN_GRACE_SECONDS=5
        )
        server = uvicorn.Server(Config(app, settings))
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                while not server.started and thread.is_alive():
                    time.sleep(0.01)
                assert server.started
                yield Listening(listener.getsockname()[1])
            finally:
                server.should_exit = True
                thread.join()

    return serve

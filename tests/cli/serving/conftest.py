"""A server of ours in the test's own process, around a small application."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from mainstay.cli.serving.server import Config, Server
from mainstay.core.assembly import Lifecycle
from mainstay.core.settings.server import ServerSettings

LONGEST = 10
"""Seconds after which a test gives up."""


async def application(scope, receive, send):
    """Answer ``ok``; on /slow after a while."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/slow":
        await asyncio.sleep(0.6)
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


async def nothing():
    """Do what is to be done before and after the start."""


class Running:
    """A server, the task it runs in, and where it listens."""

    def __init__(self, server, lifecycle, listener):
        self.server = server
        self.lifecycle = lifecycle
        self.port = listener.getsockname()[1]
        self.task = asyncio.create_task(server.serve([listener]))


@pytest.fixture
def make_server():
    """Give a function that makes a server; keywords in capitals are settings."""

    def make(app=application, *, delay=0.0, prepare=nothing, announce=nothing, **given):
        http = given.pop("http", None)
        lifecycle = Lifecycle()
        config = Config(app, ServerSettings(**given), http=http)
        server = Server(config, lifecycle, delay=delay, prepare=prepare, announce=announce)
        return server, lifecycle

    return make


@pytest.fixture
def serving(make_server):
    """Give a context manager that serves on a free port, and ends the server by itself."""

    @asynccontextmanager
    async def serve(app=application, **given):
        server, lifecycle = make_server(app, **given)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            running = Running(server, lifecycle, listener)
            try:
                while not server.started:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                yield running
            finally:
                lifecycle.draining = True
                await asyncio.wait_for(running.task, LONGEST)

    return serve

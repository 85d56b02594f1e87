"""A bare ASGI caller, so that nothing stands between the tests and the dispatch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    scope: dict[str, Any] = field(default_factory=dict)


def make_scope(method: str, path: str, **extra: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"testserver")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        **extra,
    }


def call_app(app: Any, method: str, path: str, *, body: bytes = b"", **extra: Any) -> Answer:
    answer = Answer(scope=make_scope(method, path, **extra))

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        await asyncio.sleep(0)
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            answer.body += message["body"]

    asyncio.run(app(answer.scope, receive, send))
    return answer


@pytest.fixture(scope="session")
def call() -> Callable[..., Answer]:
    """Send one request to an ASGI app; further keywords go into the scope."""
    return call_app

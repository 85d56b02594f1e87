"""A body that drips in is refused, though it never pauses for long."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from starlette.types import Receive

from mainstay.core.errors import RequestTimeoutError
from mainstay.core.http import body


def dripping(monkeypatch: pytest.MonkeyPatch, *, seconds: float) -> Receive:
    moments: Iterator[float] = iter(index * seconds for index in range(10_000))
    monkeypatch.setattr(body.time, "monotonic", lambda: next(moments))

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"x", "more_body": True}

    return receive


def test_read_whole_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    receive = dripping(monkeypatch, seconds=6)
    with pytest.raises(RequestTimeoutError):
        asyncio.run(body.read_whole(receive, 1024 * 1024))


def test_a_streamed_body_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = body.counting(dripping(monkeypatch, seconds=6), 1024 * 1024)

    async def read() -> None:
        while True:
            await counted()

    with pytest.raises(RequestTimeoutError):
        asyncio.run(read())

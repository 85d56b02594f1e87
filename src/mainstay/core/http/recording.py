"""Holding an answer back until it is whole, so that it can be kept before it leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Message

    from mainstay.core.http.exchange import Exchange

MAX_KEPT_BODY: Final = 1024 * 1024
"""The longest answer that is held back, in bytes."""


@dataclass(slots=True)
class Recorded:
    """An answer that is held back until it is whole, or too long to be kept."""

    start: Message
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0

    @property
    def status(self) -> int:
        """The status of the answer."""
        return int(self.start["status"])

    @property
    def too_long(self) -> bool:
        """Whether it is not kept; its end may be yet to come."""
        return self.size > MAX_KEPT_BODY


class Recorder:
    """Takes the application's messages in place of the exchange.

    ``finish`` saves the answer. It runs within the application's own last ``send``, and the commit
    does: so what runs after an answer (background tasks) runs after the commit, and a commit's
    transient failure is met where requests run again.
    """

    def __init__(self, exchange: Exchange, finish: Callable[[Recorded], Awaitable[None]]) -> None:
        self._exchange = exchange
        self._finish = finish
        self._recorded: Recorded | None = None

    async def __call__(self, message: Message) -> None:
        """Take one message of the application."""
        kind, recorded = message["type"], self._recorded
        if kind == "http.response.start":
            self._recorded = Recorded(message)
        elif recorded is None or self._exchange.status:
            await self._exchange.send(message)
        elif kind == "http.response.body":
            recorded.chunks.append(message.get("body", b""))
            recorded.size += len(recorded.chunks[-1])
            if recorded.too_long or not message.get("more_body", False):
                await self._release(recorded, {**message, "body": b"".join(recorded.chunks)})
        else:
            recorded.size = MAX_KEPT_BODY + 1  # a file that the server sends by itself
            await self._release(recorded, message)

    async def _release(self, recorded: Recorded, body: Message) -> None:
        try:
            await self._finish(recorded)
        except Exception as error:
            self._exchange.failure = error
            raise
        await self._exchange.send(recorded.start)
        await self._exchange.send(body)

"""HEAD served by a GET route: its headers leave, its body does not (RFC 9110, section 9.3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BODIES: Final = frozenset(
    {"http.response.body", "http.response.pathsend", "http.response.zerocopysend"}
)


class _EndOfHeadError(OSError):
    """Tells a streaming response to stop, in the words that a gone client has for it."""


class _HeadSender:
    def __init__(self, send: Send) -> None:
        self._send = send
        self._ended = False
        self.stop = _EndOfHeadError("the answer to HEAD is complete")

    async def __call__(self, message: Message) -> None:
        if message["type"] not in _BODIES:
            await self._send(message)
            return
        if not self._ended:
            self._ended = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        if message.get("more_body", False):
            raise self.stop


async def serve_head(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run a GET route for HEAD. A stream, which may have no end, is stopped at its first chunk."""
    sender = _HeadSender(send)
    try:
        await app(scope, receive, sender)
    except Exception as error:
        if not _is_stop(error, sender.stop):
            raise


def _is_stop(error: BaseException, stop: _EndOfHeadError) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_is_stop(each, stop) for each in error.exceptions)
    return error is stop or (isinstance(error, ClientDisconnect) and error.__context__ is stop)

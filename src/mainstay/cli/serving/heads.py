"""What guards the head of a request, before there is one: its time, its size, its form.

uvicorn waits for headers for ever and answers malformed ones in its own words. A connection whose
headers do not arrive in time is closed here, however steadily they trickle in (slowloris), and
what cannot be parsed is answered as a problem, like everything else (RFC 9457).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from mainstay.core.errors import BadRequestError, HeadersTooLargeError, UriTooLongError
from mainstay.core.http.problems import headers_of, render
from mainstay.kit.request_ids import new_request_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainstay.core.errors import ProblemError

MAX_HEAD_BYTES: Final = 64 * 1024
"""What a request's first line and headers may have; the edge's own limits are below this."""

_REASONS: Final = {400: "Bad Request", 414: "URI Too Long", 431: "Request Header Fields Too Large"}
_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
    (b"connection", b"close"),
)


class Guarded(asyncio.Protocol):
    """Goes before one of uvicorn's protocols; each kind of parser has its ``data_received``."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    flow: Any
    cycle: Any
    connections: set[Any]
    timeout_keep_alive_task: Any
    timeout_keep_alive_handler: Callable[[], None]

    def __init__(self, config: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)  # type: ignore[call-arg]  # uvicorn's
        self.timer = HeadTimer(self, config.head_timeout)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; a connection that stays silent is closed as well."""
        super().connection_made(transport)
        self.timer.start()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self.timer.stop()
        super().connection_lost(exc)

    def is_answering(self) -> bool:
        """Say whether an answer is under way."""
        return self.cycle is not None and not self.cycle.response_complete

    def idle_end(self) -> float | None:
        """Give the loop's time at which this idle connection ends."""
        handle = self.timeout_keep_alive_task
        return None if handle is None else handle.when()

    def stay_idle(self, until: float | None) -> None:
        """Go on being idle after data that began no request: blank lines, the rest of a body.

        They must not keep the connection open any longer than silence would.
        """
        if until is None or self.timeout_keep_alive_task is not None or self.is_answering():
            return
        if self in self.connections:  # and has not become a WebSocket
            handler = self.timeout_keep_alive_handler
            self.timeout_keep_alive_task = self.loop.call_at(until, handler)

    def refuse(self, error: ProblemError) -> None:
        """Answer with a problem and close; without it where that would cut into another answer."""
        if not self.is_answering():
            self.transport.write(refusal(error))
        self.transport.close()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the text is our own
        """Answer what cannot be parsed."""
        self.refuse(BadRequestError("This is not a valid HTTP/1.1 request (RFC 9112)."))

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: callers must not fill the log."""


class HeadTimer:
    """Ends a connection whose headers take longer than ``seconds``.

    While the other side is made to wait by us (an answer under way, reading paused), the time
    begins again.
    """

    __slots__ = ("_connection", "_handle", "_seconds")

    def __init__(self, connection: Guarded, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Take the time from now, unless it is being taken."""
        if self._handle is None:
            self._handle = self._connection.loop.call_later(self._seconds, self._end)

    def stop(self) -> None:
        """Let the connection be."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _end(self) -> None:
        self._handle = None
        if self._connection.flow.read_paused or self._connection.is_answering():
            self.start()
        else:
            self._connection.transport.close()


def refusal(error: ProblemError) -> bytes:
    """Give the whole answer to a request that never became one."""
    request_id = new_request_id().encode()
    body = render(error, instance="/", request_id=request_id.decode())
    headers = dict([*headers_of(error, body), (b"x-request-id", request_id), *_ALWAYS])
    head = f"HTTP/1.1 {error.status} {_REASONS[error.status]}\r\n".encode()
    return head + b"".join(b"%s: %s\r\n" % line for line in headers.items()) + b"\r\n" + body


def too_large(*, target: bool) -> ProblemError:
    """Make the error for a head that does not end; ``target``: it is still the first line."""
    if target:
        return UriTooLongError("The URL is too long.")
    return HeadersTooLargeError(f"The headers may have at most {MAX_HEAD_BYTES} bytes.")

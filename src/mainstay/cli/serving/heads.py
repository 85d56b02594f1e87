"""What guards the head of a request, before there is one: its time, its size, its form.

uvicorn waits for headers for ever and answers malformed ones in its own words. A connection whose
headers do not arrive in time is closed here, however steadily they trickle in (slowloris), and
what cannot be parsed is answered as a problem, like everything else (RFC 9457).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from mainstay.core.errors import BadRequestError, HeadersTooLargeError, UriTooLongError
from mainstay.core.http.problems import headers_of, render
from mainstay.kit.request_ids import new_request_id

if TYPE_CHECKING:
    import asyncio

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


class Connection(Protocol):
    """What is needed of a uvicorn protocol."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    flow: Any
    cycle: Any


class HeadTimer:
    """Ends a connection whose headers take longer than ``seconds``.

    While the other side is made to wait by us (an answer under way, reading paused), the time
    begins again.
    """

    __slots__ = ("_connection", "_handle", "_seconds")

    def __init__(self, connection: Connection, seconds: float) -> None:
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
        if self._connection.flow.read_paused or is_answering(self._connection):
            self.start()
        else:
            self._connection.transport.close()


def is_answering(connection: Connection) -> bool:
    """Say whether an answer is under way."""
    return connection.cycle is not None and not connection.cycle.response_complete


def refuse(connection: Connection, error: ProblemError) -> None:
    """Answer with the problem and close; without it where that would cut into another answer."""
    if not is_answering(connection):
        connection.transport.write(refusal(error))
    connection.transport.close()


def refusal(error: ProblemError) -> bytes:
    """Give the whole answer to a request that never became one."""
    request_id = new_request_id().encode()
    body = render(error, instance="/", request_id=request_id.decode())
    headers = dict([*headers_of(error, body), (b"x-request-id", request_id), *_ALWAYS])
    head = f"HTTP/1.1 {error.status} {_REASONS[error.status]}\r\n".encode()
    return head + b"".join(b"%s: %s\r\n" % line for line in headers.items()) + b"\r\n" + body


def malformed() -> ProblemError:
    """Make the error for bytes that are no HTTP request."""
    return BadRequestError("This is not a valid HTTP/1.1 request (RFC 9112).")


def too_large(*, target: bool) -> ProblemError:
    """Make the error for a head that does not end; ``target``: it is still the first line."""
    if target:
        return UriTooLongError("The URL is too long.")
    return HeadersTooLargeError(f"The headers may have at most {MAX_HEAD_BYTES} bytes.")

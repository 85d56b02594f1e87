"""One answer on its way out: it commits before it starts, and completes its headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mainstay.core.db.failures import is_connection_loss, is_transient
from mainstay.core.http.context import SAFE_METHODS
from mainstay.core.http.problems import headers_of, render

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import Message, Send

    from mainstay.core.errors import ProblemError
    from mainstay.core.http.context import RequestContext
    from mainstay.core.http.cors import Cors, Headers

ERROR_STATUS: Final = 400
"""From this status on, an answer undoes its transaction."""

_NO_STORE: Final = (b"cache-control", b"no-store")


class StandardHeaders:
    """The headers of every answer (ASVS 5.0, section 3.4). ``https`` adds HSTS (RFC 6797)."""

    def __init__(self, *, https: bool, cors: Cors) -> None:
        self._cors = cors
        self._fixed: Headers = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        ]
        if https:
            hsts = b"max-age=63072000; includeSubDomains"
            self._fixed.append((b"strict-transport-security", hsts))
        self._names = frozenset(name for name, _ in self._fixed)

    def complete(self, context: RequestContext, own: Collection[tuple[bytes, bytes]]) -> Headers:
        """Give the answer's own headers with those that every answer carries.

        What the answer sets of them itself stands. What a principal is told is not stored by
        default.
        """
        standard, cache = self._fixed, False
        for name, _ in own:
            if name in self._names:
                standard = [line for line in standard if line[0] != name]
            cache = cache or name == b"cache-control"
        headers = [*own, *standard, *context.extra_headers]
        headers.append((b"x-request-id", context.origin.request_id.encode("ascii")))
        if not cache and context.principal is not None:
            headers.append(_NO_STORE)
        if self._cors.enabled:
            headers += self._cors.headers(context.headers.get(b"origin"))
        return headers


class Exchange:
    """The sending half of one request. ``status`` is 0 until anything has left.

    ``failure`` is what kept an answer from leaving: layers of the application may turn it into
    something else on its way up, so that the edge looks here.
    """

    __slots__ = ("_send", "_standard", "context", "failure", "status")

    def __init__(self, context: RequestContext, send: Send, standard: StandardHeaders) -> None:
        self._send = send
        self._standard = standard
        self.context = context
        self.failure: Exception | None = None
        self.status = 0

    async def send(self, message: Message) -> None:
        """Send a message on; the first one only after the transaction has ended well.

        Raises:
            Exception: it has not; and again for whoever answers with success nevertheless.
        """
        if message["type"] == "http.response.start":
            status: int = message["status"]
            unit = self.context.opened_unit
            if self.failure is not None and status < ERROR_STATUS:
                raise self.failure
            if unit is not None and unit.used:
                try:
                    await (unit.commit() if status < ERROR_STATUS else unit.rollback())
                except Exception as error:
                    self.failure = error
                    raise
            message["headers"] = self._standard.complete(self.context, message.get("headers", ()))
            self.status = status
        await self._send(message)

    def was_undone(self, failure: Exception) -> bool:
        """Say whether a failure has surely left nothing behind, so that a repeat is in order.

        A connection that broke while a write was being committed may have committed it.
        """
        committing = self.failure is not None and self.context.method not in SAFE_METHODS
        return is_transient(failure) and not (committing and is_connection_loss(failure))

    async def answer(self, error: ProblemError, instance: str) -> None:
        """Send a problem."""
        body = render(error, instance=instance, request_id=self.context.request_id)
        headers = headers_of(error, body)
        await self.send({"type": "http.response.start", "status": error.status, "headers": headers})
        shown = b"" if self.context.method == "HEAD" else body
        await self._send({"type": "http.response.body", "body": shown})

    async def answer_empty(self, status: int) -> None:
        """Send an answer without a body."""
        await self.send({"type": "http.response.start", "status": status, "headers": []})
        await self._send({"type": "http.response.body", "body": b""})

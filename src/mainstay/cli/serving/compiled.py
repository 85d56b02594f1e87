"""The guarded protocol on httptools, the compiled parser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mainstay.cli.serving.heads import (
    MAX_HEAD_BYTES,
    HeadTimer,
    is_answering,
    malformed,
    refuse,
    too_large,
)

if TYPE_CHECKING:
    import asyncio


class CompiledHttpProtocol(HttpToolsProtocol):
    """One connection. A request that arrives in one piece, as most do, starts no timer."""

    def __init__(self, config: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        self._timer = HeadTimer(self, config.head_timeout)
        self._in_head = False
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; a connection that stays silent is closed as well."""
        super().connection_made(transport)
        self._timer.start()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._timer.stop()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """End a request's head."""
        self._in_head = False
        self._timer.stop()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Take what has arrived."""
        super().data_received(data)
        if self._in_head:
            self._wait_for_head(len(data))
        elif self.timeout_keep_alive_task is None and self.cycle and not is_answering(self):
            # Blank lines between requests begin none, and must not keep the connection open.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _wait_for_head(self, size: int) -> None:
        if self.transport.is_closing():
            return
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            refuse(self, too_large(target=not self.headers))
        else:
            self._timer.start()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the text is our own
        """Answer what cannot be parsed."""
        refuse(self, malformed())

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: callers must not fill the log."""

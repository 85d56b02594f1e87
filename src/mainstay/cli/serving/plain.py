"""The guarded protocol on h11, for a Python without the compiled parser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from mainstay.cli.serving.heads import HeadTimer, is_answering, malformed, refuse

if TYPE_CHECKING:
    import asyncio


class PlainHttpProtocol(H11Protocol):
    """One connection."""

    def __init__(self, config: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        self._timer = HeadTimer(self, config.head_timeout)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; a connection that stays silent is closed as well."""
        super().connection_made(transport)
        self._timer.start()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._timer.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has arrived."""
        super().data_received(data)
        if self.transport.is_closing() or self.conn.their_state is not h11.IDLE:
            self._timer.stop()
        elif self.conn.trailing_data[0]:
            self._timer.start()
        elif self.timeout_keep_alive_task is None and self.cycle and not is_answering(self):
            # Blank lines between requests begin none, and must not keep the connection open.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the text is our own
        """Answer what cannot be parsed."""
        refuse(self, malformed())

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: callers must not fill the log."""

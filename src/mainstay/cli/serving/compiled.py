"""The guarded protocol on httptools, the compiled parser."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mainstay.cli.serving.heads import MAX_HEAD_BYTES, Guarded, too_large


class CompiledHttpProtocol(Guarded, HttpToolsProtocol):
    """One connection. A request that arrives in one piece, as most do, starts no timer."""

    def __init__(self, config: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        self._in_head = False
        self._head_bytes = 0

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """End a request's head."""
        self._in_head = False
        self.timer.stop()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Take what has arrived."""
        until = self.idle_end()
        super().data_received(data)
        if not self._in_head:
            self.stay_idle(until)
        elif not self.transport.is_closing():
            self._wait_for_head(len(data))

    def _wait_for_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            self.refuse(too_large(target=not self.headers))
        else:
            self.timer.start()

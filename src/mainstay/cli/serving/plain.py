"""The guarded protocol on h11, for a Python without the compiled parser."""

from __future__ import annotations

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from mainstay.cli.serving.heads import Guarded


class PlainHttpProtocol(Guarded, H11Protocol):
    """One connection."""

    def data_received(self, data: bytes) -> None:
        """Take what has arrived."""
        until = self.idle_end()
        super().data_received(data)
        if self.transport.is_closing() or self.conn.their_state is not h11.IDLE:
            self.timer.stop()
        elif self.conn.trailing_data[0]:
            self.timer.start()
        else:
            self.stay_idle(until)

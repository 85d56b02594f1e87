"""The settings of the server process: how long it waits, for callers and for its own end."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from mainstay.core.settings.section import Section

_DELAY: Final = 2.0


class ServerSettings(Section):
    """How `mainstay serve` treats connections, and how it ends."""

    HEADER_TIMEOUT_SECONDS: Annotated[float, Field(gt=0, le=600)] = 10
    """Seconds in which a caller must have sent a request's headers."""

    KEEP_ALIVE_SECONDS: Annotated[int, Field(ge=1, le=3600)] = 5
    """Seconds for which an idle connection is kept; above that of a proxy in front."""

    SHUTDOWN_DELAY_SECONDS: Annotated[float | None, Field(ge=0, le=600)] = None
    """Seconds to go on serving with readiness red; unset: 0 in development, else 2."""

    SHUTDOWN_GRACE_SECONDS: Annotated[int, Field(ge=0, le=3600)] = 25
    """Seconds in which running requests may finish after that."""

    def shutdown_delay(self, *, development: bool) -> float:
        """Give SHUTDOWN_DELAY_SECONDS, or what holds where it is not set."""
        if self.SHUTDOWN_DELAY_SECONDS is not None:
            return self.SHUTDOWN_DELAY_SECONDS
        return 0.0 if development else _DELAY

"""What libraries log goes the way of our own lines: JSON where those are, without their noise."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from mainstay.core.logging import get_logger

_KNOWN: Final = (
    "Invalid HTTP request received.",  # answered with a problem; callers must not fill the log
    "Application startup failed. Exiting.",  # said in full by the command
)


class Forwarder(logging.Handler):
    """Hands the records of the standard library's logging to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        kind = record.exc_info[0] if record.exc_info else None
        if kind is not None and issubclass(kind, asyncio.CancelledError):
            return  # a request that the end of the server cut short
        message = record.getMessage().strip()
        if message not in _KNOWN:
            details = {"exc_info": record.exc_info} if record.exc_info else {}
            get_logger(record.name).log(record.levelno, message, **details)


def forward_standard_logging() -> None:
    """Let what libraries log go through structlog."""
    logging.getLogger().handlers = [Forwarder()]

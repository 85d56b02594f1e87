"""Mail that is printed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from mainstay.features.mail.ports import OutgoingMail

_LINE: Final = "-" * 72
_HIDDEN: Final = "(The body may hold links that work once. It is printed in development only.)\n"


class ConsoleProvider:
    """Prints each mail; with its text only where ``show_body``, as output ends up in logs."""

    name = "console"
    keeps_bodies = False

    def __init__(self, *, show_body: bool, stream: TextIO | None = None) -> None:
        self._show_body = show_body
        self._stream = stream

    async def deliver(self, mail: OutgoingMail) -> None:
        """Print the mail."""
        stream = self._stream or sys.stdout
        body = mail.text if self._show_body else _HIDDEN
        shown = "".join(c if c.isprintable() or c == "\n" else "?" for c in body)
        stream.write(
            f"{_LINE}\nTo: {mail.to}\nSubject: {mail.subject}\nX-Request-ID: {mail.request_id}\n\n"
            f"{shown.rstrip()}\n{_LINE}\n"
        )
        stream.flush()

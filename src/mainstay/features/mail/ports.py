"""The port behind which mail leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMail:
    """A mail as a provider gets it: checked, with HTML and text.

    ``id`` is that of its row, and makes the Message-ID: a mail that is sent twice has the same.
    """

    id: str
    to: str
    subject: str
    html: str
    text: str
    request_id: str
    created_at: datetime


class MailProvider(Protocol):
    """Port: takes mail. ``keeps_bodies`` says that the rows' bodies are the place to read it."""

    name: str
    keeps_bodies: bool

    async def deliver(self, mail: OutgoingMail) -> None:
        """Hand the mail over; safe to repeat.

        Raises:
            MailNotSentError: not now; try again.
            MailRefusedError: never.
        """
        ...

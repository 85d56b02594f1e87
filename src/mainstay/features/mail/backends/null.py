"""Mail that goes nowhere, for tests and measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mainstay.features.mail.ports import OutgoingMail


class NullProvider:
    """Takes every mail and forgets it."""

    name = "null"
    keeps_bodies = False

    async def deliver(self, mail: OutgoingMail) -> None:
        """Take the mail."""

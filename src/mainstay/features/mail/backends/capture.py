"""Mail that is not sent: a developer reads it at /admin/mailbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mainstay.features.mail.ports import OutgoingMail


class CaptureProvider:
    """Leaves each mail in its row."""

    name = "capture"
    keeps_bodies = True

    async def deliver(self, mail: OutgoingMail) -> None:
        """Take the mail; its row is where it stays."""

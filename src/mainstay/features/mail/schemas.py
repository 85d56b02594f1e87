"""What captured mail looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainstay.core.http.schema import Output, UtcTime
from mainstay.features.mail.models import MailState
from mainstay.features.mail.plaintext import links_in

if TYPE_CHECKING:
    from mainstay.features.mail.models import MailMessage


class CapturedMail(Output):
    """A mail in the mailbox; ``links`` are the web addresses in it, in their order."""

    id: str
    to: str
    subject: str
    html: str | None
    text: str | None
    links: list[str]
    state: MailState
    created_at: UtcTime


def show(row: MailMessage) -> CapturedMail:
    """Give the outside form of a message."""
    return CapturedMail(
        id=row.id,
        to=row.recipient,
        subject=row.subject,
        html=row.html,
        text=row.text,
        links=links_in(row.html, row.text),
        state=MailState(row.state),
        created_at=row.created_at,
    )

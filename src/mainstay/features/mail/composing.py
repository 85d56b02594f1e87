"""From a mail to the message that is sent (RFC 5322, MIME)."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING

from mainstay.features.mail.addresses import Mailbox, parse_mailbox

if TYPE_CHECKING:
    from mainstay.features.mail.ports import OutgoingMail


def compose(mail: OutgoingMail, *, sender: Mailbox, sender_name: str) -> EmailMessage:
    """Make the message: text and HTML, with an id and a date that a repeat has as well."""
    recipient = parse_mailbox(mail.to)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(sender_name, sender.local, sender.domain)
    message["To"] = Address("", recipient.local, recipient.domain)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{mail.id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
    message["X-Request-ID"] = mail.request_id
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    return message

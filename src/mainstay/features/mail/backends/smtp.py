"""Mail by SMTP (RFC 5321), with STARTTLS (RFC 3207), TLS from the first byte, or neither."""

from __future__ import annotations

import socket
import ssl
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from mainstay.features.mail.addresses import parse_mailbox
from mainstay.features.mail.composing import compose
from mainstay.features.mail.errors import MailNotSentError, MailRefusedError

if TYPE_CHECKING:
    from mainstay.features.mail.ports import OutgoingMail
    from mainstay.features.mail.settings import MailSettings

TIMEOUT: Final = 15.0
"""Seconds for each step of the conversation."""

_PERMANENT: Final = 500


class SmtpProvider:
    """Hands each mail to a mail server, on a connection of its own.

    Certificates are verified, against ``SSL_CERT_FILE`` too. ``trust`` stands in place of the
    system's certificates.
    """

    name = "smtp"
    keeps_bodies = False

    def __init__(
        self, settings: MailSettings, *, sender_name: str, trust: ssl.SSLContext | None = None
    ) -> None:
        self._settings = settings
        self._sender_name = sender_name
        self._trust = trust

    async def deliver(self, mail: OutgoingMail) -> None:
        """Hand the mail over.

        Raises:
            MailNotSentError: there is no way to the server now, or it says to try later (4xx), or
                it takes no mail from us at all (sign-in, sender), which a person can put right.
            MailRefusedError: it refuses this recipient or this message (5xx).
        """
        sender, recipient = self._settings.sender, parse_mailbox(mail.to)
        message = compose(mail, sender=sender, sender_name=self._sender_name)
        try:
            async with self._client() as client:
                await client.send_message(message, sender=sender.wire, recipients=[recipient.wire])
        except SMTPRecipientsRefused as error:
            raise _answer(error.recipients[0], permanent=True) from error
        except SMTPResponseException as error:
            raise _answer(error, permanent=isinstance(error, SMTPDataError)) from error
        except SMTPNotSupported as error:
            raise MailRefusedError(error.message) from error
        except (SMTPException, OSError) as error:
            raise MailNotSentError(_reason(error)) from error

    def _client(self) -> SMTP:
        settings = self._settings
        if self._trust is None:
            self._trust = ssl.create_default_context()
        password = settings.MAIL_PASSWORD
        return SMTP(
            hostname=settings.MAIL_SERVER,
            port=settings.MAIL_PORT,
            username=settings.MAIL_USERNAME or None,
            password=password.get_secret_value() if password else None,
            local_hostname=_own_name(),
            timeout=TIMEOUT,
            use_tls=settings.MAIL_SSL_TLS,
            start_tls=self._start_tls(),
            tls_context=self._trust,
        )

    def _start_tls(self) -> bool | None:
        """True asks for it and goes no further without; None takes it where it is offered."""
        if self._settings.MAIL_SSL_TLS or not self._settings.MAIL_STARTTLS:
            return False
        return None if _is_loopback(self._settings.MAIL_SERVER or "") else True


def _answer(
    error: SMTPResponseException, *, permanent: bool
) -> MailRefusedError | MailNotSentError:
    text = f"{error.code} {error.message}"
    if permanent and error.code >= _PERMANENT:
        return MailRefusedError(text)
    return MailNotSentError(text)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _own_name() -> str:
    """Give a name for EHLO without asking DNS, which may stand still."""
    name = socket.gethostname()
    usable = name.isascii() and name.replace("-", "").replace(".", "").isalnum()
    return name if usable else "localhost"

"""Fields of a mail, parsed once: an address is exactly one mailbox, a line is one line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from email_validator import EmailNotValidError, validate_email

from mainstay.features.mail.errors import MailFieldError

MAX_ADDRESS: Final = 254
MAX_LINE: Final = 250
MAX_BODY: Final = 1024 * 1024

# What the library holds to be no address in the world; it is one in a house or on a machine.
_LOCAL: Final = re.compile(
    r"([\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*)"
    r"@(localhost|(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:local|localhost))",
    re.ASCII | re.IGNORECASE,
)
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address. ``address`` is for people; ``domain`` is in ASCII (RFC 5890), for machines."""

    address: str
    local: str
    domain: str

    @property
    def wire(self) -> str:
        """The address as a mail server takes it; not ASCII only where ``local`` is not."""
        return f"{self.local}@{self.domain}"


def parse_mailbox(text: str, field: str = "to") -> Mailbox:
    """Parse one address (RFC 5321, section 4.1.2; no comments, groups or display names).

    Raises:
        MailFieldError: it is none, or more than one.
    """
    if _CONTROLS.search(text):
        raise MailFieldError(field, "An address has no line ends or control characters.")
    address = text.strip()
    found = _beneath_local(address) or _in_the_world(address)
    if found is None or len(found.address) > MAX_ADDRESS:
        raise MailFieldError(field, "This is not one e-mail address.")
    return found


def _beneath_local(address: str) -> Mailbox | None:
    match = _LOCAL.fullmatch(address)
    if match is None:
        return None
    local, domain = match[1], match[2].lower()
    return Mailbox(f"{local}@{domain}", local, domain)


def _in_the_world(address: str) -> Mailbox | None:
    try:
        found = validate_email(
            address, check_deliverability=False, globally_deliverable=False, test_environment=True
        )
    except EmailNotValidError:
        return None
    if not found.local_part or not found.ascii_domain:
        return None
    return Mailbox(found.normalized, found.local_part, found.ascii_domain)


def check_line(text: str, field: str) -> str:
    """Give a header's text without spaces around it.

    Raises:
        MailFieldError: it is empty or too long, or has line ends or control characters.
    """
    if _CONTROLS.search(text):
        raise MailFieldError(field, "Line ends and control characters are not accepted.")
    line = text.strip()
    if not line or len(line) > MAX_LINE:
        raise MailFieldError(field, f"This takes 1 to {MAX_LINE} characters.")
    return line


def check_body(text: str, field: str) -> str:
    """Give a body as it is.

    Raises:
        MailFieldError: it is too long, or has a NUL.
    """
    if "\0" in text:
        raise MailFieldError(field, "NUL characters are not accepted.")
    if len(text) > MAX_BODY:
        raise MailFieldError(field, f"This takes at most {MAX_BODY} characters.")
    return text

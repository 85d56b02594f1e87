"""Usernames, e-mail addresses and profile fields: what is accepted, and their case-blind keys."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Final
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, StringConstraints

from mainstay.core.http.schema import Line, Text

_USERNAME: Final = re.compile(r"[\w][\w.\-]*[\w]")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def case_blind(text: str) -> str:
    """Give the form under which names are unique: NFKC, case folded."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def check_username(value: str) -> str:
    """Give a username that cannot be taken for an address.

    Raises:
        ValueError: it has other characters than letters, digits, ``.``, ``_`` and ``-``.
    """
    if not _USERNAME.fullmatch(value):
        msg = "Use letters, digits and . _ - with a letter or digit at both ends."
        raise ValueError(msg)
    return value


def check_email(value: str) -> str:
    """Give the one normalised form of an address (RFC 5321, RFC 6531); no DNS look-up.

    Raises:
        ValueError: it is not exactly one address.
    """
    try:
        return validate_email(value, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        msg = "This is not a valid e-mail address."
        raise ValueError(msg) from None


def check_timezone(value: str) -> str:
    """Give an IANA time zone's name.

    Raises:
        ValueError: there is none of that name.
    """
    if value not in _zones():
        msg = "This is not the name of an IANA time zone, such as Europe/Vienna."
        raise ValueError(msg)
    return value


_known_zones: frozenset[str] = frozenset()


def _zones() -> frozenset[str]:
    global _known_zones  # noqa: PLW0603 - read from disk once, and not at import
    if not _known_zones:
        _known_zones = frozenset(available_timezones())
    return _known_zones


def check_language(value: str) -> str:
    """Give a language tag (BCP 47).

    Raises:
        ValueError: it is not formed like one.
    """
    if not _LANGUAGE.fullmatch(value):
        msg = "This is not a language tag, such as en or de-AT."
        raise ValueError(msg)
    return value


def check_web_address(value: str) -> str:
    """Give an http(s) address.

    Raises:
        ValueError: it is none.
    """
    if not re.match(r"https?://[^\s/]+", value, re.IGNORECASE):
        msg = "This must begin with http:// or https://."
        raise ValueError(msg)
    return value


Username = Annotated[
    Line, StringConstraints(min_length=3, max_length=50), AfterValidator(check_username)
]
Email = Annotated[Line, StringConstraints(max_length=254), AfterValidator(check_email)]
Name = Annotated[Line, StringConstraints(max_length=100)]
Phone = Annotated[Line, StringConstraints(max_length=20, pattern=r"^\+[1-9]\d{4,18}$")]
WebAddress = Annotated[Line, StringConstraints(max_length=500), AfterValidator(check_web_address)]
Biography = Annotated[Text, StringConstraints(max_length=2000)]
Timezone = Annotated[Line, StringConstraints(max_length=64), AfterValidator(check_timezone)]
Language = Annotated[Line, Field(max_length=35), AfterValidator(check_language)]

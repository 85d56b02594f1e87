"""The bases of request and answer bodies."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer

_ALLOWED_CONTROLS = frozenset("\t\n\r")


def clean_text(value: Any) -> Any:
    """Give text in NFC; other values as they are.

    Raises:
        ValueError: it has control characters other than tab and line ends.
    """
    if not isinstance(value, str):
        return value
    if value.isascii() and value.isprintable():
        return value
    for character in value:
        if unicodedata.category(character) in {"Cc", "Cs"} and character not in _ALLOWED_CONTROLS:
            msg = "Control characters are not accepted."
            raise ValueError(msg)
    return unicodedata.normalize("NFC", value)


def clean_line(value: Any) -> Any:
    """Give text in NFC, without spaces around it; line ends are control characters here.

    Raises:
        ValueError: it has control characters.
    """
    if isinstance(value, str) and any(c in value for c in _ALLOWED_CONTROLS):
        msg = "Line ends and tabs are not accepted."
        raise ValueError(msg)
    cleaned = clean_text(value)
    return cleaned.strip() if isinstance(cleaned, str) else cleaned


def _utc(value: datetime) -> str:
    moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


Text = Annotated[str, BeforeValidator(clean_text)]
"""Text of several lines."""

Line = Annotated[str, BeforeValidator(clean_line)]
"""Text of one line."""

UtcTime = Annotated[datetime, PlainSerializer(_utc, return_type=str, when_used="json")]
"""A moment; leaves as RFC 3339 in UTC with ``Z``."""


class Input(BaseModel):
    """A request body. Fields that are not declared are refused, which stops mass assignment."""

    model_config = ConfigDict(extra="forbid", str_max_length=100_000, hide_input_in_errors=True)


class Output(BaseModel):
    """An answer body. Only declared fields leave."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

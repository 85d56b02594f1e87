"""What of an event's values may stand in the audit trail, and in what form."""

from __future__ import annotations

from typing import Any, Final

from mainstay.core.logging import redact

LONGEST_TEXT: Final = 2000
"""Characters of one text; the rest is cut off."""

MOST_ITEMS: Final = 200
"""Items of one list; the rest is left out."""

_ILLEGAL: Final = {0: "\ufffd", **dict.fromkeys(range(0xD800, 0xE000), "\ufffd")}
"""NUL and lone surrogates, which no database takes."""


def clean_text(text: str | None, longest: int = LONGEST_TEXT) -> str | None:
    """Give text that any of the databases takes, of at most so many characters."""
    return None if text is None else text[:longest].translate(_ILLEGAL)


def clean_data(data: dict[str, Any]) -> dict[str, Any]:
    """Give a copy with bounded texts, and with what a key names as secret masked at any depth."""
    cleaned = {str(clean_text(key)): _clean(value) for key, value in data.items()}
    return dict(redact(None, "", cleaned))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return clean_data(value)
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value[:MOST_ITEMS]]
    return value

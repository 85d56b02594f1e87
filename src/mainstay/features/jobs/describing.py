"""What an error may say in a row or a log: class and message, bounded and without secrets."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy.exc import StatementError

from mainstay.features.jobs.models import MAX_ERROR

MASK: Final = "[redacted]"

_TOKEN: Final = re.compile(r"[A-Za-z0-9_\-+/=]{24,}")
_CODE: Final = re.compile(r"(?<!\d)\d{6,}(?!\d)")
_PASSWORD_IN_URL: Final = re.compile(r"(?<=://)[^\s/@]+@")
_NAMED: Final = re.compile(
    r"((?:password|passwd|token|secret|authorization|cookie|api_?key|code)\w*['\"]?\s*[=:]\s*)"
    r"(?:bearer\s+)?[^\s&,;]+",
    re.IGNORECASE,
)
_SPACES: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


def describe(error: BaseException) -> str:
    """Give the class and the message in one line of at most 1000 characters.

    What looks like a token, a code or a password is masked. A database's error is told by its
    driver's class alone, as its message holds the values of the statement.
    """
    if isinstance(error, StatementError):
        return f"{type(error).__name__} ({type(error.orig).__name__})"
    text = _NAMED.sub(rf"\1{MASK}", str(error))
    text = _PASSWORD_IN_URL.sub(f"{MASK}@", text)
    text = _CODE.sub(MASK, _TOKEN.sub(MASK, text))
    text = _SPACES.sub(" ", text).strip()
    name = type(error).__name__
    return (f"{name}: {text}" if text else name)[:MAX_ERROR]

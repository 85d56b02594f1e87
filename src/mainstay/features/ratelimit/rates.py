"""Rates as text: ``100/min``, ``5/sec``, ``1000/hour``; a plain number is meant per minute."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from mainstay.core.ratelimit import Policy
from mainstay.core.settings import Takes

_RATE: Final = re.compile(
    r"([0-9]{1,9})(?:\s*/\s*(?:(s|secs?|seconds?)|(m|mins?|minutes?)|(h|hours?)|(d|days?)))?",
    re.IGNORECASE,
)
_UNITS: Final = ("sec", "min", "hour", "day")
_SECONDS: Final = {"sec": 1, "min": 60, "hour": 3600, "day": 86400}


def parse_rate(value: Any) -> str:
    """Give the rate in its one form, such as ``100/min``.

    Raises:
        ValueError: it is no rate, or one of nothing.
    """
    text = str(value).strip() if isinstance(value, str | int) else ""
    match = _RATE.fullmatch(text)
    if match is None or isinstance(value, bool) or int(match[1]) == 0:
        msg = "not a rate"
        raise ValueError(msg)
    unit = next((name for name, found in zip(_UNITS, match.groups()[1:], strict=True) if found), "")
    return f"{int(match[1])}/{unit or 'min'}"


def policy_of(name: str, rate: str) -> Policy:
    """Give the policy of a rate in its one form."""
    quota, _, unit = rate.partition("/")
    return Policy(name, int(quota), _SECONDS[unit])


Rate = Annotated[
    str, BeforeValidator(parse_rate), Takes("a rate such as 100/min, 5/sec or 1000/hour")
]
"""How many requests in how much time."""

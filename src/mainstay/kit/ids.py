"""Ids of rows: UUIDv7 as canonical lower-case text (RFC 9562)."""

from __future__ import annotations

import re
import sys
from typing import Final

if sys.version_info >= (3, 14):
    from uuid import uuid7
else:
    from uuid_utils import uuid7

NIL_ID: Final = "00000000-0000-0000-0000-000000000000"
"""The nil UUID: no row has it, so comparing with it finds nothing."""

_CANONICAL: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_id() -> str:
    """Give a new id; within a process each is greater than the one before it."""
    return str(uuid7())


def is_id(text: str) -> bool:
    """Say whether the text is an id in its canonical form."""
    return _CANONICAL.fullmatch(text) is not None


def canonical_id(text: str) -> str | None:
    """Give the canonical form of an id in any letter case; None if it is none."""
    lowered = text.lower()
    return lowered if _CANONICAL.fullmatch(lowered) else None

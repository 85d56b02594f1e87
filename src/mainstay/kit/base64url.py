"""Base64url without padding (RFC 4648, section 5; RFC 7515, section 2), strict when reading."""

from __future__ import annotations

import binascii

__all__ = ["decode", "encode"]

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


def encode(data: bytes) -> str:
    """Write bytes as base64url text without ``=``."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")


def decode(text: str | bytes) -> bytes:
    """Read base64url text; only the one spelling that ``encode`` writes is taken.

    Padding, white space, the plain base64 alphabet and left-over bits are refused.

    Raises:
        ValueError: the text is not that spelling; what it held is not told.
    """
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
        data = binascii.a2b_base64(raw.translate(_FROM_URL) + b"=" * (-len(raw) % 4))
    except ValueError:
        data = None
    if data is None or encode(data).encode("ascii") != raw:
        raise ValueError("not canonical base64url")
    return data

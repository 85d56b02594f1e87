"""Opaque tokens: made at random, handed out once, kept only as a digest."""

from __future__ import annotations

import hashlib
import hmac
import secrets

__all__ = ["MINIMUM_BYTES", "digest", "new_token", "same"]

MINIMUM_BYTES = 16


def new_token(prefix: str = "", *, size: int = 32) -> str:
    """Make a token: ``prefix`` and ``size`` random bytes in base64url (43 characters for 32).

    Raises:
        ValueError: ``size`` is under 16 bytes, the 128 bits that no search gets through.
    """
    if size < MINIMUM_BYTES:
        raise ValueError(f"a token needs at least {MINIMUM_BYTES} random bytes")
    return prefix + secrets.token_urlsafe(size)


def digest(token: str, *, purpose: str = "") -> str:
    """Give the hex SHA-256 (64 characters) under which a token is stored and looked up.

    A token needs no salt and no slow hash: it is random, 128 bits or more. With a ``purpose``
    the digest belongs to that purpose alone, so a row made for one is never found for another.
    """
    text = f"{purpose}\0{token}" if purpose else token
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def same(left: str, right: str) -> bool:
    """Compare two secrets in a time that does not tell where they differ."""
    return hmac.compare_digest(
        left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass")
    )

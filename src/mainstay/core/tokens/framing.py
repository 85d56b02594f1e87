"""Taking a compact JWS apart (RFC 7515, section 7.1), strictly, and proving its signature.

Nothing here raises for bad input and nothing keeps it: an exception chain could carry the token
into a log.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from mainstay.core.tokens.keys import SigningKey
from mainstay.kit import base64url

__all__ = ["MAX_TOKEN_BYTES", "Opened", "open_token", "within_bounds"]

MAX_TOKEN_BYTES = 8192

_SEGMENTS = 3
# Members that would choose a key, or ask for a way of reading that is not offered: RFC 8725,
# sections 3.6 and 3.10; RFC 7515, section 4.1.11; RFC 7797 for b64.
_REFUSED_MEMBERS = frozenset(("b64", "crit", "enc", "jku", "jwk", "x5c", "x5u", "zip"))


@dataclass(frozen=True, slots=True)
class Opened:
    """A token whose signature holds. Its claims are not judged yet."""

    header: dict[str, Any]
    claims: dict[str, Any]


def within_bounds(token: str) -> bool:
    """Tell whether a token may be decoded at all: ASCII, and at most 8 KiB."""
    return len(token) <= MAX_TOKEN_BYTES and token.isascii()


def open_token(token: str, find_key: Callable[[str | None], SigningKey | None]) -> Opened | None:
    """Prove the signature of a token and read it; None if anything about it is wrong.

    ``find_key`` gives the key for the header's ``kid`` (None: there is no ``kid``); its own
    algorithm is the only one accepted.
    """
    if not within_bounds(token):
        return None
    segments = token.split(".")
    if len(segments) != _SEGMENTS:
        return None
    header = _read_object(segments[0])
    if header is None or not _REFUSED_MEMBERS.isdisjoint(header):
        return None
    key = _key_of(header, find_key)
    signature = _read_segment(segments[2])
    if key is None or signature is None:
        return None
    if not key.verify(token[: token.rindex(".")].encode("ascii"), signature):
        return None
    claims = _read_object(segments[1])
    return None if claims is None else Opened(header, claims)


def _key_of(
    header: dict[str, Any], find_key: Callable[[str | None], SigningKey | None]
) -> SigningKey | None:
    """Find the key that a header names, if the header also names that key's algorithm."""
    kid = header.get("kid")
    if not isinstance(kid, str) and "kid" in header:
        return None
    key = find_key(kid)
    return key if key is not None and header.get("alg") == key.algorithm else None


def _read_segment(segment: str) -> bytes | None:
    """Decode one segment."""
    try:
        return base64url.decode(segment)
    except ValueError:
        return None


def _read_object(segment: str) -> dict[str, Any] | None:
    """Decode one segment as a JSON object."""
    try:
        value = _DECODER.decode(base64url.decode(segment).decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that comes twice: two readers could each take another one."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member comes twice")
    return members


def _refuse_constant(_: str) -> NoReturn:
    """Refuse NaN and Infinity, which are not JSON (RFC 8259, section 6)."""
    raise ValueError("not a JSON number")


_DECODER = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)

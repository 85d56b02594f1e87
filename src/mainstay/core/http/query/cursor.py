"""Cursors: where a page ends, as an opaque text that only this server can have made.

A cursor is ``base64url(mac | payload)``. The payload is JSON: a direction and the sort values of
the row it stands on, or that row's key alone where the values are too long. The mac is the first
128 bits of HMAC-SHA256 (RFC 2104) over the payload and what the cursor is bound to: the resource
and the request's filter, words and sort.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from mainstay.core.errors import CursorMismatchError
from mainstay.core.http.query.model import ListQuery
from mainstay.core.http.query.spec import ListSpec
from mainstay.kit import base64url

MAX_CURSOR: Final = 2048
"""Characters of a cursor."""

_MAC_BYTES: Final = 16
_PURPOSE: Final = b"mainstay cursor v1"
_NEXT, _PREVIOUS = "n", "p"


@dataclass(frozen=True, slots=True)
class Position:
    """A row to stand on and the direction to go from there.

    ``values`` are its sort values as columns take them, or None where they did not fit; then
    ``key`` alone names the row.
    """

    backward: bool
    key: Any
    values: tuple[Any, ...] | None


def write_cursor(
    spec: ListSpec, query: ListQuery, *, values: Sequence[Any], backward: bool, key: bytes
) -> str:
    """Make the cursor that stands on the row with these sort values; ``key`` is the secret."""
    dumped = [
        None if value is None else spec.bound[sort.field].kind.dump(value)
        for sort, value in zip(query.sort, values, strict=True)
    ]
    direction = _PREVIOUS if backward else _NEXT
    cursor = _seal([direction, dumped], spec, query, key=key)
    if len(cursor) > MAX_CURSOR:
        cursor = _seal([direction, None, dumped[-1]], spec, query, key=key)
    return cursor


def read_cursor(spec: ListSpec, query: ListQuery, *, key: bytes) -> Position:
    """Read the request's cursor.

    Raises:
        CursorMismatchError: it was not made by this server, or not for these parameters.
    """
    try:
        payload = _unseal(query.cursor or "", spec, query, key=key)
        return _position(spec, query, payload)
    except (ValueError, TypeError, KeyError, ArithmeticError):
        raise CursorMismatchError(
            "The cursor belongs to other parameters. Start again without it."
        ) from None


def _position(spec: ListSpec, query: ListQuery, payload: list[Any]) -> Position:
    direction, dumped, *rest = payload
    backward = direction == _PREVIOUS
    if dumped is None:
        return Position(backward, spec.bound[spec.key].kind.load(rest[0]), None)
    values = tuple(
        None if value is None else spec.bound[sort.field].kind.load(value)
        for sort, value in zip(query.sort, dumped, strict=True)
    )
    return Position(backward, values[-1], values)


def _seal(payload: list[Any], spec: ListSpec, query: ListQuery, *, key: bytes) -> str:
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    return base64url.encode(_mac(text, spec, query, key=key) + text)


def _unseal(cursor: str, spec: ListSpec, query: ListQuery, *, key: bytes) -> list[Any]:
    if len(cursor) > MAX_CURSOR:
        raise ValueError
    raw = base64url.decode(cursor)
    mac, text = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(text, spec, query, key=key)):
        raise ValueError
    payload: list[Any] = json.loads(text)
    return payload


def _mac(text: bytes, spec: ListSpec, query: ListQuery, *, key: bytes) -> bytes:
    bound_to = hashlib.sha256(spec.name.encode()).digest() + query.fingerprint
    return hmac.digest(key, _PURPOSE + bound_to + text, "sha256")[:_MAC_BYTES]

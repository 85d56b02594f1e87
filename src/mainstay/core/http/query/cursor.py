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
    direction, seal = _PREVIOUS if backward else _NEXT, _Seal(spec, query, key=key)
    cursor = seal.close([direction, dumped])
    if len(cursor) > MAX_CURSOR:
        cursor = seal.close([direction, None, dumped[-1]])
    return cursor


def read_cursor(spec: ListSpec, query: ListQuery, *, key: bytes) -> Position:
    """Read the request's cursor.

    Raises:
        CursorMismatchError: it was not made by this server, or not for these parameters.
    """
    try:
        direction, dumped, *rest = _Seal(spec, query, key=key).open(query.cursor or "")
        backward = direction == _PREVIOUS
        if dumped is None:
            return Position(backward, spec.bound[spec.key].kind.load(rest[0]), None)
        values = tuple(
            None if value is None else spec.bound[sort.field].kind.load(value)
            for sort, value in zip(query.sort, dumped, strict=True)
        )
    except (ValueError, TypeError, LookupError, ArithmeticError):
        raise CursorMismatchError(
            "The cursor belongs to other parameters. Start again without it."
        ) from None
    return Position(backward, values[-1], values)


class _Seal:
    """Closes payloads under the secret, bound to a resource and a request's fingerprint."""

    def __init__(self, spec: ListSpec, query: ListQuery, *, key: bytes) -> None:
        self._bound_to = _PURPOSE + hashlib.sha256(spec.name.encode()).digest() + query.fingerprint
        self._key = key

    def close(self, payload: list[Any]) -> str:
        text = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        return base64url.encode(self._mac(text) + text)

    def open(self, cursor: str) -> list[Any]:
        """Give the payload; ValueError if the seal is not ours."""
        raw = base64url.decode(cursor) if len(cursor) <= MAX_CURSOR else b""
        mac, text = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(text)):
            raise ValueError
        payload: list[Any] = json.loads(text)
        return payload

    def _mac(self, text: bytes) -> bytes:
        return hmac.digest(self._key, self._bound_to + text, "sha256")[:_MAC_BYTES]

"""Request bodies before anything parses them: bounded, whole, and safe JSON."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import TYPE_CHECKING, Any, Final

import orjson

from mainstay.core.errors import (
    BadRequestError,
    BodyTooLargeError,
    MalformedJsonError,
    RequestTimeoutError,
)

if TYPE_CHECKING:
    from starlette.types import Message, Receive

REPLAYABLE_BYTES: Final = 1024 * 1024
"""Bodies up to this size are held whole, so that a request can be run again."""

MAX_DEPTH: Final = 64
CHUNK_SECONDS: Final = 20.0
"""How long a client may pause while it sends a body."""

LEAST_BYTES_PER_SECOND: Final = 1024
"""How fast a body must arrive on the whole, once the first pause is used up."""

_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_LONG_NUMBER: Final = re.compile(rb"[0-9]{19}")
_INTEGERS: Final = range(-(2**63), 2**64)
_MOST_DIGITS: Final = 20
_LENGTH_DIGITS: Final = 18


class ClientGoneError(Exception):
    """The client went away before its request was whole."""


def content_length(headers: dict[bytes, bytes]) -> int | None:
    """Give the declared length, or None.

    Raises:
        BadRequestError: it is not a number (RFC 9110, section 8.6), or one beyond all reason.
    """
    value = headers.get(b"content-length")
    if value is None:
        return None
    if not value.isdigit() or len(value) > _LENGTH_DIGITS:
        msg = "Content-Length must be a whole number."
        raise BadRequestError(msg)
    return int(value)


def has_body(headers: dict[bytes, bytes]) -> bool:
    """Say whether the request announces a body (RFC 9112, section 6).

    HTTP/2 knows no transfer encoding and needs no length: there a body has only its type.
    """
    length = headers.get(b"content-length")
    if length is None:
        return b"transfer-encoding" in headers or b"content-type" in headers
    return length != b"0" or b"transfer-encoding" in headers


def is_json(content_type: bytes) -> bool:
    """Say whether a media type is JSON's or has its suffix (RFC 6839)."""
    essence = content_type.partition(b";")[0].strip().lower()
    return essence == b"application/json" or essence.endswith(b"+json")


def too_large(limit: int) -> BodyTooLargeError:
    """Make the error for a body over the limit, in bytes."""
    return BodyTooLargeError(f"The body may have at most {limit} bytes.", limit=limit)


def _too_slow() -> RequestTimeoutError:
    msg = "The body did not arrive in time. Send it again."
    return RequestTimeoutError(msg, headers={"Connection": "close"})


def _check_pace(started: float, received: int) -> None:
    """Refuse a body that drips in, though it never pauses for long."""
    if time.monotonic() - started > CHUNK_SECONDS + received / LEAST_BYTES_PER_SECOND:
        raise _too_slow()


async def _next(receive: Receive) -> Message:
    try:
        async with asyncio.timeout(CHUNK_SECONDS):
            message = await receive()
    except TimeoutError:
        raise _too_slow() from None
    if message["type"] == "http.disconnect":
        raise ClientGoneError
    return message


async def read_whole(receive: Receive, limit: int) -> bytes:
    """Read the body to its end.

    Raises:
        BodyTooLargeError: it goes over the limit, whatever length was declared.
        RequestTimeoutError: the client paused too long.
        ClientGoneError: the client went away.
    """
    message = await _next(receive)
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > limit:
            raise too_large(limit)
        return body
    chunks, started = bytearray(body), time.monotonic()
    while message.get("more_body", False):
        if len(chunks) > limit:
            raise too_large(limit)
        message = await _next(receive)
        chunks += message.get("body", b"")
        _check_pace(started, len(chunks))
    if len(chunks) > limit:
        raise too_large(limit)
    return bytes(chunks)


def check_json(body: bytes) -> None:
    """Refuse what is not strict JSON: NaN, infinities, lone surrogates, NUL, great depth.

    Whole numbers must fit into 64 bits: beyond that no two programs read the same (RFC 8259,
    section 6), and no database column holds them.

    Raises:
        MalformedJsonError: any of these.
    """
    if not body:
        return
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        msg = "Send a valid JSON document (RFC 8259), without NaN or infinite numbers."
        raise MalformedJsonError(msg) from None
    if _NUL.search(body):
        msg = "NUL characters are not accepted."
        raise MalformedJsonError(msg)
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _depth(document) > MAX_DEPTH:
        msg = f"The document is nested more than {MAX_DEPTH} levels deep."
        raise MalformedJsonError(msg)
    if _LONG_NUMBER.search(body):
        _check_integers(body)


def _check_integers(body: bytes) -> None:
    """Read again with every digit of whole numbers, which orjson turns into floats when long."""

    def whole(digits: str) -> int:
        if len(digits) > _MOST_DIGITS or int(digits) not in _INTEGERS:
            msg = "Whole numbers must fit into 64 bits. Send longer ones as strings."
            raise MalformedJsonError(msg)
        return 0

    json.loads(body, parse_int=whole)


def _depth(document: Any) -> int:
    level, depth = [document], 0
    while level and depth <= MAX_DEPTH:
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                deeper.extend(item.values())
            elif isinstance(item, list):
                deeper.extend(item)
        level = [item for item in deeper if isinstance(item, (dict, list))]
        depth += 1
    return depth + bool(level)


def replaying(body: bytes, receive: Receive) -> Receive:
    """Give a receive that hands the body out once, then what the client still sends."""
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return replay


def counting(receive: Receive, limit: int) -> Receive:
    """Give a receive that refuses a streamed body as soon as it goes over the limit."""
    total, started = 0, time.monotonic()
    whole = False

    async def counted() -> Message:
        nonlocal total, whole
        if whole:
            return await receive()
        try:
            message = await _next(receive)
        except ClientGoneError:
            return {"type": "http.disconnect"}
        total += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if total > limit:
            raise too_large(limit)
        if not whole:
            _check_pace(started, total)
        return message

    return counted

"""CORS: listed origins, by exact match (Fetch standard, section 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

Headers = list[tuple[bytes, bytes]]

_EXPOSED: Final = (
    b"ETag, Link, Location, X-Request-ID, RateLimit, RateLimit-Policy, Retry-After, "
    b"Idempotent-Replayed, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset"
)
_METHODS: Final = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_REQUEST_HEADERS: Final = (
    b"authorization, content-type, idempotency-key, if-match, if-none-match, x-request-id, "
    b"x-api-key, accept, accept-language"
)
_MAX_AGE: Final = b"600"


class Cors:
    """The answer's CORS headers. ``*`` opens for reading without credentials, never with."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._any = "*" in origins
        self._origins = frozenset(origin.rstrip("/").encode("latin-1") for origin in origins)
        self.enabled = bool(origins)

    def headers(self, origin: bytes | None) -> Headers:
        """Give the headers for a request from this origin; ``Vary`` also where it is refused."""
        if self._any:
            return [
                (b"access-control-allow-origin", b"*"),
                (b"access-control-expose-headers", _EXPOSED),
            ]
        if origin is None or origin not in self._origins:
            return [(b"vary", b"Origin")]
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", _EXPOSED),
            (b"vary", b"Origin"),
        ]

    def preflight(self, origin: bytes | None) -> Headers:
        """Give what a preflight's answer has besides; for a foreign origin nothing that opens."""
        if not self._any and origin not in self._origins:
            return []
        return [
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _REQUEST_HEADERS),
            (b"access-control-max-age", _MAX_AGE),
        ]

"""What is refused before a request is trusted with anything: sizes, hosts, methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mainstay.core.errors import (
    BadRequestError,
    HeadersTooLargeError,
    MethodNotAllowedError,
    UriTooLongError,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from starlette.types import Scope

MAX_TARGET_BYTES: Final = 8 * 1024
MAX_HEADER_BYTES: Final = 32 * 1024
MAX_HEADERS: Final = 100
_ONCE: Final = frozenset(
    {
        b"authorization",
        b"content-length",
        b"content-type",
        b"host",
        b"idempotency-key",
        b"origin",
        b"transfer-encoding",
        b"x-api-key",
    }
)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def check_method(method: str) -> None:
    """Refuse TRACE, CONNECT and made-up methods.

    Raises:
        MethodNotAllowedError: the method is not served anywhere.
    """
    if method not in _METHODS:
        msg = "This method is not served."
        raise MethodNotAllowedError(msg, headers={"Allow": ", ".join(sorted(_METHODS))})


def check_sizes(scope: Scope, headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Refuse a target or header section over the limits.

    Raises:
        UriTooLongError: the target is too long (RFC 9110, section 15.5.15).
        HeadersTooLargeError: there is too much in the header section (RFC 6585, section 5).
    """
    raw_path = scope.get("raw_path") or scope["path"].encode()
    if len(raw_path) + len(scope["query_string"]) > MAX_TARGET_BYTES:
        msg = f"The URL may have at most {MAX_TARGET_BYTES} bytes. Put long searches in a body."
        raise UriTooLongError(msg)
    size = 0
    for name, value in headers:
        size += len(name) + len(value)
    if size > MAX_HEADER_BYTES or len(headers) > MAX_HEADERS:
        msg = f"The headers may have at most {MAX_HEADERS} lines and {MAX_HEADER_BYTES} bytes."
        raise HeadersTooLargeError(msg)


def check_repeated(headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Refuse a second line of what is only told once: two readers might take two of them.

    Raises:
        BadRequestError: one of these headers is repeated (RFC 9110, section 5.3).
    """
    names = [name for name, _ in headers if name in _ONCE]
    if len(set(names)) < len(names):
        msg = "A header that may be sent once was sent twice."
        raise BadRequestError(msg)


class Hosts:
    """The hosts that are served; ``*`` or an empty list means all, ``*.x.y`` any below x.y."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._any = not allowed or "*" in allowed
        self._exact = frozenset(host.lower() for host in allowed if not host.startswith("*."))
        self._below = tuple(host[1:].lower() for host in allowed if host.startswith("*."))

    def check(self, host: bytes | None) -> None:
        """Refuse a Host header that names none of them.

        Raises:
            BadRequestError: the host is not served here.
        """
        if self._any:
            return
        name = (host or b"").decode("latin-1").lower()
        bare = name.partition("]")[0] + "]" if name.startswith("[") else name.partition(":")[0]
        if bare in self._exact or name in self._exact or bare.endswith(self._below or ("\0",)):
            return
        msg = "This server does not serve that host. Add it to ALLOWED_HOSTS if it should."
        raise BadRequestError(msg)

"""Signing and verifying JSON Web Tokens (RFC 7519) by the rules of RFC 8725."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import orjson

from mainstay.core.errors import NotAuthenticatedError, TokenExpiredError
from mainstay.core.tokens.cache import VerifiedTokens
from mainstay.core.tokens.claims import addressed_to, faults, start_of
from mainstay.core.tokens.framing import MAX_TOKEN_BYTES, open_token, within_bounds
from mainstay.core.tokens.ring import KeyRing
from mainstay.kit import base64url

__all__ = ["Leeway", "TokenSigner", "TokenVerifier"]

_MAX_LEEWAY_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Leeway:
    """Seconds by which clocks may differ, 0 to 60.

    ``end`` counts after ``exp``, ``start`` before ``nbf`` and ``iat``.
    """

    end: float = 0
    start: float = 30

    def __post_init__(self) -> None:
        if not (0 <= self.end <= _MAX_LEEWAY_SECONDS and 0 <= self.start <= _MAX_LEEWAY_SECONDS):
            raise ValueError(f"a leeway is 0 to {_MAX_LEEWAY_SECONDS} seconds")


class TokenSigner:
    """Signs claims with the current key of a ring."""

    def __init__(self, keys: KeyRing) -> None:
        self._key = keys.current
        self._headers: dict[str, str] = {}

    def sign(self, claims: Mapping[str, Any], *, typ: str) -> str:
        """Sign claims as a token of one kind (``typ``, such as ``at+jwt``).

        Raises:
            ValueError: a required claim is missing or of the wrong type, or the token would be
                larger than the verifier takes.
        """
        if wrong := faults(claims):
            raise ValueError(f"claims missing or of the wrong type: {', '.join(wrong)}")
        header = self._headers.get(typ) or self._headers.setdefault(typ, self._header(typ))
        content = f"{header}.{base64url.encode(orjson.dumps(dict(claims)))}"
        token = f"{content}.{base64url.encode(self._key.sign(content.encode('ascii')))}"
        if len(token) > MAX_TOKEN_BYTES:
            raise ValueError(f"the token would be over {MAX_TOKEN_BYTES} bytes")
        return token

    def _header(self, typ: str) -> str:
        """Write the header segment for one kind of token."""
        members = {"alg": self._key.algorithm, "kid": self._key.kid, "typ": typ}
        return base64url.encode(orjson.dumps(members))


class TokenVerifier:
    """Verifies tokens against a ring of keys; ``cache=None`` verifies each of them anew."""

    def __init__(
        self, keys: KeyRing, *, leeway: Leeway | None = None, cache: VerifiedTokens | None = None
    ) -> None:
        self._keys = keys
        self._leeway = leeway or Leeway()
        self._cache = cache

    def verify(
        self, token: str, *, typ: str, issuer: str, audience: str, now: float
    ) -> Mapping[str, Any]:
        """Give the claims of a token that holds at ``now`` (epoch seconds).

        Raises:
            TokenExpiredError: all holds, but its time is over.
            NotAuthenticatedError: anything else is wrong; what it is, is not told.
        """
        if self._cache is None or not within_bounds(token):
            return self._verify(token, typ=typ, issuer=issuer, audience=audience, now=now)
        key = self._cache.key(token, typ=typ, issuer=issuer, audience=audience)
        claims = self._cache.get(key, now=now)
        if claims is None:
            claims = self._verify(token, typ=typ, issuer=issuer, audience=audience, now=now)
            self._cache.put(key, claims, now=now, end=claims["exp"] + self._leeway.end)
        return claims

    def _verify(
        self, token: str, *, typ: str, issuer: str, audience: str, now: float
    ) -> Mapping[str, Any]:
        """Verify a token from the ground."""
        opened = open_token(token, self._keys.find)
        if (
            opened is None
            or not _same_typ(opened.header.get("typ"), typ)
            or faults(opened.claims)
            or not addressed_to(opened.claims, issuer=issuer, audience=audience)
            or now < start_of(opened.claims) - self._leeway.start
        ):
            raise NotAuthenticatedError("The token is not valid.")
        if now >= opened.claims["exp"] + self._leeway.end:
            raise TokenExpiredError("The token has expired.")
        return MappingProxyType(opened.claims)


def _same_typ(value: object, typ: str) -> bool:
    """Compare media types, which know no letter case (RFC 7515, section 4.1.9)."""
    return isinstance(value, str) and _short_typ(value) == _short_typ(typ)


def _short_typ(typ: str) -> str:
    """Leave out the ``application/`` that may stand before a media type."""
    return typ.lower().removeprefix("application/")

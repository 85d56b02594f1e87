"""Judging the claims of a token whose signature holds (RFC 7519, section 4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["REQUIRED", "addressed_to", "faults", "start_of"]

REQUIRED = ("iss", "aud", "sub", "jti", "iat", "exp")

# The last second of the year 9999, beyond which no calendar here goes.
_LATEST = 253_402_300_799


def faults(claims: Mapping[str, Any]) -> list[str]:
    """Name the claims that are missing or of the wrong type, in the order of ``REQUIRED``."""
    wrong = [name for name in ("iss", "sub", "jti") if not _is_text(claims.get(name))]
    wrong += [name for name in ("iat", "exp") if not _is_date(claims.get(name))]
    if not _is_audience(claims.get("aud")):
        wrong.append("aud")
    if "nbf" in claims and not _is_date(claims["nbf"]):
        wrong.append("nbf")
    return wrong


def addressed_to(claims: Mapping[str, Any], *, issuer: str, audience: str) -> bool:
    """Compare ``iss`` exactly, and ``aud`` exactly or by membership in its list."""
    intended = claims["aud"]
    return claims["iss"] == issuer and (
        intended == audience if isinstance(intended, str) else audience in intended
    )


def start_of(claims: Mapping[str, Any]) -> float:
    """Give the epoch second from which a token counts: the later of ``iat`` and ``nbf``."""
    return float(max(claims["iat"], claims.get("nbf", 0)))


def _is_text(value: object) -> bool:
    """Tell whether a value is a string with something in it."""
    return isinstance(value, str) and value != ""


def _is_audience(value: object) -> bool:
    """Tell whether a value is a string, or a list of at least one, all of them strings."""
    if isinstance(value, list):
        return bool(value) and all(_is_text(each) for each in value)
    return _is_text(value)


def _is_date(value: object) -> bool:
    """Tell whether a value is a NumericDate (RFC 7519, section 2) before the year 10000."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= _LATEST

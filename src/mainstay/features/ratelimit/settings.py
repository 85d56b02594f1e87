"""The settings of the rate limits."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from mainstay.core.settings import Names, Section
from mainstay.features.ratelimit.rates import Rate


def _authenticated(data: dict[str, Any]) -> str:
    return data["RATE_LIMIT_PER_MINUTE"] or "100/min"


def _unauthenticated(data: dict[str, Any]) -> str:
    return data["RATE_LIMIT_PER_MINUTE"] or "20/min"


class RateLimitSettings(Section):
    """How many requests a caller may make."""

    RATE_LIMIT_ENABLED: bool = True
    """Limit how often a caller may ask."""

    RATE_LIMIT_PER_MINUTE: Rate | None = None
    """Sets both general limits where they are not set themselves."""

    RATE_LIMIT_AUTHENTICATED: Rate = Field(default_factory=_authenticated)
    """Requests of one signed-in user; 100/min where nothing is set."""

    RATE_LIMIT_UNAUTHENTICATED: Rate = Field(default_factory=_unauthenticated)
    """Requests from one address without signing in; 20/min where nothing is set."""

    RATE_LIMIT_AUTH_ENDPOINTS: Rate = "5/min"
    """Passwords, codes and links sent from one address, beside the general limit."""

    RATE_LIMIT_LEGACY_HEADERS: Annotated[bool, Names("RATELIMIT_LEGACY_HEADERS")] = False
    """Send X-RateLimit-Limit, -Remaining and -Reset as well."""

"""Limits on how often a caller may ask: by user, by address, and on credentials."""

from mainstay.features.ratelimit.feature import feature
from mainstay.features.ratelimit.limiter import LocalRateLimiter
from mainstay.features.ratelimit.settings import RateLimitSettings

__all__ = ["LocalRateLimiter", "RateLimitSettings", "feature"]

"""The settings of the rate limits."""

from __future__ import annotations

import pytest

from mainstay.core.settings import SettingsError, load
from mainstay.features.ratelimit.settings import RateLimitSettings


def read(**environ: str) -> RateLimitSettings:
    return load([RateLimitSettings], environ=environ, env_file=None)[RateLimitSettings]


def test_the_defaults_limit() -> None:
    settings = read()
    assert settings.RATE_LIMIT_ENABLED
    assert settings.RATE_LIMIT_AUTHENTICATED == "100/min"
    assert settings.RATE_LIMIT_UNAUTHENTICATED == "20/min"
    assert settings.RATE_LIMIT_AUTH_ENDPOINTS == "5/min"
    assert not settings.RATE_LIMIT_LEGACY_HEADERS


def test_per_minute_sets_the_general_limits_that_are_not_set() -> None:
    settings = read(RATE_LIMIT_PER_MINUTE="60", RATE_LIMIT_AUTHENTICATED="5/sec")
    assert settings.RATE_LIMIT_AUTHENTICATED == "5/sec"
    assert settings.RATE_LIMIT_UNAUTHENTICATED == "60/min"
    assert settings.RATE_LIMIT_AUTH_ENDPOINTS == "5/min"


def test_an_alias_switches_the_legacy_headers_on() -> None:
    assert read(RATELIMIT_LEGACY_HEADERS="true").RATE_LIMIT_LEGACY_HEADERS


def test_a_wrong_rate_stops_the_start_once() -> None:
    with pytest.raises(SettingsError) as caught:
        read(RATE_LIMIT_PER_MINUTE="lots")
    (fault,) = caught.value.faults
    assert fault.name == "RATE_LIMIT_PER_MINUTE"
    assert fault.takes == "a rate such as 100/min, 5/sec or 1000/hour"

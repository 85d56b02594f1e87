"""What the feature brings."""

from __future__ import annotations

from typing import Any

from mainstay.core.ports import Ports
from mainstay.core.ratelimit import RateLimiter
from mainstay.core.settings import ApplicationSettings, Settings
from mainstay.features.ratelimit import LocalRateLimiter, RateLimitSettings, feature
from mainstay.features.ratelimit.middleware import RateLimits


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Stand for the next layer."""


def layer(**settings: Any) -> Any:
    ports = Ports(feature.provides)
    ports.add(Settings, Settings([ApplicationSettings(), RateLimitSettings(**settings)]))
    return feature.middleware[0].factory(application, ports)


def test_the_layer_runs_before_routing() -> None:
    assert feature.middleware[0].phase == "security"
    assert isinstance(layer(), RateLimits)


def test_switched_off_there_is_no_layer_at_all() -> None:
    assert layer(RATE_LIMIT_ENABLED=False) is application


def test_a_limiter_is_provided_once() -> None:
    ports = Ports(feature.provides)
    assert isinstance(ports[RateLimiter], LocalRateLimiter)
    assert ports[RateLimiter] is ports[RateLimiter]

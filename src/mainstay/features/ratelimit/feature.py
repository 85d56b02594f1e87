"""What the rate limits bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainstay.core.feature import Feature, Middleware
from mainstay.core.ports import Provide
from mainstay.core.principal import PrincipalResolver
from mainstay.core.ratelimit import RateLimiter
from mainstay.core.settings import ApplicationSettings, Settings
from mainstay.features.ratelimit.limiter import LocalRateLimiter
from mainstay.features.ratelimit.middleware import RateLimits
from mainstay.features.ratelimit.settings import RateLimitSettings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from mainstay.core.ports import Ports


def _layer(app: ASGIApp, ports: Ports) -> ASGIApp:
    """Wrap the application; with the limits switched off it stays as it is."""
    settings = ports[Settings]
    own = settings[RateLimitSettings]
    if not own.RATE_LIMIT_ENABLED:
        return app
    return RateLimits(
        app,
        limiter=ports[RateLimiter],
        settings=own,
        resolver=ports.get(PrincipalResolver),
        prefix=settings[ApplicationSettings].API_V1_PREFIX,
    )


feature = Feature(
    name="ratelimit",
    settings=(RateLimitSettings,),
    provides=(Provide(RateLimiter, lambda _: LocalRateLimiter()),),
    middleware=(Middleware(phase="security", factory=_layer),),
)

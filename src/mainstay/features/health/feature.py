"""What the health paths bring."""

from __future__ import annotations

from mainstay.core.feature import Feature, Mount
from mainstay.core.ports import Provide
from mainstay.features.health.router import root_router, router
from mainstay.features.health.service import Health, health_of
from mainstay.features.health.settings import HealthSettings

feature = Feature(
    name="health",
    settings=(HealthSettings,),
    routers=(Mount(router=router, at="both"), Mount(router=root_router, at="root")),
    provides=(Provide(Health, health_of),),
)

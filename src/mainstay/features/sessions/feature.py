"""What the sessions feature brings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from mainstay.core.db.engine import Database
from mainstay.core.db.unit import Units
from mainstay.core.feature import Feature, Mount
from mainstay.core.jobs import Job, JobRun
from mainstay.core.ports import Provide
from mainstay.core.principal import PrincipalResolver
from mainstay.core.settings import Settings
from mainstay.core.tokens import KeyRing
from mainstay.features.auth import SessionKeeper
from mainstay.features.rbac import RoleBook
from mainstay.features.sessions.access_tokens import AccessTokens
from mainstay.features.sessions.administration_router import administration_router
from mainstay.features.sessions.endings import subscribers
from mainstay.features.sessions.events import (
    EverybodySignedOut,
    RefreshRefused,
    RefreshTokenReused,
    SessionRefreshed,
    SessionsRevoked,
    SessionStarted,
)
from mainstay.features.sessions.last_seen import LastSeen
from mainstay.features.sessions.models import RefreshToken, SessionRow
from mainstay.features.sessions.principals import SessionPrincipals
from mainstay.features.sessions.purge import purge
from mainstay.features.sessions.rotation import Rotation
from mainstay.features.sessions.router import keys_router, router
from mainstay.features.sessions.service import SessionService
from mainstay.features.users import UserService

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from mainstay.core.ports import Ports


def _principals(ports: Ports) -> SessionPrincipals:
    return SessionPrincipals(
        settings=ports[Settings],
        database=ports[Database],
        access=ports[AccessTokens],
        book=ports[RoleBook],
        last_seen=ports[LastSeen],
    )


def _service(ports: Ports) -> SessionService:
    return SessionService(ports[Settings], ports[UserService], ports[AccessTokens])


def _rotation(ports: Ports) -> Rotation:
    return Rotation(ports[Settings], ports[Units], ports[SessionService])


def _lifespan(ports: Ports) -> AbstractAsyncContextManager[None]:
    return ports[LastSeen].running()


async def _purge(_: dict[str, Any], run: JobRun) -> None:
    await purge(run.session)


feature: Final = Feature(
    name="sessions",
    requires=("auth", "rbac", "users"),
    models=(SessionRow, RefreshToken),
    routers=(
        Mount(router=router),
        Mount(router=administration_router),
        Mount(router=keys_router, at="root"),
    ),
    provides=(
        Provide(PrincipalResolver, _principals),
        Provide(SessionKeeper, lambda ports: ports[SessionService]),
        Provide(SessionService, _service),
        Provide(Rotation, _rotation),
        Provide(AccessTokens, lambda ports: AccessTokens(ports[Settings], ports[KeyRing])),
        Provide(LastSeen, lambda ports: LastSeen(ports[Units])),
    ),
    events=(
        SessionStarted,
        SessionRefreshed,
        SessionsRevoked,
        EverybodySignedOut,
        RefreshRefused,
        RefreshTokenReused,
    ),
    subscribers=subscribers,
    jobs=(Job(name="sessions.purge", handler=_purge, every=timedelta(hours=1)),),
    lifespan=_lifespan,
)

"""What the auth feature brings."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from mainstay.core.db.unit import Units
from mainstay.core.events import Subscriber
from mainstay.core.feature import Feature, Mount
from mainstay.core.jobs import Job, JobQueue, JobRun
from mainstay.core.mail import Mailer
from mainstay.core.ports import Provide
from mainstay.core.roles import RoleDirectory
from mainstay.core.settings import Settings
from mainstay.features.auth import events, one_time
from mainstay.features.auth.administration_router import administration_router
from mainstay.features.auth.administrators import Administrators, administrator_from_settings
from mainstay.features.auth.credentials import Credentials
from mainstay.features.auth.errors import (
    EmailNotVerifiedError,
    InvalidCredentialsError,
    RegistrationClosedError,
    SetupDoneError,
)
from mainstay.features.auth.hashing import PasswordHasher, scheme_of
from mainstay.features.auth.invitations import invite
from mainstay.features.auth.link_pages import link_router
from mainstay.features.auth.links import Links
from mainstay.features.auth.mails import AccountMails
from mainstay.features.auth.models import LoginAttempts, OneTimeToken, UsernameClaim
from mainstay.features.auth.ports import SessionKeeper
from mainstay.features.auth.recovery import FORGOT_JOB, RESEND_JOB, Recovery
from mainstay.features.auth.recovery_router import recovery_router
from mainstay.features.auth.registration import RegistrationService
from mainstay.features.auth.router import router
from mainstay.features.auth.settings import AuthSettings
from mainstay.features.auth.setup import setup_router
from mainstay.features.auth.sign_in import SignIn
from mainstay.features.auth.throttle import Throttle
from mainstay.features.auth.welcome import add_welcome
from mainstay.features.users import UserCreated, UserService

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mainstay.core.ports import Ports


def _sign_in(ports: Ports) -> SignIn:
    return SignIn(
        settings=ports[Settings],
        units=ports[Units],
        credentials=ports[Credentials],
        throttle=ports[Throttle],
        sessions=ports[SessionKeeper],
    )


def _registration(ports: Ports) -> RegistrationService:
    return RegistrationService(
        settings=ports[Settings],
        users=ports[UserService],
        credentials=ports[Credentials],
        mails=ports[AccountMails],
    )


def _recovery(ports: Ports) -> Recovery:
    return Recovery(
        credentials=ports[Credentials],
        throttle=ports[Throttle],
        sessions=ports[SessionKeeper],
        mails=ports[AccountMails],
        queue=ports[JobQueue],
    )


async def _send_reset(payload: dict[str, Any], run: JobRun) -> None:
    await run.ports[Recovery].send_reset(payload, run)


async def _send_verification(payload: dict[str, Any], run: JobRun) -> None:
    await run.ports[Recovery].send_verification(payload, run)


def _administrators(ports: Ports) -> Administrators:
    return Administrators(
        settings=ports[Settings],
        users=ports[UserService],
        credentials=ports[Credentials],
        roles=ports[RoleDirectory],
    )


def _mails(ports: Ports) -> AccountMails:
    return AccountMails(ports[Settings], ports[Links], ports.get(Mailer))


def _hasher(ports: Ports) -> PasswordHasher:
    return PasswordHasher(scheme_of(ports[Settings][AuthSettings].PASSWORD_HASHER))


def _throttle(ports: Ports) -> Throttle:
    return Throttle(ports[Units], ports[Settings][AuthSettings])


@asynccontextmanager
async def _lifespan(ports: Ports) -> AsyncIterator[None]:
    add_welcome(ports)
    await administrator_from_settings(ports)
    try:
        yield
    finally:
        ports[PasswordHasher].close()


async def _purge(_: dict[str, Any], run: JobRun) -> None:
    await one_time.purge(run.session)


feature: Final = Feature(
    name="auth",
    requires=("users", "rbac"),
    needs=(SessionKeeper, JobQueue),
    settings=(AuthSettings,),
    models=(LoginAttempts, OneTimeToken, UsernameClaim),
    routers=(
        Mount(router=router),
        Mount(router=recovery_router),
        Mount(router=administration_router),
        Mount(router=setup_router, at="root"),
        Mount(router=link_router, at="root"),
    ),
    provides=(
        Provide(PasswordHasher, _hasher),
        Provide(Credentials, lambda p: Credentials(p[Settings], p[Units], p[PasswordHasher])),
        Provide(Throttle, _throttle),
        Provide(Links, lambda ports: Links(ports[Settings])),
        Provide(AccountMails, _mails),
        Provide(SignIn, _sign_in),
        Provide(RegistrationService, _registration),
        Provide(Administrators, _administrators),
        Provide(Recovery, _recovery),
    ),
    errors=(
        InvalidCredentialsError,
        EmailNotVerifiedError,
        RegistrationClosedError,
        SetupDoneError,
    ),
    events=(
        events.SignedIn,
        events.SignInFailed,
        events.AccountLocked,
        events.AccountUnlocked,
        events.RegistrationRefused,
        events.OneTimeTokenRefused,
        events.EmailVerified,
        events.PasswordResetRequested,
        events.PasswordChanged,
        events.RegistrationRepeated,
        events.Reauthenticated,
        events.ReauthenticationFailed,
        events.EmailChangeRequested,
        events.EmailChanged,
    ),
    subscribers=(Subscriber(event=UserCreated, handler=invite, name="auth.invite"),),
    jobs=(
        Job(name="auth.purge", handler=_purge, every=timedelta(hours=1)),
        Job(name=FORGOT_JOB, handler=_send_reset),
        Job(name=RESEND_JOB, handler=_send_verification),
    ),
    lifespan=_lifespan,
)

"""The first administrator: by a one-time link, by settings, or by a command."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import SQLAlchemyError

from mainstay.core.db.unit import Units
from mainstay.core.errors import FieldError, ProblemError, ValidationFailedError
from mainstay.core.logging import get_logger
from mainstay.core.roles import RoleDirectory
from mainstay.core.settings import ApplicationSettings
from mainstay.features.auth import one_time
from mainstay.features.auth.errors import SetupDoneError
from mainstay.features.users import case_blind, find_by_email

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.ports import Ports
    from mainstay.core.settings import Settings
    from mainstay.features.auth.credentials import Credentials
    from mainstay.features.users import User, UserService

_log = get_logger("mainstay.auth")
ROLE: Final = "superadmin"
LINK_LIFETIME: Final = timedelta(minutes=30)
_SHORTEST_NAME: Final = 3


class Administrators:
    """Makes administrators, and says whether there is one."""

    def __init__(
        self,
        *,
        settings: Settings,
        users: UserService,
        credentials: Credentials,
        roles: RoleDirectory,
    ) -> None:
        self._settings = settings[ApplicationSettings]
        self._users = users
        self._credentials = credentials
        self._roles = roles

    async def exists(self, session: AsyncSession) -> bool:
        """Say whether anybody is superadmin."""
        return bool(await self._roles.holders(session, ROLE))

    async def create(
        self,
        session: AsyncSession,
        *,
        email: str,
        password: str,
        how: str,
        username: str | None = None,
    ) -> User:
        """Make an administrator with a proved address.

        Raises:
            ValidationFailedError: the password does not meet the policy.
            AlreadyExistsError: the address or the username is taken.
        """
        name = username or name_from(email)
        password_hash = await self._credentials.make(password, email=email, username=name)
        return await self._users.create(
            session,
            email=email,
            username=name,
            how=how,
            roles=(ROLE,),
            password_hash=password_hash,
            email_verified=True,
        )

    async def setup_token(self, session: AsyncSession) -> str | None:
        """Give a one-time token to make the first administrator with; None once there is one."""
        if await self.exists(session):
            return None
        return await one_time.issue(session, "setup", lifetime=LINK_LIFETIME)

    async def set_up(
        self,
        session: AsyncSession,
        *,
        token: str,
        email: str,
        password: str,
        username: str | None,
    ) -> User:
        """Make the first administrator with a one-time token.

        Raises:
            SetupDoneError: there is one already.
            TokenInvalidError: the token does not hold.
        """
        await self._require_none(session)
        await one_time.take_turns(session, "setup")
        await self._require_none(session)
        await one_time.redeem(session, "setup", token)
        return await self.create(
            session, email=email, password=password, username=username, how="setup"
        )

    async def _require_none(self, session: AsyncSession) -> None:
        if await self.exists(session):
            msg = "Sign in as the administrator, or run `mainstay createsuperuser`."
            raise SetupDoneError(msg)

    async def from_settings(self, session: AsyncSession) -> User | None:
        """Make the administrator that SUPERUSER_EMAIL and SUPERUSER_PASSWORD name, once."""
        email, secret = self._settings.SUPERUSER_EMAIL, self._settings.SUPERUSER_PASSWORD
        if not email or secret is None or await self.exists(session):
            return None
        if await find_by_email(session, email) is not None:
            fault = FieldError(
                parameter="SUPERUSER_EMAIL",
                code="already_exists",
                detail="A user who is no administrator has this address.",
            )
            raise ValidationFailedError(errors=[fault])
        return await self.create(
            session, email=email, password=secret.get_secret_value(), how="settings"
        )


async def administrator_from_settings(ports: Ports) -> None:
    """Make the administrator that the settings name, where that can be done at this start.

    Whatever is wrong is logged and keeps nobody from being served: several processes may start at
    once, the database may still be away, or the password may not do.
    """
    try:
        async with ports[Units].transaction() as session:
            user = await ports[Administrators].from_settings(session)
    except ProblemError as error:
        reasons = [fault.detail for fault in error.errors] or [error.detail or error.title]
        _log.error("administrator.not_made", reason=" ".join(reasons))
    except SQLAlchemyError as error:
        _log.warning("administrator.not_made", reason=type(error).__name__)
    else:
        if user is not None:
            _log.info("administrator.made", email=user.email)


def name_from(email: str) -> str:
    """Give a username made from an address."""
    local = "".join(c for c in email.partition("@")[0] if c.isalnum() or c in "._-").strip("._-")
    name = case_blind(local)[:50]
    return name if len(name) >= _SHORTEST_NAME else f"{name}-admin".strip("-")

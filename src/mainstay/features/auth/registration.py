"""Making an account, and proving its address."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from mainstay.core.events import outlive, publish
from mainstay.core.roles import DEFAULT_ROLE
from mainstay.features.auth import one_time
from mainstay.features.auth.errors import RegistrationClosedError
from mainstay.features.auth.events import (
    EmailVerified,
    RegistrationRefused,
    RegistrationRepeated,
)
from mainstay.features.auth.models import UsernameClaim
from mainstay.features.auth.schemas import Registration
from mainstay.features.auth.settings import AuthSettings
from mainstay.features.users import (
    RoleNotAssignableError,
    User,
    case_blind,
    find_by_email,
    find_by_id,
    taken_error,
)
from mainstay.kit.clock import now
from mainstay.kit.ids import new_id

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.settings import Settings
    from mainstay.features.auth.credentials import Credentials
    from mainstay.features.auth.mails import AccountMails
    from mainstay.features.users import UserService

CLAIM: Final = timedelta(days=7)
_NOT_PROFILE: Final = {"email", "username", "password", "role"}


class RegistrationService:
    """Makes accounts that people ask for themselves."""

    def __init__(
        self,
        *,
        settings: Settings,
        users: UserService,
        credentials: Credentials,
        mails: AccountMails,
    ) -> None:
        self._settings = settings[AuthSettings]
        self._users = users
        self._credentials = credentials
        self._mails = mails

    @property
    def verification_comes_first(self) -> bool:
        """Whether people get in only once their address is proved."""
        return self._settings.REQUIRE_EMAIL_VERIFICATION

    async def register(self, session: AsyncSession, wanted: Registration) -> User | None:
        """Make an account, and mail its owner a link that proves the address.

        Gives None where verification comes first and the address has an account: its owner gets a
        mail instead, and the caller cannot tell the difference.

        Raises:
            RegistrationClosedError: people cannot register themselves.
            RoleNotAssignableError: another role than the default was asked for.
            ValidationFailedError: the password does not meet the policy.
            AlreadyExistsError: the username, or without verification the address, is taken.
        """
        if not self._settings.REGISTRATION_ENABLED:
            outlive(session, RegistrationRefused(reason="closed"))
            raise RegistrationClosedError
        if wanted.role != DEFAULT_ROLE:
            outlive(session, RegistrationRefused(reason="role"))
            msg = "Register without a role. An administrator can give you one."
            raise RoleNotAssignableError(msg)
        password_hash = await self._credentials.make(
            wanted.password, email=wanted.email, username=wanted.username
        )
        if not self.verification_comes_first:
            return await self._create(session, wanted, wanted.email, password_hash)
        await self._claim(session, wanted.username)
        owner = await find_by_email(session, wanted.email)
        if owner is None:
            return await self._create(session, wanted, wanted.email, password_hash)
        await self._pretend(session, wanted, password_hash)
        await self._mails.registration_attempt(session, owner)
        await publish(session, RegistrationRepeated(target_id=owner.id))
        return None

    async def _create(
        self, session: AsyncSession, wanted: Registration, email: str, password_hash: str
    ) -> User:
        user = await self._users.create(
            session,
            email=email,
            username=wanted.username,
            how="register",
            password_hash=password_hash,
            **wanted.model_dump(exclude=_NOT_PROFILE),
        )
        await self._mails.verification(session, user)
        return user

    async def _pretend(
        self, session: AsyncSession, wanted: Registration, password_hash: str
    ) -> None:
        """Do the same work as for a new address, and undo it: both answers take as long."""
        savepoint = await session.begin_nested()
        await self._create(session, wanted, f"{new_id()}@example.com", password_hash)
        await savepoint.rollback()

    async def _claim(self, session: AsyncSession, username: str) -> None:
        """Claim a name; one that somebody has, or has asked for, is taken."""
        key = case_blind(username)
        user = await session.scalar(select(User.id).where(User.username_key == key))
        claim = await session.get(UsernameClaim, key)
        if user is not None or (claim is not None and claim.expires_at > now()):
            raise taken_error({"username"})
        if claim is not None:
            claim.expires_at = now() + CLAIM
            return
        try:
            await session.execute(
                insert(UsernameClaim).values(username_key=key, expires_at=now() + CLAIM)
            )
        except IntegrityError:
            raise taken_error({"username"}) from None

    async def verify_email(self, session: AsyncSession, token: str) -> None:
        """Note that an address is proved.

        Raises:
            TokenInvalidError: the token does not hold, or the address has changed since.
        """
        row = await one_time.redeem(session, "verify_email", token)
        user = await find_by_id(session, row.user_id or "")
        if user is None or user.email_key != row.subject:
            raise one_time.refused(session, "verify_email")
        if not user.email_verified:
            user.email_verified = True
            await session.flush()
            await publish(session, EmailVerified(actor_id=user.id, target_id=user.id))

"""Signing in with a password. Every refusal looks and lasts alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from sqlalchemy import update

from mainstay.core.db.single_use import spend
from mainstay.core.events import Event, publish
from mainstay.features.auth.errors import EmailNotVerifiedError, InvalidCredentialsError
from mainstay.features.auth.events import AccountLocked, SignedIn, SignInFailed
from mainstay.features.auth.settings import AuthSettings
from mainstay.features.auth.standing import may_sign_in
from mainstay.features.auth.throttle import Attempt, account_key
from mainstay.features.users import User
from mainstay.kit.clock import now

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.db.unit import Units
    from mainstay.core.settings import Settings
    from mainstay.features.auth.credentials import Credentials
    from mainstay.features.auth.ports import SessionKeeper
    from mainstay.features.auth.schemas import Tokens
    from mainstay.features.auth.throttle import Throttle


class SignIn:
    """Lets people in by their password."""

    def __init__(
        self,
        *,
        settings: Settings,
        units: Units,
        credentials: Credentials,
        throttle: Throttle,
        sessions: SessionKeeper,
    ) -> None:
        self._settings = settings[AuthSettings]
        self._units = units
        self._credentials = credentials
        self._throttle = throttle
        self._sessions = sessions

    async def with_password(
        self, session: AsyncSession, identifier: str, password: str, *, ip: str | None
    ) -> Tokens:
        """Start a session for whoever knows the password.

        The request's session is touched only once the password was right, since the counting of
        attempts has transactions of its own, which outlive a refusal.

        Raises:
            InvalidCredentialsError: wrong, unknown, disabled and locked alike.
            EmailNotVerifiedError: the password was right, but the address is not proved.
            OverloadedError: too many passwords are being verified.
        """
        user = await self._credentials.find_by_name(identifier)
        account = account_key(user.id if user else None, identifier)
        attempt = await self._throttle.admit(account, ip)
        stored = user.password_hash if user is not None and attempt.admitted else None
        result = await self._credentials.compare(
            password, stored, attempt=attempt, throttle=self._throttle
        )
        if user is None or not attempt.admitted or not result.ok or not user.is_active:
            await self._refuse(user, attempt, right=result.ok)
        if not may_sign_in(user, self._settings):
            await self._note(SignInFailed(target_id=user.id, reason="email_not_verified"))
            msg = "Follow the link in the mail that was sent to you, or ask for a new one."
            raise EmailNotVerifiedError(msg)
        if result.needs_rehash:
            upgraded = await self._credentials.hasher.hash(password)
            await self._credentials.store(session, user.id, upgraded)
        await self._throttle.succeeded(session, attempt)
        return await self.let_in(session, user, method="password")

    async def let_in(self, session: AsyncSession, user: User, *, method: str) -> Tokens:
        """Start a session for somebody who has proved who they are in some way.

        Raises:
            InvalidCredentialsError: the account has been deactivated or deleted meanwhile.
        """
        user = await session.merge(user, load=False)
        moment = now()
        still_there = await spend(
            session,
            update(User)
            .where(User.id == user.id, User.is_active)
            .values(last_login_at=moment, version=User.version + 1, updated_at=User.updated_at),
        )
        if not still_there:
            msg = "Check the username and the password."
            raise InvalidCredentialsError(msg)
        await session.refresh(user)
        await publish(session, SignedIn(actor_id=user.id, target_id=user.id, method=method))
        return await self._sessions.start(session, user)

    async def _refuse(self, user: User | None, attempt: Attempt, *, right: bool) -> NoReturn:
        reason = "unknown_account"
        if user is not None:
            reason = "locked" if not attempt.admitted else "disabled" if right else "password"
        target = user.id if user is not None else None
        events: list[Event] = [SignInFailed(target_id=target, reason=reason)]
        if attempt.last and user is not None:
            events.append(AccountLocked(target_id=target))
        await self._note(*events)
        msg = "Check the username and the password."
        raise InvalidCredentialsError(msg)

    async def _note(self, *events: Event) -> None:
        async def work(session: AsyncSession) -> None:
            for event in events:
                await publish(session, event)

        await self._units.run(work)

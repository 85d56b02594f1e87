"""Getting back in, and changing what one gets in with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mainstay.core.errors import AlreadyExistsError, FieldError, PasswordIncorrectError
from mainstay.core.events import outlive, publish
from mainstay.features.auth import one_time
from mainstay.features.auth.errors import InvalidCredentialsError
from mainstay.features.auth.events import (
    AccountLocked,
    EmailChanged,
    EmailChangeRequested,
    PasswordChanged,
    PasswordResetRequested,
    Reauthenticated,
    ReauthenticationFailed,
)
from mainstay.features.users import case_blind, find_by_email, find_by_id

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.jobs import JobQueue, JobRun
    from mainstay.core.principal import Principal
    from mainstay.features.auth.credentials import Credentials
    from mainstay.features.auth.mails import AccountMails
    from mainstay.features.auth.ports import SessionKeeper
    from mainstay.features.auth.throttle import Throttle
    from mainstay.features.users import User

FORGOT_JOB: Final = "auth.forgot_password"
RESEND_JOB: Final = "auth.resend_verification"


class Recovery:
    """Resets, changes and proves."""

    def __init__(
        self,
        *,
        credentials: Credentials,
        throttle: Throttle,
        sessions: SessionKeeper,
        mails: AccountMails,
        queue: JobQueue,
    ) -> None:
        self._credentials = credentials
        self._throttle = throttle
        self._sessions = sessions
        self._mails = mails
        self._queue = queue

    async def ask(self, session: AsyncSession, job: str, email: str) -> None:
        """Put off all work to a job: an address with an account costs what another one does."""
        await self._queue.enqueue(session, job, {"email": email})

    async def send_reset(self, payload: dict[str, Any], run: JobRun) -> None:
        """Mail a link to reset the password, where there is such an account."""
        user = await find_by_email(run.session, payload["email"])
        if user is None or not user.is_active:
            return
        if await one_time.may_mail(run.session, user.id, "reset_password"):
            await self._mails.password_reset(run.session, user)
            await publish(run.session, PasswordResetRequested(target_id=user.id))

    async def send_verification(self, payload: dict[str, Any], run: JobRun) -> None:
        """Mail a link to prove the address, where that is still to do."""
        user = await find_by_email(run.session, payload["email"])
        if user is None or user.email_verified or not user.is_active:
            return
        if await one_time.may_mail(run.session, user.id, "verify_email"):
            await self._mails.verification(run.session, user)

    async def reset(self, session: AsyncSession, token: str, password: str) -> None:
        """Set a new password with the token of a mail; nobody is signed in by that.

        Raises:
            TokenInvalidError: the token does not hold.
            ValidationFailedError: the password does not meet the policy.
        """
        row = await one_time.redeem(session, "reset_password", token)
        user = await find_by_id(session, row.user_id or "")
        if user is None or user.email_key != row.subject:
            raise one_time.refused(session, "reset_password")
        await self._set(session, user, password, how="reset")
        await self._throttle.clear(session, user.id)
        await self._sessions.end_all(session, user.id, because="password_reset")
        await self._mails.password_was_reset(session, user)

    async def accept_invitation(self, session: AsyncSession, token: str, password: str) -> None:
        """Set the first password with the token of an invitation, which proves the address too.

        Raises:
            TokenInvalidError: the token does not hold.
            ValidationFailedError: the password does not meet the policy.
        """
        row = await one_time.redeem(session, "invitation", token)
        user = await find_by_id(session, row.user_id or "")
        if user is None or user.email_key != row.subject:
            raise one_time.refused(session, "invitation")
        user.email_verified = True
        await self._set(session, user, password, how="invitation")

    async def _set(self, session: AsyncSession, user: User, password: str, *, how: str) -> None:
        password_hash = await self._credentials.make(
            password, email=user.email, username=user.username, pointer="#/new_password"
        )
        await self._credentials.store(session, user.id, password_hash)
        await one_time.void(session, user.id, "reset_password", "change_email")
        await publish(session, PasswordChanged(target_id=user.id, how=how))

    async def prove(
        self, session: AsyncSession, principal: Principal, password: str, ip: str | None
    ) -> bool:
        """Say whether this is the caller's password; counts as an attempt, and notes a failure."""
        attempt = await self._throttle.admit(principal.id, ip)
        user = await self._credentials.find(principal.id)
        stored = user.password_hash if user is not None and attempt.admitted else None
        result = await self._credentials.compare(
            password, stored, attempt=attempt, throttle=self._throttle
        )
        if result.ok:
            await self._throttle.take_back(attempt)
            return True
        reason = "password" if attempt.admitted else "locked"
        outlive(session, ReauthenticationFailed(target_id=principal.id, reason=reason))
        if attempt.last:
            outlive(session, AccountLocked(target_id=principal.id))
        return False

    async def _require_password(
        self,
        session: AsyncSession,
        principal: Principal,
        password: str,
        *,
        member: str,
        ip: str | None,
    ) -> User:
        """Give the caller's row where this is their password, sent in that member."""
        proved = await self.prove(session, principal, password, ip)
        user = await find_by_id(session, principal.id)
        if not proved or user is None:
            fault = FieldError(pointer=f"#/{member}", code="password_incorrect", detail="Wrong.")
            msg = "Send the present password, or reset it by mail."
            raise PasswordIncorrectError(msg, errors=[fault])
        return user

    async def change_password(
        self, session: AsyncSession, principal: Principal, *, old: str, new: str, ip: str | None
    ) -> None:
        """Set another password for who knows the present one; other sessions end.

        Raises:
            PasswordIncorrectError: the present password is wrong.
            ValidationFailedError: the new one does not meet the policy.
        """
        user = await self._require_password(session, principal, old, member="old_password", ip=ip)
        await self._set(session, user, new, how="change")
        await self._sessions.end_all(
            session, user.id, because="password_changed", keep=principal.session_id
        )
        await self._mails.password_was_changed(session, user)

    async def reauthenticate(
        self, session: AsyncSession, principal: Principal, password: str, ip: str | None
    ) -> None:
        """Note a fresh proof of who the caller is.

        Raises:
            InvalidCredentialsError: the password is wrong.
        """
        if not await self.prove(session, principal, password, ip):
            msg = "Check the password."
            raise InvalidCredentialsError(msg)
        if principal.session_id is not None:
            await self._sessions.proved(session, principal.session_id)
        await publish(session, Reauthenticated(target_id=principal.id))

    async def ask_email_change(
        self,
        session: AsyncSession,
        principal: Principal,
        *,
        email: str,
        password: str,
        ip: str | None,
    ) -> None:
        """Mail a link to the new address, and a notice to the old one; nothing changes yet.

        A taken address gets no link, and the caller is not told.

        Raises:
            PasswordIncorrectError: the password is wrong.
        """
        user = await self._require_password(session, principal, password, member="password", ip=ip)
        if not await one_time.may_mail(session, user.id, "change_email"):
            return
        await one_time.void(session, user.id, "change_email")
        if await find_by_email(session, email) is None:
            await self._mails.email_change(session, user, email)
        await self._mails.email_change_notice(session, user, email)
        await publish(session, EmailChangeRequested(target_id=user.id))

    async def confirm_email_change(self, session: AsyncSession, token: str) -> None:
        """Make the new address the account's, and void what was sent to the old one.

        Raises:
            TokenInvalidError: the token does not hold.
            AlreadyExistsError: somebody has taken the address in the meantime.
        """
        row = await one_time.redeem(session, "change_email", token)
        user = await find_by_id(session, row.user_id or "")
        if user is None or row.subject is None:
            raise one_time.refused(session, "change_email")
        if await find_by_email(session, row.subject) is not None:
            msg = "Choose another address; this one has an account."
            raise AlreadyExistsError(msg)
        user.email, user.email_key, user.email_verified = row.subject, case_blind(row.subject), True
        await session.flush()
        await one_time.void(session, user.id, "verify_email", "reset_password", "change_email")
        await publish(session, EmailChanged(target_id=user.id))

"""The mails of accounts: each is written in the transaction of what it tells about."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from mainstay.core.logging import get_logger
from mainstay.features.auth import one_time
from mainstay.features.auth.settings import AuthSettings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.mail import Mailer
    from mainstay.core.settings import Settings
    from mainstay.features.auth.links import Links
    from mainstay.features.users import User

INVITATION_DAYS: Final = 7
_log = get_logger("mainstay.auth")


class AccountMails:
    """Writes mails to account owners. Without a mailer they are left out, with a log line."""

    def __init__(self, settings: Settings, links: Links, mailer: Mailer | None) -> None:
        self._settings = settings[AuthSettings]
        self._links = links
        self._mailer = mailer

    async def _send(
        self,
        session: AsyncSession,
        template: str,
        user: User,
        *,
        to: str | None = None,
        **more: Any,
    ) -> None:
        if self._mailer is None:
            _log.warning("mail.not_sent", template=template, reason="the mail feature is disabled")
            return
        context = {"username": user.username, **more}
        await self._mailer.send(session, template=template, to=to or user.email, context=context)

    async def _link(
        self,
        session: AsyncSession,
        user: User,
        purpose: one_time.Purpose,
        *,
        page: str,
        minutes: int,
        subject: str | None = None,
    ) -> str:
        token = await one_time.issue(
            session,
            purpose,
            lifetime=timedelta(minutes=minutes),
            user_id=user.id,
            subject=subject or user.email_key,
        )
        return self._links.to(page, token)

    async def verification(self, session: AsyncSession, user: User) -> None:
        """Send the link that proves an address."""
        minutes = self._settings.EMAIL_VERIFICATION_EXPIRE_MINUTES
        link = await self._link(session, user, "verify_email", page="verify-email", minutes=minutes)
        await self._send(session, "verify_email", user, url=link, lifetime=minutes)

    async def registration_attempt(self, session: AsyncSession, user: User) -> None:
        """Tell the owner of an address that somebody registered with it."""
        await self._send(session, "registration_attempt", user)

    async def password_reset(self, session: AsyncSession, user: User) -> None:
        """Send the link that resets a password."""
        minutes = self._settings.PASSWORD_RESET_TOKEN_EXPIRE_MINUTES
        link = await self._link(
            session, user, "reset_password", page="reset-password", minutes=minutes
        )
        await self._send(session, "password_reset", user, url=link, lifetime=minutes)

    async def password_was_reset(self, session: AsyncSession, user: User) -> None:
        """Tell that a password was reset."""
        await self._send(session, "password_reset_success", user)

    async def password_was_changed(self, session: AsyncSession, user: User) -> None:
        """Tell that a password was changed."""
        await self._send(session, "password_change_success", user)

    async def email_change(self, session: AsyncSession, user: User, email: str) -> None:
        """Send the link that makes a new address the account's, to that address."""
        minutes = self._settings.EMAIL_VERIFICATION_EXPIRE_MINUTES
        link = await self._link(
            session, user, "change_email", page="change-email", minutes=minutes, subject=email
        )
        await self._send(session, "email_change", user, to=email, url=link, lifetime=minutes)

    async def email_change_notice(self, session: AsyncSession, user: User, email: str) -> None:
        """Tell the old address that a new one was asked for."""
        await self._send(session, "email_change_notice", user, new_email=email)

    async def invitation(self, session: AsyncSession, user: User) -> None:
        """Send the link with which an invited person sets a password."""
        link = await self._link(
            session,
            user,
            "invitation",
            page="accept-invitation",
            minutes=INVITATION_DAYS * 24 * 60,
        )
        await self._send(session, "invitation", user, url=link, lifetime=INVITATION_DAYS * 24 * 60)

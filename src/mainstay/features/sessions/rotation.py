"""Refreshing: each use gives a new token, and a spent one gives the session away (RFC 9700, 4.14).

Whoever presents a spent token within the grace window gets the same successor again: that is an
honest client whose answer was lost, or a second tab. Later it can only be a copy, and the session
ends for both. All this has a transaction of its own, which outlives the refusal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import update

from mainstay.core.db.single_use import affected, spend
from mainstay.core.errors import NotAuthenticatedError, TokenExpiredError, TokenRevokedError
from mainstay.core.events import publish
from mainstay.features.auth import AuthSettings, may_sign_in
from mainstay.features.sessions import repository
from mainstay.features.sessions.events import (
    RefreshRefused,
    RefreshTokenReused,
    SessionRefreshed,
)
from mainstay.features.sessions.models import RefreshToken, SessionRow
from mainstay.features.sessions.service import has_ended
from mainstay.features.users import User
from mainstay.kit.clock import now
from mainstay.kit.sealing import SealBrokenError, seal, unseal
from mainstay.kit.tokens import digest, new_token

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.db.unit import Units
    from mainstay.core.settings import Settings
    from mainstay.features.auth import Tokens
    from mainstay.features.sessions.service import SessionService


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A refusal whose traces are to be committed before it is raised."""

    error: NotAuthenticatedError


class Rotation:
    """Spends refresh tokens."""

    def __init__(self, settings: Settings, units: Units, sessions: SessionService) -> None:
        self._settings = settings[AuthSettings]
        self._grace = timedelta(seconds=self._settings.REFRESH_GRACE_SECONDS)
        self._units = units
        self._sessions = sessions

    async def refresh(self, token: str) -> Tokens:
        """Give new tokens for a refresh token.

        Raises:
            NotAuthenticatedError: it is none, or of a session that has ended.
        """
        successor = new_token()

        async def work(session: AsyncSession) -> Tokens | _Refusal:
            return await self._rotate(session, token, successor)

        outcome = await self._units.run(work)
        if isinstance(outcome, _Refusal):
            raise outcome.error
        return outcome

    async def _rotate(self, session: AsyncSession, token: str, successor: str) -> Tokens | _Refusal:
        spent_here = await spend(
            session,
            update(RefreshToken)
            .where(RefreshToken.digest == digest(token), RefreshToken.spent_at.is_(None))
            .values(spent_at=now(), successor=seal(token, successor)),
        )
        found = await repository.refresh_token(session, digest(token))
        if found is None:
            unknown = NotAuthenticatedError("The refresh token is not valid.")
            return await _refuse(session, unknown, "unknown")
        row = await session.get(SessionRow, found.session_id)
        user = await session.get(User, row.user_id) if row else None
        if row is None or user is None or has_ended(row, now()):
            ended = TokenRevokedError("The session has ended. Sign in again.")
            return await _refuse(session, ended, "session_ended", row)
        if not may_sign_in(user, self._settings):
            barred = TokenRevokedError("The account cannot sign in.")
            return await _refuse(session, barred, "account", row)
        if not spent_here:
            return await self._again(session, token, found, row, user)
        if found.expires_at <= now():
            expired = TokenExpiredError("The refresh token has expired. Sign in again.")
            return await _refuse(session, expired, "expired", row)
        await self._sessions.add_refresh_token(session, row, successor)
        return await self._answer(session, row, user, successor)

    async def _again(
        self, session: AsyncSession, token: str, found: RefreshToken, row: SessionRow, user: User
    ) -> Tokens | _Refusal:
        """Deal with a token that was spent before."""
        fresh = found.spent_at is not None and now() - found.spent_at <= self._grace
        if fresh and self._grace and found.successor is not None:
            try:
                return await self._answer(session, row, user, unseal(token, found.successor))
            except SealBrokenError:
                pass
        await affected(
            session,
            update(SessionRow)
            .where(SessionRow.id == row.id, SessionRow.revoked_at.is_(None))
            .values(revoked_at=now(), revoked_because="refresh_reused"),
        )
        event = RefreshTokenReused(actor_id=user.id, target_id=user.id, session_id=row.id)
        await publish(session, event)
        return _Refusal(TokenRevokedError("The session has ended. Sign in again."))

    async def _answer(
        self, session: AsyncSession, row: SessionRow, user: User, successor: str
    ) -> Tokens:
        row.last_seen_at = now()
        event = SessionRefreshed(actor_id=user.id, target_id=user.id, session_id=row.id)
        await publish(session, event)
        return await self._sessions.tokens(session, row, user, successor)


async def _refuse(
    session: AsyncSession, error: NotAuthenticatedError, reason: str, row: SessionRow | None = None
) -> _Refusal:
    """Note why a token is refused."""
    user_id, session_id = (row.user_id, row.id) if row is not None else (None, None)
    event = RefreshRefused(target_id=user_id, reason=reason, session_id=session_id)
    await publish(session, event)
    return _Refusal(error)

"""The rules of sessions: started by a sign-in, kept by rotation, ended at once everywhere."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert, update

from mainstay.core.db.single_use import affected, spend
from mainstay.core.errors import NotFoundError
from mainstay.core.events import publish
from mainstay.core.origin import current_origin
from mainstay.features.auth import AuthSettings, Tokens
from mainstay.features.sessions import repository
from mainstay.features.sessions.events import (
    EverybodySignedOut,
    SessionsRevoked,
    SessionStarted,
)
from mainstay.features.sessions.models import RefreshToken, SessionRow
from mainstay.kit.clock import now
from mainstay.kit.tokens import digest, new_token

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.settings import Settings
    from mainstay.features.sessions.access_tokens import AccessTokens
    from mainstay.features.users import User, UserService


class SessionService:
    """Starts, lists and ends sessions."""

    def __init__(self, settings: Settings, users: UserService, access: AccessTokens) -> None:
        auth = settings[AuthSettings]
        self._lifetime = timedelta(minutes=auth.REFRESH_TOKEN_EXPIRE_MINUTES)
        self._idle = timedelta(minutes=auth.REFRESH_IDLE_MINUTES)
        self._users = users
        self._access = access

    async def start(self, session: AsyncSession, user: User) -> Tokens:
        """Start a session for somebody who has just proved who they are."""
        moment, origin = now(), current_origin()
        row = SessionRow(
            user_id=user.id,
            created_at=moment,
            authenticated_at=moment,
            last_seen_at=moment,
            expires_at=moment + self._lifetime,
            ip=origin.ip,
            user_agent=origin.user_agent,
        )
        session.add(row)
        await session.flush()
        refresh = await self.add_refresh_token(session, row)
        event = SessionStarted(actor_id=user.id, target_id=user.id, session_id=row.id)
        await publish(session, event)
        return await self.tokens(session, row, user, refresh)

    async def add_refresh_token(
        self, session: AsyncSession, row: SessionRow, token: str | None = None
    ) -> str:
        """Write a refresh token's row, of the given token or of a new one, and give the token."""
        token = token or new_token()
        moment = now()
        await session.execute(
            insert(RefreshToken).values(
                digest=digest(token),
                session_id=row.id,
                created_at=moment,
                expires_at=min(row.expires_at, moment + self._idle),
            )
        )
        return token

    async def tokens(
        self, session: AsyncSession, row: SessionRow, user: User, refresh: str
    ) -> Tokens:
        """Give the answer with a fresh access token and this refresh token."""
        view = await self._users.view(session, user)
        minted = self._access.mint(
            user_id=user.id, session_id=row.id, role=view.role, session_end=row.expires_at
        )
        return Tokens(
            access_token=minted.token,
            refresh_token=refresh,
            expires_in=minted.expires_in,
            user=view,
        )

    async def end(self, session: AsyncSession, session_id: str, user_id: str) -> None:
        """End one of a user's sessions.

        Raises:
            NotFoundError: it is not theirs, or has ended already.
        """
        row = await repository.own_live(session, session_id, user_id)
        if row is None or not await self._revoke_one(session, row.id, "logout"):
            raise NotFoundError
        event = SessionsRevoked(target_id=user_id, session_ids=(row.id,), because="logout")
        await publish(session, event)

    async def _revoke_one(self, session: AsyncSession, session_id: str, because: str) -> bool:
        return await spend(
            session,
            update(SessionRow)
            .where(SessionRow.id == session_id, SessionRow.revoked_at.is_(None))
            .values(revoked_at=now(), revoked_because=because),
        )

    async def end_all(
        self, session: AsyncSession, user_id: str, *, because: str, keep: str | None = None
    ) -> int:
        """End all of a user's sessions, but the one to keep; gives how many."""
        rows = await session.scalars(repository.live_of_user(user_id))
        live = [row.id for row in rows if row.id != keep]
        if not live:
            return 0
        ended = await affected(
            session,
            update(SessionRow)
            .where(SessionRow.id.in_(live), SessionRow.revoked_at.is_(None))
            .values(revoked_at=now(), revoked_because=because),
        )
        event = SessionsRevoked(target_id=user_id, session_ids=tuple(live), because=because)
        await publish(session, event)
        return ended

    async def end_everybodys(self, session: AsyncSession, *, keep: str | None = None) -> int:
        """End the sessions of all users, but the one to keep; gives how many."""
        moment = now()
        live = update(SessionRow).where(
            SessionRow.revoked_at.is_(None), SessionRow.expires_at > moment
        )
        if keep is not None:
            live = live.where(SessionRow.id != keep)
        values = {"revoked_at": moment, "revoked_because": "everybody"}
        ended = await affected(session, live.values(values))
        await publish(session, EverybodySignedOut(revoked=ended, kept=keep))
        return ended

    async def proved(self, session: AsyncSession, session_id: str) -> None:
        """Note that the session's owner has just proved again who they are."""
        await affected(
            session,
            update(SessionRow).where(SessionRow.id == session_id).values(authenticated_at=now()),
        )


def has_ended(row: SessionRow, moment: datetime) -> bool:
    """Say whether a session is over."""
    return row.revoked_at is not None or row.expires_at <= moment

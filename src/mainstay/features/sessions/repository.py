"""The SELECTs of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, String, cast, select

from mainstay.core.db.functions import comma_joined
from mainstay.features.rbac import RbacState, UserRole
from mainstay.features.sessions.models import RefreshToken, SessionRow
from mainstay.features.users import User
from mainstay.kit.clock import now
from mainstay.kit.ids import canonical_id

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

SECRET_COLUMNS = frozenset({"password_hash"})


def principals_by_session() -> Select[Any]:
    """Give the statement that reads all that principals are made of, one row a session."""
    user = [column for column in User.__table__.columns if column.name not in SECRET_COLUMNS]
    role_ids = (
        select(comma_joined(cast(UserRole.role_id, String(36))))
        .where(UserRole.user_id == User.id)
        .correlate(User)
        .scalar_subquery()
    )
    version = select(RbacState.version).limit(1).scalar_subquery()
    return select(
        SessionRow.id.label("session_id"),
        SessionRow.revoked_at.label("session_revoked_at"),
        SessionRow.expires_at.label("session_expires_at"),
        SessionRow.last_seen_at.label("session_last_seen_at"),
        SessionRow.authenticated_at.label("session_authenticated_at"),
        role_ids.label("role_ids"),
        version.label("rbac_version"),
        *user,
    ).join(User, User.id == SessionRow.user_id)


def live_of_user(user_id: str) -> Select[SessionRow]:
    """Give the statement for a user's sessions that have not ended."""
    return select(SessionRow).where(
        SessionRow.user_id == user_id,
        SessionRow.revoked_at.is_(None),
        SessionRow.expires_at > now(),
    )


async def own_live(session: AsyncSession, session_id: str, user_id: str) -> SessionRow | None:
    """Find a session of a user that has not ended."""
    canonical = canonical_id(session_id)
    row = await session.get(SessionRow, canonical) if canonical else None
    if row is None or row.user_id != user_id or row.revoked_at or row.expires_at <= now():
        return None
    return row


async def refresh_token(session: AsyncSession, digest: str) -> RefreshToken | None:
    """Find a refresh token by its hash."""
    return await session.get(RefreshToken, digest)

"""Clearing away what is over: ended sessions, and with them their refresh tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, or_, select

from mainstay.core.db.single_use import affected
from mainstay.features.sessions.models import RefreshToken, SessionRow
from mainstay.kit.clock import now

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

KEEP: Final = timedelta(days=7)
AT_ONCE: Final = 1000


async def purge(session: AsyncSession) -> int:
    """Delete sessions that ended a week ago, and refresh tokens long past their time."""
    before = now() - KEEP
    over = or_(SessionRow.expires_at < before, SessionRow.revoked_at < before)
    ids = list(await session.scalars(select(SessionRow.id).where(over).limit(AT_ONCE)))
    if ids:
        await affected(session, delete(SessionRow).where(SessionRow.id.in_(ids)))
    outdated = select(RefreshToken.digest).where(RefreshToken.expires_at < before).limit(AT_ONCE)
    digests = list(await session.scalars(outdated))
    if digests:
        await affected(session, delete(RefreshToken).where(RefreshToken.digest.in_(digests)))
    return len(ids)

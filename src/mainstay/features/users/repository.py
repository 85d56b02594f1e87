"""The SELECTs of users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from mainstay.features.users.models import User
from mainstay.features.users.names import case_blind
from mainstay.kit.ids import canonical_id

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


async def by_id(session: AsyncSession, user_id: str) -> User | None:
    """Find a user by id; None for a malformed one too."""
    canonical = canonical_id(user_id)
    return await session.get(User, canonical) if canonical else None


async def locked(session: AsyncSession, user_id: str) -> User | None:
    """Find a user as it is now, and let nobody else change it before this transaction ends."""
    canonical = canonical_id(user_id)
    if canonical is None:
        return None
    # What refers to the user, such as a new session, need not wait on PostgreSQL.
    how = {"key_share": True}
    return await session.get(User, canonical, with_for_update=how, populate_existing=True)


async def by_identifier(session: AsyncSession, identifier: str) -> User | None:
    """Find a user by username or e-mail address, in any letter case."""
    key = case_blind(identifier.strip())
    column = User.email_key if "@" in key else User.username_key
    return await session.scalar(select(User).where(column == key))


async def by_email(session: AsyncSession, email: str) -> User | None:
    """Find a user by e-mail address, in any letter case."""
    return await session.scalar(select(User).where(User.email_key == case_blind(email.strip())))


async def taken(session: AsyncSession, *, email: str, username: str) -> set[str]:
    """Say which of ``email`` and ``username`` somebody has already."""
    keys = case_blind(email), case_blind(username)
    rows = await session.execute(
        select(User.email_key, User.username_key).where(
            or_(User.email_key == keys[0], User.username_key == keys[1])
        )
    )
    found: set[str] = set()
    for email_key, username_key in rows:
        found |= {"email"} if email_key == keys[0] else set()
        found |= {"username"} if username_key == keys[1] else set()
    return found

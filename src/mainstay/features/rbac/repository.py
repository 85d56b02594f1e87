"""The SELECTs of roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from mainstay.features.rbac.models import Role, UserRole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncSession


async def by_names(session: AsyncSession, names: Sequence[str]) -> list[Role]:
    """Find roles by their names; unknown ones are left out."""
    return list(await session.scalars(select(Role).where(Role.name.in_(names))))


async def of_users(session: AsyncSession, user_ids: Sequence[str]) -> list[tuple[str, str, int]]:
    """Give user id, role name and rank, the highest role of a user first."""
    rows = await session.execute(
        select(UserRole.user_id, Role.name, Role.rank)
        .join(Role, Role.id == UserRole.role_id)
        .where(UserRole.user_id.in_(user_ids))
        .order_by(Role.rank.desc(), Role.name)
    )
    return [(user_id, name, rank) for user_id, name, rank in rows]


async def holders(session: AsyncSession, role_id: str) -> list[str]:
    """Give the ids of the users who have a role."""
    return list(await session.scalars(select(UserRole.user_id).where(UserRole.role_id == role_id)))

"""The SELECTs of roles, and the changes that meet many rows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, delete, func, insert, literal, select, update

from mainstay.core.db.single_use import affected
from mainstay.core.roles import HIGHEST_ROLE
from mainstay.features.rbac.models import (
    DeclaredPermission,
    RbacState,
    Role,
    RolePermission,
    UserRole,
)
from mainstay.features.users import User
from mainstay.kit.ids import canonical_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncSession


async def lock(session: AsyncSession) -> None:
    """Hold the row of all roles' version; SQLite has one writer at a time anyway."""
    await session.execute(select(RbacState.version).with_for_update())


async def by_id(session: AsyncSession, role_id: str) -> Role | None:
    """Find a role by id; None for a malformed one too."""
    canonical = canonical_id(role_id)
    return await session.get(Role, canonical, populate_existing=True) if canonical else None


async def by_names(session: AsyncSession, names: Sequence[str]) -> list[Role]:
    """Find roles by exactly these names; unknown ones are left out."""
    # PostgreSQL takes no NUL, and to MariaDB a name with spaces after it is the same.
    wanted = {name for name in names if name.isprintable()}
    found = await session.scalars(select(Role).where(Role.name.in_(wanted)))
    return [role for role in found if role.name in wanted]


async def is_taken(session: AsyncSession, name: str) -> bool:
    """Say whether a role has this name, in any letter case."""
    found = select(Role.id).where(func.lower(Role.name) == name.lower())
    return await session.scalar(found.limit(1)) is not None


async def declared(session: AsyncSession) -> set[str]:
    """Give the names of all declared permissions."""
    return set(await session.scalars(select(DeclaredPermission.name)))


async def permissions_of(session: AsyncSession, role_ids: Sequence[str]) -> dict[str, set[str]]:
    """Give what each of these roles permits, in one statement."""
    found: dict[str, set[str]] = {role_id: set() for role_id in role_ids}
    rows = await session.execute(
        select(RolePermission.role_id, RolePermission.permission).where(
            RolePermission.role_id.in_(role_ids)
        )
    )
    for role_id, permission in rows:
        found[role_id].add(permission)
    return found


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


def users_with(role_id: str) -> Select[Any]:
    """Select the users who have a role."""
    return select(User).where(User.id.in_(_holder_ids(role_id)))


async def active_superadmins(session: AsyncSession) -> list[str]:
    """Give the ids of up to two active users who are superadmin."""
    rows = await session.scalars(
        select(User.id)
        .join(UserRole, UserRole.user_id == User.id)
        .join(Role, Role.id == UserRole.role_id)
        .where(Role.name == HIGHEST_ROLE, User.is_active)
        .limit(2)
    )
    return list(rows)


async def set_permissions(
    session: AsyncSession, role_id: str, *, gained: set[str], lost: set[str]
) -> None:
    """Write which permissions a role has gained and lost."""
    if lost:
        gone = RolePermission.permission.in_(lost)
        await affected(
            session, delete(RolePermission).where(RolePermission.role_id == role_id, gone)
        )
    if gained:
        rows = [{"role_id": role_id, "permission": name} for name in sorted(gained)]
        await session.execute(insert(RolePermission), rows)


async def touch_user(session: AsyncSession, user_id: str) -> None:
    """Count a change of a user, whose roles are part of what is shown of them."""
    statement = update(User).where(User.id == user_id)
    await affected(session, statement.values(version=User.version + 1))


async def touch_holders(session: AsyncSession, role_id: str) -> int:
    """Count a change of everybody who has a role; gives how many. It is no change of theirs."""
    return await affected(
        session,
        update(User)
        .where(User.id.in_(_holder_ids(role_id)))
        .values(version=User.version + 1, updated_at=User.updated_at),
    )


async def take_away(session: AsyncSession, role_id: str, *, fallback_id: str) -> None:
    """Take a role from all who have it; who would have none left gets the other one."""
    others = select(UserRole.user_id).where(UserRole.role_id != role_id)
    left_with_none = select(UserRole.user_id, literal(fallback_id, Role.id.type)).where(
        UserRole.role_id == role_id, UserRole.user_id.not_in(others)
    )
    await session.execute(insert(UserRole).from_select(["user_id", "role_id"], left_with_none))
    await affected(session, delete(UserRole).where(UserRole.role_id == role_id))


def _holder_ids(role_id: str) -> Select[Any]:
    return select(UserRole.user_id).where(UserRole.role_id == role_id)

"""The rules of roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, update

from mainstay.core.errors import FieldError, ValidationFailedError
from mainstay.core.roles import RoleNames
from mainstay.features.rbac import repository
from mainstay.features.rbac.models import RbacState, UserRole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession


async def bump_version(session: AsyncSession) -> None:
    """Say that a role has changed, so that every process reads the roles again."""
    await session.execute(update(RbacState).values(version=RbacState.version + 1))


class DatabaseRoleDirectory:
    """The role directory over our own tables."""

    async def of_users(
        self, session: AsyncSession, user_ids: Sequence[str]
    ) -> Mapping[str, RoleNames]:
        """Give the roles of these users, in one statement."""
        names: dict[str, list[str]] = {user_id: [] for user_id in user_ids}
        ranks = dict.fromkeys(user_ids, 0)
        for user_id, name, rank in await repository.of_users(session, user_ids):
            names[user_id].append(name)
            ranks[user_id] = max(ranks[user_id], rank)
        return {user_id: RoleNames(tuple(names[user_id]), ranks[user_id]) for user_id in names}

    async def assign(self, session: AsyncSession, user_id: str, names: Sequence[str]) -> None:
        """Replace a user's roles.

        Raises:
            ValidationFailedError: one of the names is no role.
        """
        roles = await repository.by_names(session, names)
        unknown = sorted(set(names) - {role.name for role in roles})
        if unknown:
            fault = FieldError(
                pointer="#/role", code="unknown_role", detail="There is no such role."
            )
            raise ValidationFailedError(errors=[fault])
        await session.execute(delete(UserRole).where(UserRole.user_id == user_id))
        rows = [{"user_id": user_id, "role_id": role.id} for role in roles]
        await session.execute(insert(UserRole), rows)

    async def holders(self, session: AsyncSession, role: str) -> list[str] | None:
        """Give the ids of a role's holders; None for an unknown role."""
        roles = await repository.by_names(session, [role])
        return await repository.holders(session, roles[0].id) if roles else None

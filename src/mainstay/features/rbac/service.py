"""The role directory: who has which roles, and who may give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, update

from mainstay.core.db.single_use import affected
from mainstay.core.errors import FieldError, ValidationFailedError
from mainstay.core.refusals import refused
from mainstay.core.roles import RoleNames
from mainstay.features.rbac import repository
from mainstay.features.rbac.models import RbacState, UserRole
from mainstay.features.users import RoleNotAssignableError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.principal import Principal
    from mainstay.features.rbac.models import Role

ASSIGN = "roles:assign"


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
        """Replace a user's roles, past all rules.

        Raises:
            ValidationFailedError: one of the names is no role.
        """
        roles = await self._find(session, names, "#/role")
        if await affected(session, delete(UserRole).where(UserRole.user_id == user_id)):
            await repository.touch_user(session, user_id)
        rows = [{"user_id": user_id, "role_id": role.id} for role in roles]
        await session.execute(insert(UserRole), rows)

    async def require_assignable(
        self,
        session: AsyncSession,
        names: Sequence[str],
        *,
        by: Principal,
        pointer: str,
        held: Collection[str] = (),
    ) -> None:
        """Refuse roles that this principal cannot give; those ``held`` are not given anew.

        Raises:
            ValidationFailedError: one of the names is no role.
            RoleNotAssignableError: they lack roles:assign or what a role permits, or rank below.
        """
        if not by.can(ASSIGN):
            raise self._not_assignable(session, f"Giving roles needs {ASSIGN}.", [ASSIGN])
        roles = [r for r in await self._find(session, names, pointer) if r.name not in held]
        if any(role.rank > by.highest_rank for role in roles):
            raise self._not_assignable(session, "The role ranks above yours.")
        permitted = await repository.permissions_of(session, [role.id for role in roles])
        lacking = by.lacks(set().union(*permitted.values()))
        if lacking:
            msg = "The role permits what you may not do yourself."
            raise self._not_assignable(session, msg, lacking)

    async def _find(
        self, session: AsyncSession, names: Sequence[str], pointer: str
    ) -> Iterable[Role]:
        roles = {role.name: role for role in await repository.by_names(session, names)}
        faults = [
            FieldError(
                pointer=pointer.format(place),
                code="unknown_role",
                detail="There is no such role.",
            )
            for place, name in enumerate(names)
            if name not in roles
        ]
        if faults:
            raise ValidationFailedError(errors=faults)
        return roles.values()

    def _not_assignable(
        self, session: AsyncSession, msg: str, required: Sequence[str] = ()
    ) -> Exception:
        members: dict[str, Any] = {"required": list(required)} if required else {}
        return refused(session, RoleNotAssignableError(msg, **members), action=ASSIGN)

    async def holders(self, session: AsyncSession, role: str) -> list[str] | None:
        """Give the ids of a role's holders; None for an unknown role."""
        roles = await repository.by_names(session, [role])
        return await repository.holders(session, roles[0].id) if roles else None

    async def lock(self, session: AsyncSession) -> None:
        """Let no other transaction do the same before this one ends."""
        await repository.lock(session)

    async def is_last_superadmin(self, session: AsyncSession, user_id: str) -> bool:
        """Say whether this is the only active superadmin. It holds only under the lock."""
        return await repository.active_superadmins(session) == [user_id]

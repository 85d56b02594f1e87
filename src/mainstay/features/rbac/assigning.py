"""Giving users roles, by the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainstay.core.errors import PermissionDeniedError
from mainstay.core.events import publish
from mainstay.core.refusals import refused
from mainstay.core.roles import HIGHEST_ROLE
from mainstay.features.rbac.events import RolesAssigned
from mainstay.features.rbac.service import ASSIGN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.principal import Principal
    from mainstay.core.roles import RoleDirectory
    from mainstay.features.users import User, UserAdministration


class RoleAssignment:
    """Replaces the roles of users on behalf of a principal (``by``)."""

    def __init__(self, administration: UserAdministration, roles: RoleDirectory) -> None:
        self._administration = administration
        self._roles = roles

    async def open(self, session: AsyncSession, user_id: str, *, by: Principal) -> User:
        """Give the user whose roles are to be replaced.

        Raises:
            PermissionDeniedError: the user ranks above the principal.
            NotFoundError: there is no such user.
        """
        return await self._administration.open(
            session, user_id, by=by, permission=ASSIGN, standing=True
        )

    async def assign(
        self,
        session: AsyncSession,
        user: User,
        names: Sequence[str],
        *,
        by: Principal,
        pointer: str,
    ) -> None:
        """Replace the roles of an opened user; ``pointer`` as for the role directory.

        Raises:
            ValidationFailedError: one of the names is no role.
            RoleNotAssignableError: a new role ranks above them, or permits what they lack.
            LastSuperadminError: nobody active would be superadmin.
            PermissionDeniedError: it is the principal themselves.
        """
        before = (await self._roles.of_users(session, [user.id]))[user.id].names
        if set(names) == set(before):
            return
        await self._roles.require_assignable(session, names, by=by, pointer=pointer, held=before)
        if HIGHEST_ROLE in before and HIGHEST_ROLE not in names:
            await self._administration.keep_superadmin(session, user, action=ASSIGN)
        if user.id == by.id:
            error = PermissionDeniedError("Nobody changes their own roles. Ask somebody else to.")
            raise refused(session, error, action=ASSIGN, target_id=user.id)
        await self._roles.assign(session, user.id, list(dict.fromkeys(names)))
        await session.refresh(user)
        after = (await self._roles.of_users(session, [user.id]))[user.id].names
        await publish(session, RolesAssigned(target_id=user.id, before=before, after=after))

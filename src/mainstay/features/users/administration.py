"""Acting on users: who may, and what must never happen.

Nobody acts on somebody whose highest role ranks above their own, and somebody active always is
superadmin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mainstay.core.errors import (
    FieldError,
    NotFoundError,
    PermissionDeniedError,
    UnknownFieldError,
)
from mainstay.core.events import publish
from mainstay.core.principal import require_recent
from mainstay.core.refusals import refused
from mainstay.core.roles import DEFAULT_ROLE
from mainstay.features.users import repository
from mainstay.features.users.errors import LastSuperadminError
from mainstay.features.users.events import UserActivated, UserDeactivated, UserDeleted
from mainstay.features.users.service import is_own, require_permission

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.principal import Principal
    from mainstay.core.roles import RoleDirectory
    from mainstay.features.users.models import User
    from mainstay.features.users.schemas import UserCreate
    from mainstay.features.users.service import UserService

_UPDATE: Final = "users:update"
_DELETE: Final = "users:delete"


class UserAdministration:
    """Makes, changes, stops and deletes users on behalf of a principal (``by``)."""

    def __init__(self, users: UserService, roles: RoleDirectory) -> None:
        self._users = users
        self._roles = roles

    async def create(self, session: AsyncSession, wanted: UserCreate, *, by: Principal) -> User:
        """Make an account without a password; its owner is invited to set one.

        Raises:
            RoleNotAssignableError: the role is not the default, and the principal cannot give it.
            ValidationFailedError: there is no such role.
            AlreadyExistsError: the address or the username is taken.
        """
        names = [wanted.role]
        if wanted.role != DEFAULT_ROLE:
            await self._roles.require_assignable(session, names, by=by, pointer="#/role")
        return await self._users.create(
            session,
            email=wanted.email,
            username=wanted.username,
            how="admin",
            roles=names,
            **wanted.profile(),
        )

    async def open(
        self,
        session: AsyncSession,
        user_id: str,
        *,
        by: Principal,
        permission: str,
        standing: bool = False,
    ) -> User:
        """Give the user to act on, whom nobody else changes before this transaction ends.

        ``permission`` is what it takes to act on others; it is not asked of oneself. Say
        ``standing`` before whatever may end somebody's being an active superadmin.

        Raises:
            PermissionDeniedError: the principal lacks the permission, or the user ranks above.
            NotFoundError: there is no such user.
        """
        if not is_own(user_id, by):
            require_permission(session, permission, by=by, target_id=user_id)
        if standing:
            await self._roles.lock(session)
        user = await repository.locked(session, user_id)
        if user is None:
            raise NotFoundError
        roles = await self._roles.of_users(session, [user.id])
        if user.id != by.id and roles[user.id].rank > by.highest_rank:
            msg = "This user's role ranks above yours."
            error = PermissionDeniedError(msg)
            raise refused(session, error, action=permission, target_id=user.id)
        return user

    async def update(
        self, session: AsyncSession, user: User, changes: Mapping[str, Any], *, by: Principal
    ) -> None:
        """Set fields of an opened user; ``is_active`` is for administrators.

        Raises:
            UnknownFieldError: the principal may not write ``is_active``.
            PermissionDeniedError: they would deactivate themselves.
            LastSuperadminError: nobody active would be superadmin.
        """
        rest = dict(changes)
        active = rest.pop("is_active", None)
        if active is not None and not by.can(_UPDATE):
            detail = "This is not known here; leave it out."
            fault = FieldError(pointer="#/is_active", code="unknown_field", detail=detail)
            error = UnknownFieldError(errors=[fault])
            raise refused(session, error, action=_UPDATE, target_id=user.id)
        await self._users.change(session, user, rest)
        if active is not None:
            await self._set_active(session, user, active=active, by=by)

    async def _set_active(
        self, session: AsyncSession, user: User, *, active: bool, by: Principal
    ) -> None:
        if active:
            await self.activate(session, user)
        else:
            await self.deactivate(session, user, by=by)

    async def activate(self, session: AsyncSession, user: User) -> None:
        """Put an opened user back into use."""
        if not user.is_active:
            user.is_active = True
            await session.flush()
            await publish(session, UserActivated(target_id=user.id))

    async def deactivate(self, session: AsyncSession, user: User, *, by: Principal) -> None:
        """Put a user, opened for ``standing``, out of use; all their sessions end.

        Raises:
            LastSuperadminError: nobody active would be superadmin.
            PermissionDeniedError: it is the principal themselves.
        """
        if not user.is_active:
            return
        await self.keep_superadmin(session, user, action=_UPDATE)
        if user.id == by.id:
            error = PermissionDeniedError("Nobody deactivates themselves. Ask somebody else to.")
            raise refused(session, error, action=_UPDATE, target_id=user.id)
        user.is_active = False
        await session.flush()
        await publish(session, UserDeactivated(target_id=user.id))

    async def delete(self, session: AsyncSession, user: User, *, by: Principal) -> None:
        """Delete a user, opened for ``standing``, and all that is theirs.

        Raises:
            ReauthRequiredError: it is the principal themselves, and their sign-in is not recent.
            LastSuperadminError: nobody active would be superadmin.
        """
        if user.id == by.id:
            require_recent(by)
        await self.keep_superadmin(session, user, action=_DELETE)
        await publish(session, UserDeleted(target_id=user.id))
        await session.delete(user)
        await session.flush()

    async def keep_superadmin(self, session: AsyncSession, user: User, *, action: str) -> None:
        """Refuse to lose a user, opened for ``standing``, where nobody else is superadmin.

        Raises:
            LastSuperadminError: nobody else is superadmin and active.
        """
        if await self._roles.is_last_superadmin(session, user.id):
            error = LastSuperadminError("Make somebody else superadmin first.")
            raise refused(session, error, action=action, target_id=user.id)

"""The rules of users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect

from mainstay.core.errors import (
    AlreadyExistsError,
    FieldError,
    NotFoundError,
    PermissionDeniedError,
    ValidationFailedError,
)
from mainstay.core.events import publish
from mainstay.core.refusals import refused
from mainstay.core.roles import DEFAULT_ROLE
from mainstay.features.users import repository
from mainstay.features.users.events import UserCreated, UserUpdated
from mainstay.features.users.models import User
from mainstay.features.users.names import case_blind
from mainstay.features.users.schemas import UserRead
from mainstay.kit.ids import canonical_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.principal import Principal
    from mainstay.core.roles import RoleDirectory, RoleNames


def taken_error(names: set[str]) -> AlreadyExistsError:
    """Make the error for an address or username that somebody has."""
    return AlreadyExistsError(
        f"Choose another {' and '.join(sorted(names))}.",
        errors=[
            FieldError(pointer=f"#/{name}", code="already_exists", detail="This is taken.")
            for name in sorted(names)
        ],
    )


def require_permission(
    session: AsyncSession, permission: str, *, by: Principal, target_id: str
) -> None:
    """Let the principal do with a user or a role what takes this permission.

    Raises:
        PermissionDeniedError: they lack it.
    """
    if not by.can(permission):
        error = PermissionDeniedError(f"This needs {permission}.", required=[permission])
        raise refused(session, error, action=permission, target_id=target_id)


def is_own(user_id: str, principal: Principal) -> bool:
    """Say whether an id as it was sent is the principal's own."""
    return canonical_id(user_id) == principal.id


class UserService:
    """Makes, finds, changes and shows users."""

    def __init__(self, roles: RoleDirectory) -> None:
        self._roles = roles

    async def create(
        self,
        session: AsyncSession,
        *,
        email: str,
        username: str,
        how: str,
        roles: Sequence[str] = (DEFAULT_ROLE,),
        **fields: Any,
    ) -> User:
        """Make an account; ``fields`` are further columns.

        Raises:
            AlreadyExistsError: the address or the username is taken.
        """
        found = await repository.taken(session, email=email, username=username)
        if found:
            raise taken_error(found)
        user = User(
            email=email,
            email_key=case_blind(email),
            username=username,
            username_key=case_blind(username),
            **fields,
        )
        session.add(user)
        await session.flush()
        await self._roles.assign(session, user.id, roles)
        await publish(session, UserCreated(target_id=user.id, how=how, roles=tuple(roles)))
        return user

    async def get(self, session: AsyncSession, user_id: str, principal: Principal) -> User:
        """Give the user with this id.

        Raises:
            PermissionDeniedError: it is another, and the principal may only see their own.
            NotFoundError: there is none.
        """
        if not is_own(user_id, principal):
            require_permission(session, "users:read", by=principal, target_id=user_id)
        user = await repository.by_id(session, user_id)
        if user is None:
            raise NotFoundError
        return user

    async def change(self, session: AsyncSession, user: User, changes: Mapping[str, Any]) -> User:
        """Set columns of a user; says in an event which ones changed."""
        for name, value in changes.items():
            if value is None and not inspect(User).columns[name].nullable:
                raise null_error(name)
            setattr(user, name, value)
        changed = tuple(sorted(n for n in changes if inspect(user).attrs[n].history.has_changes()))
        if changed:
            await session.flush()
            await publish(session, UserUpdated(target_id=user.id, fields=changed))
        return user

    async def view(self, session: AsyncSession, user: User) -> UserRead:
        """Give the outside form of one user."""
        return (await self.views(session, [user]))[0]

    async def views(self, session: AsyncSession, users: Sequence[User]) -> list[UserRead]:
        """Give the outside form of users; one statement for all their roles."""
        roles = await self._roles.of_users(session, [user.id for user in users])
        return [show(columns_of(user), roles[user.id]) for user in users]


def null_error(name: str) -> ValidationFailedError:
    """Make the error for a null where a value is required."""
    return ValidationFailedError(
        errors=[
            FieldError(pointer=f"#/{name}", code="null_not_allowed", detail="This cannot be null.")
        ]
    )


def columns_of(user: User) -> dict[str, Any]:
    """Give the loaded columns of a user."""
    return {name: getattr(user, name) for name in UserRead.model_fields if hasattr(User, name)}


def show(columns: Mapping[str, Any], roles: RoleNames) -> UserRead:
    """Give the outside form of a user's columns and roles."""
    return UserRead.model_validate({**columns, "role": roles.highest, "roles": list(roles.names)})

"""Signing in as dependencies: who calls, and what a route asks of them.

A route declares ``get_current_user``, ``has_permissions``, ``has_role`` or ``public``; one that
declares nothing stops the start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from fastapi import Depends
from fastapi.dependencies.models import Dependant
from starlette.requests import HTTPConnection

from mainstay.core.errors import NotAuthenticatedError, PermissionDeniedError
from mainstay.core.events import Event
from mainstay.core.http.context import RequestContext, context_of, ports_of
from mainstay.core.principal import BUILT_IN_RANKS, Principal, PrincipalResolver

__all__ = [
    "AccessRefused",
    "HasPermissions",
    "HasRole",
    "Principal",
    "PrincipalResolver",
    "access_of",
    "get_current_user",
    "has_permissions",
    "has_role",
    "optional_user",
    "public",
    "remember_access",
]


@dataclass(frozen=True, kw_only=True)
class AccessRefused(Event):
    """A signed-in caller was refused."""

    name: ClassVar[str] = "access.refused"
    outcome: ClassVar[str] = "failure"

    required: tuple[str, ...]
    method: str
    path: str


async def public() -> None:
    """Declare that a route is open to everybody."""


async def get_current_user(connection: HTTPConnection) -> Principal:
    """Give the signed-in principal, or answer 401.

    Raises:
        NotAuthenticatedError: there is no token, or it does not hold.
    """
    context = context_of(connection.scope)
    if context.principal is not None:
        return context.principal
    token = context.bearer()
    if token is None:
        msg = "Sign in, and send the access token as `Authorization: Bearer <token>`."
        raise NotAuthenticatedError(msg)
    resolver: PrincipalResolver = ports_of(connection.scope)[PrincipalResolver]
    principal = await resolver.resolve(token)
    context.sign_in(principal)
    return principal


async def optional_user(connection: HTTPConnection) -> Principal | None:
    """Give the signed-in principal, or None for a caller without a token; a bad token is a 401."""
    if context_of(connection.scope).bearer() is None:
        return None
    return await get_current_user(connection)


CurrentUser = Annotated[Principal, Depends(get_current_user)]


class HasPermissions:
    """A dependency that lets a principal with the permissions through, and gives it."""

    def __init__(self, names: str | Sequence[str], *, require_all: bool = False) -> None:
        self.names = (names,) if isinstance(names, str) else tuple(names)
        self.require_all = require_all
        if not self.names:
            msg = "has_permissions() needs at least one permission; use get_current_user instead."
            raise ValueError(msg)

    async def __call__(self, connection: HTTPConnection, principal: CurrentUser) -> Principal:
        """Give the principal.

        Raises:
            PermissionDeniedError: it lacks the permissions.
        """
        test = all if self.require_all else any
        if not test(principal.can(name) for name in self.names):
            refuse(connection, principal, required=self.names)
        return principal


class HasRole:
    """A dependency that lets a principal with the role, or a higher one, through."""

    def __init__(self, name: str = "admin") -> None:
        self.name = name

    async def __call__(self, connection: HTTPConnection, principal: CurrentUser) -> Principal:
        """Give the principal.

        Raises:
            PermissionDeniedError: its roles all rank lower.
        """
        if not principal.has_role(self.name):
            refuse(connection, principal, required=(f"role:{self.name}",))
        return principal


def refuse(connection: HTTPConnection, principal: Principal, *, required: Sequence[str]) -> None:
    """Note the refusal for the audit trail and answer 403, naming what would be needed.

    Raises:
        PermissionDeniedError: always.
    """
    context: RequestContext = context_of(connection.scope)
    context.unit.outlive(
        AccessRefused(
            actor_id=principal.id,
            required=tuple(required),
            method=str(connection.scope.get("method", "WEBSOCKET")),
            path=connection.scope["path"],
        )
    )
    msg = f"This needs {' or '.join(required)}."
    raise PermissionDeniedError(msg, required=list(required))


def has_permissions(names: str | Sequence[str], *, require_all: bool = False) -> HasPermissions:
    """Make a dependency that asks for a permission: any of the names, or all of them."""
    return HasPermissions(names, require_all=require_all)


def has_role(name: str = "admin") -> HasRole:
    """Make a dependency that asks for a role; higher ranks are admitted too."""
    if not isinstance(name, str) or not name:
        msg = f"has_role() takes a role's name, such as {', '.join(BUILT_IN_RANKS)}."
        raise ValueError(msg)
    return HasRole(name)


@dataclass(frozen=True, slots=True)
class Access:
    """What a route asks of its callers. ``declared`` is false where it says nothing at all."""

    declared: bool
    signed_in: bool
    permissions: tuple[str, ...] = ()
    role: str | None = None


class _Remaining(list[Dependant]):
    """The dependencies that are left to solve, and what all of them had declared."""

    def __init__(self, dependencies: Iterable[Dependant], access: Access) -> None:
        super().__init__(dependencies)
        self.access = access


def remember_access(dependant: Dependant) -> None:
    """Note what a route asks of its callers, and drop the dependencies that do nothing else."""
    access = access_of(dependant)
    left = (child for child in dependant.dependencies if child.call is not public)
    dependant.dependencies = _Remaining(left, access)


def access_of(dependant: Dependant) -> Access:
    """Read from a route's dependencies what it asks of its callers."""
    if isinstance(dependant.dependencies, _Remaining):
        return dependant.dependencies.access
    calls = list(_calls(dependant))
    permissions = tuple(n for call in calls if isinstance(call, HasPermissions) for n in call.names)
    role = next((call.name for call in calls if isinstance(call, HasRole)), None)
    signed_in = bool(permissions) or role is not None or get_current_user in calls
    declared = signed_in or public in calls or optional_user in calls
    return Access(declared, signed_in, permissions, role)


def _calls(dependant: Dependant) -> Iterator[Any]:
    for child in dependant.dependencies:
        if child.call is not None:
            yield child.call
        yield from _calls(child)

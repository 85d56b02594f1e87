"""What happens to roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mainstay.core.events import Event


@dataclass(frozen=True, kw_only=True)
class RoleCreated(Event):
    """A role was made."""

    name: ClassVar[str] = "role.created"

    role: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RoleUpdated(Event):
    """A role was changed: its ``fields``, and the permissions it has ``gained`` and ``lost``."""

    name: ClassVar[str] = "role.updated"

    role: str
    fields: tuple[str, ...]
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RoleDeleted(Event):
    """A role was deleted, and with it taken from so many ``holders``."""

    name: ClassVar[str] = "role.deleted"

    role: str
    holders: int


@dataclass(frozen=True, kw_only=True)
class RolesAssigned(Event):
    """A user's roles were replaced; names, the highest first."""

    name: ClassVar[str] = "roles.assigned"

    before: tuple[str, ...]
    after: tuple[str, ...]

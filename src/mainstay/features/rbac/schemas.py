"""The bodies of roles and permissions."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, StringConstraints

from mainstay.core.http.schema import Input, Line, Output, UtcTime
from mainstay.core.principal import BUILT_IN_RANKS
from mainstay.core.roles import DEFAULT_ROLE
from mainstay.features.users import RoleName

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*([ ._-][A-Za-z0-9]+)*")


def check_name(value: str) -> str:
    """Give a role's name, which can stand in a path as it is.

    Raises:
        ValueError: it has other characters than ASCII letters, digits and single ``. _ -``.
    """
    if not _NAME.fullmatch(value):
        msg = "Use ASCII letters and digits, with a single space or . _ - between them."
        raise ValueError(msg)
    return value


NewName = Annotated[
    Line, StringConstraints(min_length=2, max_length=50), AfterValidator(check_name)
]
Description = Annotated[Line, StringConstraints(max_length=500)]
Rank = Annotated[int, Field(ge=1, le=max(BUILT_IN_RANKS.values()))]
PermissionName = Annotated[Line, StringConstraints(min_length=1, max_length=100)]
Permissions = Annotated[list[PermissionName], Field(max_length=1000)]


class RoleRead(Output):
    """A role, and what it permits; ``permissions`` may hold wildcards."""

    id: str
    name: str
    description: str
    rank: int = Field(description="A higher one stands above.")
    built_in: bool
    permissions: list[str]
    created_at: UtcTime
    updated_at: UtcTime


class RoleBody(Input):
    """A whole role. Without a rank, a new one ranks as ``user``, and another keeps its own."""

    name: NewName
    description: Description = ""
    permissions: Permissions = Field(default_factory=list)
    rank: Rank = BUILT_IN_RANKS[DEFAULT_ROLE]

    def changes(self) -> dict[str, Any]:
        """Give what replaces a role."""
        unsent = {"rank"} - self.model_fields_set
        return self.model_dump(exclude=unsent)


class RolePatch(RoleBody):
    """A merge patch of a role (RFC 7396): what is absent stays."""

    name: NewName = ""

    def changes(self) -> dict[str, Any]:
        """Give the fields that were sent."""
        return self.model_dump(exclude_unset=True)


class PermissionsBody(Input):
    """All that a role is to permit."""

    permissions: Permissions


class RoleNameBody(Input):
    """The one role that a user is to have."""

    role: RoleName


class RoleNamesBody(Input):
    """All the roles that a user is to have."""

    roles: Annotated[list[RoleName], Field(min_length=1, max_length=50)]


class PermissionRead(Output):
    """A permission that some feature declares."""

    name: str
    description: str
    feature: str

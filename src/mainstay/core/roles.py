"""Roles as a port, so that features below the one that keeps them can ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.principal import Principal

DEFAULT_ROLE = "user"
"""What everybody has who makes an account."""

HIGHEST_ROLE = "superadmin"
"""The role that somebody active must have at all times."""


@dataclass(frozen=True, slots=True)
class RoleNames:
    """A person's roles, the highest first, and its rank."""

    names: tuple[str, ...]
    rank: int

    @property
    def highest(self) -> str:
        """The role that counts where only one is shown."""
        return self.names[0] if self.names else DEFAULT_ROLE


class RoleDirectory(Protocol):
    """Port: who has which roles. Provided by the feature that keeps roles."""

    async def of_users(
        self, session: AsyncSession, user_ids: Sequence[str]
    ) -> Mapping[str, RoleNames]:
        """Give the roles of these users, in one statement."""
        ...

    async def assign(self, session: AsyncSession, user_id: str, names: Sequence[str]) -> None:
        """Replace a user's roles; on an unknown name raise ``ValidationFailedError``."""
        ...

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

        ``pointer`` says where the names were sent, with ``{}`` for a name's place in a list.

        Raises:
            ValidationFailedError: one of the names is no role.
            PermissionDeniedError: one ranks above the principal, or permits what they lack.
        """
        ...

    async def lock(self, session: AsyncSession) -> None:
        """Let no other transaction do the same before this one ends.

        Whatever may leave the application without an active superadmin locks first of all.
        """
        ...

    async def is_last_superadmin(self, session: AsyncSession, user_id: str) -> bool:
        """Say whether this is the only active superadmin. It holds only under the lock."""
        ...

    async def holders(self, session: AsyncSession, role: str) -> list[str] | None:
        """Give the ids of a role's holders; None for an unknown role."""
        ...

"""Roles as a port, so that features below the one that keeps them can ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

DEFAULT_ROLE = "user"


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

    async def holders(self, session: AsyncSession, role: str) -> list[str] | None:
        """Give the ids of a role's holders; None for an unknown role."""
        ...

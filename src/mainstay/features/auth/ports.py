"""What signing in needs of the feature that keeps sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.features.auth.schemas import Tokens
    from mainstay.features.users import User


class SessionKeeper(Protocol):
    """Port: starts and ends sessions."""

    async def start(self, session: AsyncSession, user: User) -> Tokens:
        """Start a session for somebody who has just proved who they are."""
        ...

    async def end_all(
        self, session: AsyncSession, user_id: str, *, because: str, keep: str | None = None
    ) -> int:
        """End all of a user's sessions, but the one to keep; gives how many."""
        ...

    async def proved(self, session: AsyncSession, session_id: str) -> None:
        """Note that the session's owner has just proved again who they are."""
        ...

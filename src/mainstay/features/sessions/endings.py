"""Ending the sessions of accounts that go out of use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainstay.core.events import Subscriber
from mainstay.features.sessions.service import SessionService
from mainstay.features.users import UserDeactivated, UserDeleted

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.ports import Ports


async def _end(event: UserDeactivated | UserDeleted, session: AsyncSession, ports: Ports) -> None:
    if event.target_id is not None:
        await ports[SessionService].end_all(session, event.target_id, because=event.name)


subscribers = (
    Subscriber(event=UserDeactivated, handler=_end, name="sessions.user_deactivated"),
    Subscriber(event=UserDeleted, handler=_end, name="sessions.user_deleted"),
)
"""Both work in the transaction of what happened."""

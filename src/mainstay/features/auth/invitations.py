"""Inviting those for whom an administrator has made an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mainstay.features.auth.mails import AccountMails
from mainstay.features.users import find_by_id

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.ports import Ports
    from mainstay.features.users import UserCreated

BY_ADMINISTRATOR: Final = "admin"
"""How an account was made whose owner has no password yet."""


async def invite(event: UserCreated, session: AsyncSession, ports: Ports) -> None:
    """Write the mail with which the owner of a new account sets its password."""
    if event.how != BY_ADMINISTRATOR:
        return
    user = await find_by_id(session, event.target_id or "")
    if user is not None:
        await ports[AccountMails].invitation(session, user)

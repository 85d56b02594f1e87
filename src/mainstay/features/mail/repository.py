"""The statements on messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from mainstay.core.db.single_use import affected, spend
from mainstay.features.mail.models import MailMessage, MailState
from mainstay.kit.clock import now

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


async def waiting(session: AsyncSession, key: str) -> str | None:
    """Give the id of the newest message under this key that has not been sent."""
    unsent = MailMessage.state.in_((MailState.QUEUED, MailState.SENDING))
    newest = select(MailMessage.id).where(MailMessage.key == key, unsent)
    found: str | None = await session.scalar(newest.order_by(MailMessage.id.desc()).limit(1))
    return found


async def begin(session: AsyncSession, message_id: str, provider: str) -> MailMessage | None:
    """Mark a message as being sent and give it; None where it was sent already, or is gone."""
    begun = await spend(
        session,
        update(MailMessage)
        .where(MailMessage.id == message_id, MailMessage.state != MailState.SENT)
        .values(
            state=MailState.SENDING,
            attempts=MailMessage.attempts + 1,
            provider=provider,
            error=None,
        ),
    )
    return await session.get(MailMessage, message_id) if begun else None


async def note_failure(
    session: AsyncSession, message_id: str, *, state: MailState, error: str
) -> None:
    """Keep why a message was not taken."""
    await affected(
        session,
        update(MailMessage).where(MailMessage.id == message_id).values(state=state, error=error),
    )


async def note_sent(session: AsyncSession, message_id: str, *, keep_bodies: bool) -> None:
    """Mark a message as sent, and erase its bodies unless they are to be read here."""
    erased = {} if keep_bodies else {"html": None, "text": None}
    await affected(
        session,
        update(MailMessage)
        .where(MailMessage.id == message_id)
        .values(state=MailState.SENT, sent_at=now(), error=None, **erased),
    )

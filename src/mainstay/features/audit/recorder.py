"""Writes one row for every event, in the transaction of what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainstay.core.events import Event, Subscriber
from mainstay.core.origin import current_origin
from mainstay.features.audit.cleaning import clean_data, clean_text
from mainstay.features.audit.models import LONGEST, AuditLog

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.ports import Ports


async def record(event: Event, session: AsyncSession, ports: Ports) -> None:  # noqa: ARG001
    """Add the event's row. Only the fields it declares, and not as secret, are kept."""
    origin = current_origin()
    session.add(
        AuditLog(
            action=event.name,
            outcome=event.outcome,
            actor_id=_short("actor_id", event.actor_id or origin.actor_id),
            target_id=_short("target_id", event.target_id),
            data=clean_data(event.data()),
            ip=_short("ip", origin.ip),
            user_agent=_short("user_agent", origin.user_agent),
            request_id=origin.request_id,
            channel=origin.channel,
        )
    )


def _short(column: str, text: str | None) -> str | None:
    return clean_text(text, LONGEST[column])


subscriber = Subscriber(event=Event, handler=record, name="audit")

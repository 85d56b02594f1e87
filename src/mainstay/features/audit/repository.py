"""The audit trail's reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import Select, or_, select

from mainstay.core.errors import NotFoundError
from mainstay.core.http.query import EXACT, RANGE, ListField, ListSpec
from mainstay.features.audit.models import AuditLog

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

AUDIT_LOGS: Final = ListSpec(
    name="AuditEntry",
    fields={
        "id": ListField(column=AuditLog.id, python_type=UUID),
        "action": ListField(column=AuditLog.action, operators=(*EXACT, "startswith"), sort=True),
        "actor": ListField(column=AuditLog.actor_id, operators=(*EXACT, "isnull")),
        "target": ListField(column=AuditLog.target_id, operators=(*EXACT, "isnull")),
        "outcome": ListField(column=AuditLog.outcome, operators=EXACT),
        "ip": ListField(column=AuditLog.ip, operators=(*EXACT, "startswith", "isnull")),
        "request_id": ListField(column=AuditLog.request_id, operators=EXACT),
        "created_at": ListField(column=AuditLog.created_at, operators=RANGE, sort=True),
    },
    default_sort="-created_at",
)
"""What the list is filtered and sorted by; the newest come first."""


ACTIVITY: Final = ListSpec(
    name="Activity",
    fields={
        "id": ListField(column=AuditLog.id, python_type=UUID),
        "action": ListField(column=AuditLog.action, operators=(*EXACT, "startswith")),
        "outcome": ListField(column=AuditLog.outcome, operators=EXACT),
        "created_at": ListField(column=AuditLog.created_at, operators=RANGE, sort=True),
    },
    default_sort="-created_at",
)
"""What a list of one's own security events is filtered and sorted by."""

_OF_ACCOUNTS: Final = ("auth.", "session.")


def activity_of(user_id: str) -> Select[AuditLog]:
    """Select what happened to one account: sign-ins, failures, changes of what lets people in."""
    return select(AuditLog).where(
        or_(AuditLog.target_id == user_id, AuditLog.actor_id == user_id),
        or_(*(AuditLog.action.startswith(prefix, autoescape=True) for prefix in _OF_ACCOUNTS)),
    )


def entries() -> Select[AuditLog]:
    """Select all entries."""
    return select(AuditLog)


async def get(session: AsyncSession, entry_id: str) -> AuditLog:
    """Read one entry.

    Raises:
        NotFoundError: there is none of that id, or it is malformed.
    """
    entry: AuditLog | None = await session.scalar(entries().where(AuditLog.id == entry_id))
    if entry is None:
        msg = "There is no such audit entry."
        raise NotFoundError(msg)
    return entry

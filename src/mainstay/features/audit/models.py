"""The audit trail's table. Rows are written once and never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Index, String, event
from sqlalchemy.orm import Mapped, mapped_column

from mainstay.core.db import Base, Id, JsonDocument, Timestamp
from mainstay.kit.clock import now
from mainstay.kit.ids import new_id

LONGEST: Final = {"actor_id": 64, "target_id": 255, "ip": 64, "user_agent": 300}
"""Characters of the columns whose values come from outside; what is longer is cut off."""


class AuditLog(Base):
    """One thing that somebody did, or was refused.

    ``actor_id`` and ``target_id`` are no foreign keys: the row outlives whom it speaks of, and a
    target may be of any kind.
    """

    __tablename__ = "audit_log"
    owner = "mainstay"

    id: Mapped[str] = mapped_column(Id(), primary_key=True, default=new_id)
    created_at: Mapped[datetime] = mapped_column(Timestamp(), default=now)
    action: Mapped[str] = mapped_column(String(100))
    outcome: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[str | None] = mapped_column(String(LONGEST["actor_id"]))
    target_id: Mapped[str | None] = mapped_column(String(LONGEST["target_id"]))
    data: Mapped[dict[str, Any]] = mapped_column(JsonDocument())
    ip: Mapped[str | None] = mapped_column(String(LONGEST["ip"]))
    user_agent: Mapped[str | None] = mapped_column(String(LONGEST["user_agent"]))
    request_id: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(20))

    __table_args__ = (
        Index(None, "created_at", "id"),
        Index(None, "action", "created_at"),
        Index(None, "actor_id", "created_at"),
        Index(None, "target_id", "created_at"),
        Index(None, "ip", "created_at"),
    )


class AuditRowChangedError(RuntimeError):
    """Code tried to change or delete an audit row."""


@event.listens_for(AuditLog, "before_update")
@event.listens_for(AuditLog, "before_delete")
def _refuse(*_: object) -> None:
    msg = "Audit rows are never changed or deleted."
    raise AuditRowChangedError(msg)

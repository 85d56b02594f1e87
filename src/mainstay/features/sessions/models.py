"""Sessions and their refresh tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mainstay.core.db import Base, BaseModel, Id, Timestamp


class SessionRow(BaseModel):
    """One sign-in on one device. ``expires_at`` is absolute; ``revoked_at`` ends it at once."""

    __tablename__ = "sessions"

    user_id: Mapped[str] = mapped_column(
        Id(), ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    authenticated_at: Mapped[datetime] = mapped_column(Timestamp())
    last_seen_at: Mapped[datetime] = mapped_column(Timestamp())
    expires_at: Mapped[datetime] = mapped_column(Timestamp())
    revoked_at: Mapped[datetime | None] = mapped_column(Timestamp())
    revoked_because: Mapped[str | None] = mapped_column(String(50))
    ip: Mapped[str | None] = mapped_column(String(64))
    user_agent: Mapped[str | None] = mapped_column(String(300))


class RefreshToken(Base):
    """A refresh token, by its hash.

    Once spent, ``successor`` holds the next token, sealed under the spent one: only who still has
    that can read it, which is what an honest retry within the grace window does.
    """

    __tablename__ = "refresh_tokens"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_id: Mapped[str] = mapped_column(
        Id(), ForeignKey("sessions.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(Timestamp())
    expires_at: Mapped[datetime] = mapped_column(Timestamp())
    spent_at: Mapped[datetime | None] = mapped_column(Timestamp())
    successor: Mapped[str | None] = mapped_column(Text())

"""The mail_messages table: the outbox, and the log of what was sent."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Index, Integer, String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from mainstay.core.db import BaseModel, Timestamp

MAX_KEY: Final = 200
MAX_ERROR: Final = 1000


class MailState(StrEnum):
    """Where a message is; ``sent`` means that the provider took it."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


def _body() -> Text:
    return Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


class MailMessage(BaseModel):
    """One mail to one recipient.

    The bodies hold links and codes that work once. They are erased when a provider took the mail,
    unless it is captured for a developer to read.
    """

    __tablename__ = "mail_messages"
    owner = "mainstay"

    recipient: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(255))
    html: Mapped[str | None] = mapped_column(_body())
    text: Mapped[str | None] = mapped_column(_body())
    template: Mapped[str | None] = mapped_column(String(100))
    key: Mapped[str | None] = mapped_column(String(MAX_KEY))
    state: Mapped[str] = mapped_column(String(16), default=MailState.QUEUED)
    attempts: Mapped[int] = mapped_column(Integer(), default=0)
    error: Mapped[str | None] = mapped_column(String(MAX_ERROR))
    provider: Mapped[str | None] = mapped_column(String(20))
    request_id: Mapped[str] = mapped_column(String(64))
    sent_at: Mapped[datetime | None] = mapped_column(Timestamp())

    __table_args__ = (
        Index("ix_mail_messages_created_at", "created_at", "id"),
        Index("ix_mail_messages_key", "key"),
    )

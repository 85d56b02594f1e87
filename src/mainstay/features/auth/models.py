"""What signing in remembers: attempts, single-use tokens and claimed names."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from mainstay.core.db import Base, BaseModel, Id, Timestamp


class LoginAttempts(Base):
    """Failed sign-ins of one account: in all (``source`` is ``*``), and by address."""

    __tablename__ = "login_attempts"

    account: Mapped[str] = mapped_column(String(64), primary_key=True)
    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer())
    updated_at: Mapped[datetime] = mapped_column(Timestamp(), index=True)
    locked_until: Mapped[datetime | None] = mapped_column(Timestamp())


class OneTimeToken(BaseModel):
    """A single-use token, by its hash. ``subject`` is what it was made for, such as an address."""

    __tablename__ = "one_time_tokens"

    purpose: Mapped[str] = mapped_column(String(30))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[str | None] = mapped_column(Id(), ForeignKey("users.id", ondelete="CASCADE"))
    subject: Mapped[str | None] = mapped_column(String(254))
    expires_at: Mapped[datetime] = mapped_column(Timestamp(), index=True)
    spent_at: Mapped[datetime | None] = mapped_column(Timestamp())

    __table_args__ = (Index("ix_one_time_tokens_user_id_purpose", "user_id", "purpose"),)


class UsernameClaim(Base):
    """A name that a registration asked for, whether or not an account came of it.

    It makes a taken address look like a free one: the name is gone in both cases.
    """

    __tablename__ = "username_claims"

    username_key: Mapped[str] = mapped_column(String(100), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(Timestamp(), index=True)

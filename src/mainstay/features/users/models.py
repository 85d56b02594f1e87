"""The users table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mainstay.core.db import BaseModel, JsonDocument, Timestamp


class User(BaseModel):
    """A person with an account.

    ``username_key`` and ``email_key`` are the case-blind forms that are unique on every database.
    A user without ``password_hash`` signs in some other way. ``user_data`` is the user's own to
    write, ``app_data`` only the server's; ``version`` counts changes for ETags.
    """

    __tablename__ = "users"

    username: Mapped[str] = mapped_column(String(50))
    username_key: Mapped[str] = mapped_column(String(100), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    is_active: Mapped[bool] = mapped_column(Boolean(), default=True)
    email_verified: Mapped[bool] = mapped_column(Boolean(), default=False)
    two_fa_enabled: Mapped[bool] = mapped_column(Boolean(), default=False)
    first_name: Mapped[str | None] = mapped_column(String(100))
    last_name: Mapped[str | None] = mapped_column(String(100))
    phone_number: Mapped[str | None] = mapped_column(String(20))
    phone_verified: Mapped[bool] = mapped_column(Boolean(), default=False)
    avatar_url: Mapped[str | None] = mapped_column(String(500))
    bio: Mapped[str | None] = mapped_column(Text())
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    language: Mapped[str] = mapped_column(String(35), default="en")
    user_data: Mapped[dict[str, Any]] = mapped_column(JsonDocument(), default=dict)
    app_data: Mapped[dict[str, Any]] = mapped_column(JsonDocument(), default=dict)
    last_login_at: Mapped[datetime | None] = mapped_column(Timestamp())
    version: Mapped[int] = mapped_column(Integer(), default=1)

    __table_args__ = (Index("ix_users_created_at", "created_at", "id"),)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own convention

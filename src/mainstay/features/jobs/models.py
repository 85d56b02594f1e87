"""The jobs table: the truth about what is to be done, being done, and done."""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Index, Integer, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from mainstay.core.db import BaseModel, JsonDocument, Timestamp

MAX_NAME: Final = 150
MAX_KEY: Final = 255
MAX_ERROR: Final = 1000


class JobState(StrEnum):
    """Where a job is; ``done``, ``failed`` and ``cancelled`` are its ends."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobRow(BaseModel):
    """One piece of work.

    ``active_key`` is the digest of ``unique_key`` while the row is unfinished and NULL afterwards,
    so that a plain unique constraint keeps one unfinished row a key on every database. A running
    row belongs to ``lease_holder`` until ``lease_until``; each claim has a holder of its own. The
    payload is erased when the job is done.
    """

    __tablename__ = "jobs"
    owner = "mainstay"

    name: Mapped[str] = mapped_column(String(MAX_NAME))
    payload: Mapped[dict[str, Any]] = mapped_column(JsonDocument(), default=dict)
    state: Mapped[str] = mapped_column(String(16), default=JobState.QUEUED.value)
    attempts: Mapped[int] = mapped_column(Integer(), default=0)
    max_attempts: Mapped[int] = mapped_column(Integer())
    unique_key: Mapped[str | None] = mapped_column(String(MAX_KEY))
    active_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    run_at: Mapped[datetime] = mapped_column(Timestamp())
    lease_until: Mapped[datetime | None] = mapped_column(Timestamp())
    lease_holder: Mapped[str | None] = mapped_column(String(36))
    progress: Mapped[int | None] = mapped_column(SmallInteger())
    last_error: Mapped[str | None] = mapped_column(String(MAX_ERROR))
    request_id: Mapped[str] = mapped_column(String(64))
    finished_at: Mapped[datetime | None] = mapped_column(Timestamp())

    __table_args__ = (
        Index("ix_jobs_state_run_at", "state", "run_at", "id"),
        Index("ix_jobs_state_finished_at", "state", "finished_at"),
    )


def active_key(key: str) -> str:
    """Give the digest that stands for a key while its job is unfinished."""
    return hashlib.sha256(key.encode()).hexdigest()

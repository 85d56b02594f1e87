"""What administrators do to jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mainstay.core.events import Event


@dataclass(frozen=True, kw_only=True)
class JobRetried(Event):
    """A failed or cancelled job was queued again."""

    name: ClassVar[str] = "job.retried"

    job: str


@dataclass(frozen=True, kw_only=True)
class JobCancelled(Event):
    """An unfinished job was ended."""

    name: ClassVar[str] = "job.cancelled"

    job: str

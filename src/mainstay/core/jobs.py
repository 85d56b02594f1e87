"""Jobs: work that leaves the request. The row in the database is the truth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """What a handler is given beside its payload.

    ``session`` belongs to the run's own unit of work, committed together with the job's end.
    ``attempt`` counts from 1; ``last_attempt`` says that a failure now is final.
    """

    job_id: str
    session: AsyncSession
    ports: Ports
    attempt: int
    last_attempt: bool


class RetryLaterError(Exception):
    """Raised by a handler: try again at the usual time, and do not report it as a fault."""


class PermanentJobError(Exception):
    """Raised by a handler: trying again cannot help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A kind of work a feature declares.

    ``handler(payload, run)`` must be safe to repeat. Attempt n+1 comes about
    ``backoff * 2**(n-1)`` seconds after attempt n, with jitter, at most an hour. ``every`` makes
    it periodic. ``timeout`` (seconds) bounds one run, and the lease of its row.
    """

    name: str
    handler: Callable[[dict[str, Any], JobRun], Awaitable[None]]
    max_attempts: int = 8
    backoff: float = 5.0
    timeout: float = 60.0
    every: timedelta | None = None


class JobQueue(Protocol):
    """Port: writes a job into the caller's transaction; it runs after the commit."""

    async def enqueue(
        self,
        session: AsyncSession,
        job: str,
        payload: dict[str, Any],
        *,
        key: str | None = None,
        run_at: datetime | None = None,
    ) -> str | None:
        """Add a row and give its id; None where an unfinished job with this key is there."""
        ...

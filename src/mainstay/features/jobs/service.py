"""The queue that writes rows, and what may be done to rows from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from mainstay.core.db.failures import unique_violation
from mainstay.core.errors import ConflictError, NotFoundError
from mainstay.core.events import UNIT_KEY, publish
from mainstay.core.origin import current_origin
from mainstay.features.jobs import repository
from mainstay.features.jobs.events import JobCancelled, JobRetried
from mainstay.features.jobs.models import MAX_KEY, JobRow, JobState, active_key
from mainstay.features.jobs.schedule import next_run, periodic_key
from mainstay.kit.clock import now
from mainstay.kit.ids import canonical_id, new_id

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.bus import Bus
    from mainstay.core.jobs import Job
    from mainstay.features.jobs.kinds import JobKinds

TOPIC: Final = "jobs.queued"
"""What the bus is told when rows have been committed."""


class DatabaseJobQueue:
    """Writes jobs into the caller's transaction, and wakes the runners once it is committed."""

    def __init__(self, kinds: JobKinds, bus: Bus) -> None:
        self._kinds = kinds
        self._bus = bus

    async def enqueue(
        self,
        session: AsyncSession,
        job: str,
        payload: dict[str, Any],
        *,
        key: str | None = None,
        run_at: datetime | None = None,
    ) -> str | None:
        """Add a row and give its id; None where an unfinished job with this key is there.

        Raises:
            UnknownJobError: no enabled feature declares the job.
            ValueError: the key is longer than 255 characters.
        """
        values = {
            "id": new_id(),
            "name": job,
            "payload": payload,
            "max_attempts": self._kinds[job].max_attempts,
            "run_at": run_at or now(),
            "request_id": current_origin().request_id,
        }
        if key is None:
            session.add(JobRow(**values))
        elif not await self._insert_unique(session, values, key):
            return None
        unit = session.info.get(UNIT_KEY)
        if unit is not None:
            unit.after_commit(self._announce)
        return str(values["id"])

    async def _insert_unique(self, session: AsyncSession, values: dict[str, Any], key: str) -> bool:
        if len(key) > MAX_KEY:
            msg = f"A job's key has at most {MAX_KEY} characters."
            raise ValueError(msg)
        await session.flush()  # so that a failure of the caller's own rows is not taken for ours
        row = insert(JobRow).values(**values, unique_key=key, active_key=active_key(key))
        try:
            async with session.begin_nested():
                await session.execute(row)
        except IntegrityError as error:
            if unique_violation(error) is None:
                raise
            return False
        return True

    def _announce(self) -> None:
        self._bus.publish(TOPIC, {})

    async def plan_first(self, session: AsyncSession, job: Job) -> None:
        """See that a periodic job has its waiting row: at once if it is new, or as it is.

        A row that waits for longer than the job's present interval is brought forward.
        """
        if job.every is not None:
            key = periodic_key(job.name)
            await repository.bring_forward(session, key, now() + job.every)
            await self.enqueue(session, job.name, {}, key=key)

    async def plan_next(self, session: AsyncSession, job: Job, planned: datetime) -> None:
        """Write the next row of a periodic job whose present one has just ended."""
        if job.every is not None:
            run_at = next_run(planned, job.every, now())
            await self.enqueue(session, job.name, {}, key=periodic_key(job.name), run_at=run_at)


class JobService:
    """What administrators do to jobs."""

    def __init__(self, queue: DatabaseJobQueue, kinds: JobKinds, bus: Bus) -> None:
        self._queue = queue
        self._kinds = kinds
        self._bus = bus

    async def get(self, session: AsyncSession, job_id: str) -> JobRow:
        """Give the job with this id.

        Raises:
            NotFoundError: there is none.
        """
        canonical = canonical_id(job_id)
        row = await session.get(JobRow, canonical) if canonical else None
        if row is None:
            raise NotFoundError
        return row

    async def retry(self, session: AsyncSession, job_id: str) -> JobRow:
        """Queue a failed or cancelled job again, with all its attempts before it.

        Raises:
            NotFoundError: there is no such job.
            ConflictError: it has not failed, or another with its key is unfinished.
        """
        row = await self.get(session, job_id)
        try:
            async with session.begin_nested():
                queued = await repository.requeue(session, row.id, row.unique_key)
        except IntegrityError as error:
            if unique_violation(error) is None:
                raise
            msg = "Another job with the same key is waiting or running."
            raise ConflictError(msg) from None
        if not queued:
            msg = f"Only a failed or cancelled job can be retried; this one is {row.state}."
            raise ConflictError(msg)
        await publish(session, JobRetried(target_id=row.id, job=row.name))
        session.info[UNIT_KEY].after_commit(lambda: self._bus.publish(TOPIC, {}))
        await session.refresh(row)
        return row

    async def cancel(self, session: AsyncSession, job_id: str) -> None:
        """End an unfinished job; one that is cancelled already stays so.

        What a running one does in its transaction is undone. Of a periodic job this skips one run.

        Raises:
            NotFoundError: there is no such job.
            ConflictError: it is done, or has failed.
        """
        row = await self.get(session, job_id)
        if not await repository.cancel(session, row.id):
            await session.refresh(row)
            if row.state != JobState.CANCELLED:
                msg = f"This job has ended: it is {row.state}."
                raise ConflictError(msg)
            return
        job = self._kinds.find(row.name)
        if job is not None and row.unique_key == periodic_key(row.name):
            await self._queue.plan_next(session, job, row.run_at)
        await publish(session, JobCancelled(target_id=row.id, job=row.name))

"""Runs one claimed job: its work and its end in one transaction, or what a failure means for it."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from mainstay.core.jobs import JobRun, PermanentJobError, RetryLaterError
from mainstay.core.logging import get_logger
from mainstay.core.origin import Origin, reset_origin, set_origin
from mainstay.features.jobs import repository
from mainstay.features.jobs.describing import describe
from mainstay.features.jobs.repository import Claim, LeaseLostError
from mainstay.features.jobs.schedule import retry_delay
from mainstay.kit.clock import now

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.db.unit import Units
    from mainstay.core.jobs import Job
    from mainstay.core.ports import Ports
    from mainstay.features.jobs.kinds import JobKinds
    from mainstay.features.jobs.service import DatabaseJobQueue

_log: Final = get_logger("mainstay.jobs")


class JobTimeoutError(Exception):
    """A run took longer than its job allows."""


class Executor:
    """Runs claimed jobs for one application."""

    def __init__(
        self, units: Units, ports: Ports, *, kinds: JobKinds, queue: DatabaseJobQueue
    ) -> None:
        self._units = units
        self._ports = ports
        self._kinds = kinds
        self._queue = queue

    async def run(self, claimed: Claim) -> None:
        """Run a job to an end of this attempt. Whatever fails is written to its row.

        Where even that fails, the database being away, the row's lease runs out.
        """
        job = self._kinds[claimed.name]
        token = set_origin(Origin(request_id=claimed.request_id, channel="job"))
        try:
            await self._attempt(claimed, job)
        except LeaseLostError:
            _log.warning("job.lease_lost", job=claimed.name, job_id=claimed.id)
        except Exception as error:  # noqa: BLE001 - a handler may raise anything
            await self._settle(claimed, job, error)
        finally:
            reset_origin(token)

    async def _attempt(self, claimed: Claim, job: Job) -> None:
        limit = asyncio.timeout(job.timeout)
        try:
            async with limit, self._units.transaction() as session:
                run = JobRun(
                    job_id=claimed.id,
                    session=session,
                    ports=self._ports,
                    attempt=claimed.attempt,
                    last_attempt=claimed.last_attempt,
                )
                await job.handler(claimed.payload, run)
                await session.flush()
                await repository.finish(session, claimed)
                await self._queue.plan_next(session, job, claimed.run_at)
        except TimeoutError as error:
            if not limit.expired():
                raise
            msg = f"It took longer than {job.timeout:g} s."
            raise JobTimeoutError(msg) from error

    async def _settle(self, claimed: Claim, job: Job, error: Exception) -> None:
        final = isinstance(error, PermanentJobError) or claimed.last_attempt
        reason = describe(error)
        delay = retry_delay(job.backoff, claimed.attempt, random.random())  # noqa: S311 - jitter

        async def note(session: AsyncSession) -> None:
            if final:
                await repository.fail(session, claimed, reason)
                await self._queue.plan_next(session, job, claimed.run_at)
            else:
                later = now() + timedelta(seconds=delay)
                await repository.postpone(session, claimed, run_at=later, error=reason)

        facts = {"job": claimed.name, "job_id": claimed.id, "attempt": claimed.attempt}
        try:
            await self._units.run(note)
        except LeaseLostError:
            _log.warning("job.lease_lost", **facts)
        except Exception as second:  # noqa: BLE001 - the lease will run out
            _log.warning("job.not_settled", **facts, reason=describe(second))
        else:
            self._report(error, reason, final=final, facts=facts)

    def _report(
        self, error: Exception, reason: str, *, final: bool, facts: dict[str, object]
    ) -> None:
        expected = isinstance(error, (RetryLaterError, PermanentJobError))
        if final:
            _log.error("job.failed", **facts, reason=reason, exc_info=None if expected else error)
        elif expected:
            _log.info("job.postponed", **facts, reason=reason)
        else:
            _log.warning("job.retried", **facts, reason=reason, exc_info=error)

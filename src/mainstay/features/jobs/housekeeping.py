"""The periodic jobs that throw away what nobody needs any more."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from mainstay.core.http.idempotency import purge_expired
from mainstay.core.jobs import Job
from mainstay.features.jobs import repository
from mainstay.features.jobs.models import JobState
from mainstay.kit.clock import now

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mainstay.core.jobs import JobRun

KEEP_FINISHED: Final = timedelta(days=7)
"""How long jobs stay that are done or were cancelled."""

KEEP_FAILED: Final = timedelta(days=90)
"""How long jobs stay that have failed for good."""

_BATCH: Final = 1000
_MOST_BATCHES: Final = 20


async def purge_jobs(_: dict[str, Any], run: JobRun) -> None:
    """Delete jobs that ended long ago."""
    moment = now()

    async def finished() -> int:
        states = (JobState.DONE, JobState.CANCELLED)
        before = moment - KEEP_FINISHED
        return await repository.purge(run.session, states, before=before, limit=_BATCH)

    async def failed() -> int:
        before = moment - KEEP_FAILED
        return await repository.purge(run.session, (JobState.FAILED,), before=before, limit=_BATCH)

    await _in_batches(finished)
    await _in_batches(failed)


async def purge_idempotency_keys(_: dict[str, Any], run: JobRun) -> None:
    """Delete idempotency keys past their time."""

    async def expired() -> int:
        return await purge_expired(run.session)

    await _in_batches(expired)


async def _in_batches(purge: Callable[[], Awaitable[int]]) -> None:
    """Repeat while there is a whole batch, a bounded number of times: the next hour goes on."""
    for _ in range(_MOST_BATCHES):
        if await purge() < _BATCH:
            return


HOUSEKEEPING: Final = (
    Job(name="jobs.purge", handler=purge_jobs, every=timedelta(hours=1)),
    Job(name="idempotency.purge", handler=purge_idempotency_keys, every=timedelta(hours=1)),
)

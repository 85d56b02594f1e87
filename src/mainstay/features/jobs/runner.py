"""The one runner: claims rows that are due, and runs a few of them at a time.

It looks when it is woken, when the next row is due, and every two seconds besides, for rows that
other processes wrote. A database that is away makes it wait, never end.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from mainstay.core.logging import get_logger
from mainstay.features.jobs import repository
from mainstay.features.jobs.describing import describe
from mainstay.features.jobs.models import JobState
from mainstay.features.jobs.service import TOPIC
from mainstay.kit.clock import now

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.bus import Bus
    from mainstay.core.db.unit import Units
    from mainstay.features.jobs.executor import Executor
    from mainstay.features.jobs.kinds import JobKinds
    from mainstay.features.jobs.repository import Claim
    from mainstay.features.jobs.service import DatabaseJobQueue

SLOTS: Final = 4
"""Jobs that run at a time."""

LEASE: Final = timedelta(seconds=60)
"""How long a claim holds; it is renewed at a third of this while its job runs."""

GRACE: Final = 10.0
"""Seconds in which running jobs may finish when the process ends."""

_POLL: Final = 2.0
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 4.0
_TAKEN: Final = 0.05  # seconds to look again after others took what was due
_ABANDONED: Final = "LeaseExpired: each time it ran, the process ended or stood still."

_log: Final = get_logger("mainstay.jobs")


class JobRunner:
    """Runs the jobs of one application in this process; any number of processes may do so."""

    def __init__(
        self,
        units: Units,
        executor: Executor,
        *,
        kinds: JobKinds,
        queue: DatabaseJobQueue,
        bus: Bus,
        lease: timedelta = LEASE,
    ) -> None:
        self._units = units
        self._executor = executor
        self._kinds = kinds
        self._queue = queue
        self._bus = bus
        self._lease = lease
        self._running: dict[asyncio.Task[None], Claim] = {}
        self._progress: dict[str, int] = {}
        self._stopping = False
        self._prepared = False
        self._claiming = asyncio.Lock()
        self._woken = asyncio.Event()
        self._main: asyncio.Task[None] | None = None
        self._heart: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] | None = None

    async def start(self) -> None:
        """Begin to run jobs in the background of this event loop."""
        self._stopping = self._prepared = False
        self._claiming, self._woken = asyncio.Lock(), asyncio.Event()
        self._unsubscribe = self._bus.subscribe(TOPIC, lambda _: self._woken.set())
        self._main = asyncio.create_task(self._serve(), name="mainstay-jobs")
        self._heart = asyncio.create_task(self._keep_leases(), name="mainstay-jobs-leases")

    async def stop(self, grace: float = GRACE) -> None:
        """Claim no more, let running jobs finish within ``grace`` seconds, give back the rest."""
        self._stopping = True
        self._woken.set()
        if self._unsubscribe is not None:
            self._unsubscribe()
        end = asyncio.get_running_loop().time() + grace
        if self._main is not None:
            await _end(self._main, grace)
        if self._running:
            left = max(end - asyncio.get_running_loop().time(), 0)
            await asyncio.wait(set(self._running), timeout=left)
        await self._give_back()
        if self._heart is not None:
            await _end(self._heart, 0)
        self._main = self._heart = self._unsubscribe = None

    async def run_due(self) -> int:
        """Run what is due now, and what becomes due by that; gives how many attempts were made."""
        count = 0
        while True:
            claims, _ = await self._claim()
            count += len(claims)
            if not self._running:
                return count
            await asyncio.wait(set(self._running), return_when=asyncio.FIRST_COMPLETED)

    def report(self, job_id: str, percent: int) -> None:
        """Note how far a running job is; written to its row when its lease is renewed."""
        self._progress[job_id] = min(max(percent, 0), 100)

    async def _serve(self) -> None:
        failed = 0.0
        while not self._stopping:
            self._woken.clear()
            try:
                pause = await self._turn()
            except Exception as error:  # noqa: BLE001 - whatever it is, jobs go on
                if not failed:
                    _log.warning("jobs.waiting_for_database", reason=describe(error))
                failed = pause = min(max(failed * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
            else:
                if failed:
                    _log.info("jobs.database_is_back")
                failed = 0.0
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), pause)

    async def _turn(self) -> float:
        """Start what is due; gives the seconds until there may be more."""
        if not self._prepared:
            await self._prepare()
            self._prepared = True
        claims, wait = await self._claim()
        return 0.0 if claims else wait

    async def _prepare(self) -> None:
        """See that periodic jobs have their rows, and say which rows nobody here can run."""
        async with self._units.transaction() as session:
            for job in self._kinds.periodic:
                await self._queue.plan_first(session, job)
            unknown = await repository.unknown_names(session, self._kinds.names)
        for name in unknown:
            _log.warning("job.unknown", job=name, hint="Its rows wait until a feature declares it.")

    async def _claim(self) -> tuple[list[Claim], float]:
        """Claim and start due rows as far as there are slots."""
        async with self._claiming:
            free = SLOTS - len(self._running)
            if free <= 0:
                return [], _POLL
            async with self._units.database.session(write=False) as session:
                rows = await repository.upcoming(session, self._kinds.names, limit=free)
            moment = now()
            due = [r for r in rows if r.state == JobState.RUNNING or r.run_at <= moment]
            if not due:
                waits = [(row.run_at - moment).total_seconds() for row in rows]
                return [], min([_POLL, *waits])
            claims = await self._units.run(partial(self._take, rows=due))
            for claimed in claims:
                self._begin(claimed)
            return claims, _TAKEN

    async def _take(self, session: AsyncSession, *, rows: Sequence[Row[Any]]) -> list[Claim]:
        claims: list[Claim] = []
        for row in rows:
            if row.state == JobState.RUNNING and row.attempts >= row.max_attempts:
                if await repository.give_up(session, row, _ABANDONED):
                    await self._queue.plan_next(session, self._kinds[row.name], row.run_at)
                    _log.error("job.failed", job=row.name, job_id=row.id, reason=_ABANDONED)
                continue
            claimed = await repository.claim(session, row, self._lease)
            if claimed is not None:
                claims.append(claimed)
        return claims

    def _begin(self, claimed: Claim) -> None:
        task = asyncio.create_task(self._executor.run(claimed), name=f"job:{claimed.name}")
        self._running[task] = claimed
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        claimed = self._running.pop(task)
        self._progress.pop(claimed.id, None)
        self._woken.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("job.broken", job=claimed.name, job_id=claimed.id, reason=describe(error))

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            for task, claimed in tuple(self._running.items()):
                try:
                    await self._renew(task, claimed)
                except Exception as error:  # noqa: BLE001 - the next beat may succeed
                    _log.debug("job.lease_not_renewed", job_id=claimed.id, reason=describe(error))

    async def _renew(self, task: asyncio.Task[None], claimed: Claim) -> None:
        progress = self._progress.get(claimed.id)
        async with self._units.transaction() as session:
            held = await repository.renew(session, claimed, self._lease, progress)
        if not held:
            task.cancel()

    async def _give_back(self) -> None:
        left = dict(self._running)
        for task in left:
            task.cancel()
        if not left:
            return
        await asyncio.wait(set(left))
        try:
            async with self._units.transaction() as session:
                for claimed in left.values():
                    await repository.release(session, claimed)
        except Exception as error:  # noqa: BLE001 - the leases will run out
            _log.warning("jobs.not_released", reason=describe(error))


async def _end(task: asyncio.Task[None], grace: float) -> None:
    """Wait for a task, then cancel it."""
    await asyncio.wait({task}, timeout=grace)
    if not task.done():
        task.cancel()
        await asyncio.wait({task})

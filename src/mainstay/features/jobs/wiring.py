"""How the parts of this feature are put together, and its life in a process."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from mainstay.core.bus import Bus
from mainstay.core.db.unit import Units
from mainstay.features.jobs.executor import Executor
from mainstay.features.jobs.kinds import JobKinds
from mainstay.features.jobs.runner import LEASE, JobRunner
from mainstay.features.jobs.service import DatabaseJobQueue, JobService

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import timedelta

    from mainstay.core.jobs import JobRun
    from mainstay.core.ports import Ports


def make_queue(ports: Ports) -> DatabaseJobQueue:
    """Make the queue."""
    return DatabaseJobQueue(ports[JobKinds], ports[Bus])


def make_service(ports: Ports) -> JobService:
    """Make what administrators work with."""
    bus = ports[Bus]
    return JobService(ports[DatabaseJobQueue], ports[JobKinds], bus)


def make_runner(ports: Ports, *, lease: timedelta = LEASE) -> JobRunner:
    """Make the runner; it rests until it is started."""
    units, kinds, queue = ports[Units], ports[JobKinds], ports[DatabaseJobQueue]
    executor = Executor(units, ports, kinds=kinds, queue=queue)
    bus = ports[Bus]
    return JobRunner(units, executor, kinds=kinds, queue=queue, bus=bus, lease=lease)


@asynccontextmanager
async def running(ports: Ports) -> AsyncIterator[None]:
    """Run jobs while the application lives."""
    runner = ports[JobRunner]
    await runner.start()
    try:
        yield
    finally:
        await runner.stop()


async def run_due_jobs(ports: Ports) -> int:
    """Run all jobs that are due now, and what they bring about; gives how many runs there were.

    Works beside a runner in the background too: its runs are waited for, and not counted.
    """
    return await ports[JobRunner].run_due()


def report_progress(run: JobRun, percent: int) -> None:
    """Say how far a running job is, 0 to 100; shown within a third of its lease (20 s)."""
    run.ports[JobRunner].report(run.job_id, percent)

"""A small house round the jobs feature: a database of each kind, a hub, ports, no HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from mainstay.core.bus import Bus, LocalBus
from mainstay.core.db import Base
from mainstay.core.db.engine import Database
from mainstay.core.db.settings import DatabaseSettings
from mainstay.core.db.unit import Units
from mainstay.core.events import EventHub, Subscriber
from mainstay.core.feature import Feature
from mainstay.core.http.idempotency import IdempotencyKey
from mainstay.core.jobs import Job, JobQueue
from mainstay.core.ports import Ports
from mainstay.core.registry import Registry, assemble
from mainstay.features.jobs import JobRow, JobRunner, feature
from mainstay.features.jobs.wiring import make_runner
from mainstay.testing.databases import KINDS, fresh_database, is_required, why_unavailable


class House:
    """One process of an application; several may stand on one database."""

    def __init__(
        self, url: str, jobs: tuple[Job, ...] = (), subscribers: tuple[Subscriber, ...] = ()
    ) -> None:
        extra = Feature(name="tests", requires=("jobs",), jobs=jobs, subscribers=subscribers)
        registry = assemble([feature, extra], given_ports=[Bus, Units, EventHub, Registry])
        self.ports = Ports(p for f in registry.features for p in f.provides)
        self.database = Database(DatabaseSettings(DATABASE_URL=url))
        self.bus = LocalBus()
        self.hub = EventHub((s for f in registry.features for s in f.subscribers), self.ports)
        self.units = Units(self.database, self.hub)
        self.ports.add(Registry, registry)
        self.ports.add(EventHub, self.hub)
        self.ports.add(Units, self.units)
        self.ports.add(Bus, self.bus)
        self.queue = self.ports[JobQueue]
        self.hub.use_queue(self.queue)

    @property
    def runner(self) -> JobRunner:
        return self.ports[JobRunner]

    def lease(self, lease: timedelta) -> None:
        self.ports.add(JobRunner, make_runner(self.ports, lease=lease))

    async def add(self, job: str, payload: dict[str, Any] | None = None, **more: Any) -> str | None:
        async with self.units.transaction() as session:
            return await self.queue.enqueue(session, job, payload or {}, **more)

    async def rows(self, name: str | None = None) -> list[JobRow]:
        async with self.database.session(write=False) as session:
            found = select(JobRow).order_by(JobRow.created_at, JobRow.id)
            if name is not None:
                found = found.where(JobRow.name == name)
            return list((await session.scalars(found)).all())

    async def row(self, job_id: str | None) -> JobRow:
        return next(row for row in await self.rows() if row.id == job_id)

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Look again and again until it holds; a test that waits in vain fails."""
        async with asyncio.timeout(20):
            while not await holds():  # noqa: ASYNC110  (the database tells nobody)
                await asyncio.sleep(0.02)

    async def until_state(self, job_id: str | None, state: str) -> JobRow:
        async def there() -> bool:
            return (await self.row(job_id)).state == state

        await self.until(there)
        return await self.row(job_id)


Build = Callable[..., Any]


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of each kind that answers here."""
    reason = why_unavailable(request.param)
    if reason is not None:
        (pytest.fail if is_required(request.param) else pytest.skip)(reason)
    with fresh_database(request.param) as address:
        yield address


@pytest.fixture
def sqlite_url() -> Iterator[str]:
    with fresh_database("sqlite") as address:
        yield address


@pytest.fixture
def build() -> Build:
    """``async with build(url, jobs=..., subscribers=...) as house``; makes the tables."""

    @asynccontextmanager
    async def make(url: str, **parts: Any) -> AsyncIterator[House]:
        house = House(url, **parts)
        tables = [JobRow.__table__, IdempotencyKey.__table__]
        async with house.database.engine.begin() as connection:
            await connection.run_sync(lambda c: Base.metadata.create_all(c, tables=tables))
        try:
            yield house
        finally:
            await house.database.dispose()

    return make

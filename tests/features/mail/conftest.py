"""A small house round the mail feature: a database, jobs, ports, no HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from mainstay.core.bus import Bus, LocalBus
from mainstay.core.db import Base
from mainstay.core.db.engine import Database
from mainstay.core.db.settings import DatabaseSettings
from mainstay.core.db.unit import Units
from mainstay.core.events import EventHub
from mainstay.core.jobs import JobQueue
from mainstay.core.mail import Mailer
from mainstay.core.ports import Ports
from mainstay.core.registry import Registry, assemble
from mainstay.core.settings import ApplicationSettings, Settings
from mainstay.features.jobs import JobRow, run_due_jobs
from mainstay.features.jobs import feature as jobs
from mainstay.features.mail import MailMessage, MailProvider, MailSettings, OutgoingMail
from mainstay.features.mail import feature as mail
from mainstay.testing.databases import KINDS, fresh_database, is_required, why_unavailable


class House:
    """One process of an application that sends mail."""

    def __init__(self, url: str, provider: MailProvider | None, **settings: Any) -> None:
        registry = assemble([jobs, mail], given_ports=[Bus, Units, EventHub, Registry, Settings])
        self.ports = Ports(p for f in registry.features for p in f.provides)
        self.database = Database(DatabaseSettings(DATABASE_URL=url))
        self.hub = EventHub((), self.ports)
        self.units = Units(self.database, self.hub)
        application = ApplicationSettings(PROJECT_NAME="Shop & Co")
        self.ports.add(Settings, Settings([application, MailSettings(**settings)]))
        self.ports.add(Registry, registry)
        self.ports.add(EventHub, self.hub)
        self.ports.add(Units, self.units)
        self.ports.add(Bus, LocalBus())
        self.hub.use_queue(self.ports[JobQueue])
        if provider is not None:
            self.ports.add(MailProvider, provider)

    @property
    def mailer(self) -> Mailer:
        return self.ports[Mailer]

    async def send(self, **values: Any) -> str:
        facts = {"to": "ada@example.com", "subject": "Hello", "text": "Hello, Ada."} | values
        async with self.units.transaction() as session:
            return await self.mailer.send_message(session, **facts)

    async def run(self) -> int:
        return await run_due_jobs(self.ports)

    async def messages(self) -> list[MailMessage]:
        async with self.database.session(write=False) as session:
            return list((await session.scalars(select(MailMessage).order_by(MailMessage.id))).all())

    async def jobs(self) -> list[JobRow]:
        async with self.database.session(write=False) as session:
            return list((await session.scalars(select(JobRow).order_by(JobRow.id))).all())


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
def build() -> Callable[..., Any]:
    """``async with build(url, provider, **settings) as house``; makes the tables."""

    @asynccontextmanager
    async def make(
        url: str, provider: MailProvider | None = None, **settings: Any
    ) -> AsyncIterator[House]:
        house = House(url, provider, **settings)
        tables = [JobRow.__table__, MailMessage.__table__]
        async with house.database.engine.begin() as connection:
            await connection.run_sync(lambda c: Base.metadata.create_all(c, tables=tables))
        try:
            yield house
        finally:
            await house.database.dispose()

    return make


@pytest.fixture
def letter() -> OutgoingMail:
    """A mail with all that is hard to carry: umlauts, long lines, a dot alone, a link."""
    link = "https://shop.test/reset-password?token=" + "a1B2" * 20
    text = f"Grüße an Ada\n.\n{link}\n" + "lang " * 300
    return OutgoingMail(
        id="0198f3a0-0000-7000-8000-000000000001",
        to="ada@example.com",
        subject="Shop & Co: Grüße",
        html=f'<!doctype html><p>Grüße</p><a href="{link}">hier</a>',
        text=text,
        request_id="req_42",
        created_at=datetime(2026, 1, 31, 9, 30, tzinfo=UTC),
    )

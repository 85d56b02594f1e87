"""Health on real databases: while every connection is in use, and with nobody at the other end."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy import text

from mainstay.core.db.engine import Database
from mainstay.core.db.settings import DatabaseSettings
from mainstay.features.health.probe import Probe
from mainstay.testing.databases import KINDS, fresh_database, is_required, why_unavailable


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest) -> Any:
    reason = why_unavailable(request.param)
    if reason is not None:
        (pytest.fail if is_required(request.param) else pytest.skip)(reason)
    with fresh_database(request.param) as found:
        yield found


def test_an_exhausted_pool_is_not_a_database_that_is_away(url: str) -> None:
    database = Database(DatabaseSettings(DATABASE_URL=url, DB_POOL_SIZE=2, DB_MAX_OVERFLOW=0))

    async def run() -> None:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(database.dispose)
            for _ in range(2):
                session = await stack.enter_async_context(database.session(write=False))
                await session.execute(text("SELECT 1"))
            assert (await Probe("database", database.ping).state()).up

    asyncio.run(run())


def test_nobody_at_the_other_end_is_down() -> None:
    database = Database(DatabaseSettings(DATABASE_URL="postgresql://a:b@127.0.0.1:1/c"))

    async def run() -> None:
        assert not (await Probe("database", database.ping).state()).up
        await database.dispose()

    asyncio.run(run())

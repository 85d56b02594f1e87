from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import create_async_engine

from mainstay.core.db import pool as pools
from mainstay.core.db.pool import PatientPool, replace_dead_connections

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def engine_of(folder, **options):
    given = {"pool_size": 1, "max_overflow": 0, **options}
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{folder}/a.db", poolclass=PatientPool, **given
    )
    try:
        yield engine
    finally:
        await engine.dispose()


async def _connect(engine) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))


async def test_a_pool_in_which_nothing_moves_is_given_up(tmp_path):
    async with engine_of(tmp_path) as engine, engine.connect():
        async with asyncio.timeout(5):
            with pytest.raises(PoolTimeoutError):
                await _connect(engine)
        assert engine.pool.checkedout() == 1


async def test_a_shorter_timeout_of_the_settings_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(pools, "PATIENCE", 60)
    async with engine_of(tmp_path, pool_timeout=0.1) as engine, engine.connect():
        async with asyncio.timeout(5):
            with pytest.raises(PoolTimeoutError):
                await _connect(engine)


async def test_it_is_waited_for_while_there_is_an_excuse(tmp_path, monkeypatch):
    monkeypatch.setattr(pools, "PATIENCE", 0.05)
    async with engine_of(tmp_path) as engine:
        engine.sync_engine.pool.excuse(lambda: True)
        async with engine.connect():
            waiting = asyncio.create_task(_connect(engine))
            await asyncio.sleep(0.3)
            assert not waiting.done()
        await waiting


async def test_who_would_wait_for_long_is_refused_at_once(tmp_path):
    async with engine_of(tmp_path) as engine:
        queue = engine.sync_engine.pool._pool
        async with engine.connect():
            waiting = [asyncio.create_task(_connect(engine)) for _ in range(queue.room)]
            await asyncio.sleep(0)
            queue._pace = 10.0
            async with asyncio.timeout(0.5):
                with pytest.raises(PoolTimeoutError):
                    await _connect(engine)
        await asyncio.gather(*waiting)
        await _connect(engine)


async def test_the_pace_is_learnt(tmp_path):
    async with engine_of(tmp_path) as engine:

        async def work():
            async with engine.connect():
                await asyncio.sleep(0.02)

        await asyncio.gather(*(work() for _ in range(15)))
        assert 0 < engine.sync_engine.pool._pool._pace < pools.LONGEST_WAIT


async def test_many_short_uses_all_get_through(tmp_path):
    async with engine_of(tmp_path, pool_size=3, max_overflow=2) as engine:
        await asyncio.gather(*(_connect(engine) for _ in range(200)))
        assert engine.pool.checkedout() == 0


async def test_who_stops_waiting_leaves_no_hole(tmp_path):
    async with engine_of(tmp_path) as engine:
        async with engine.connect():
            waiting = [asyncio.create_task(_connect(engine)) for _ in range(3)]
            await asyncio.sleep(0.01)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        await _connect(engine)
        assert engine.pool.checkedout() == 0


class Line:
    """What the pool is told about its connections."""

    def __init__(self) -> None:
        self.closed: list[object] = []
        self.pinged = 0
        self.answers = True

    def is_closed(self, driver) -> bool:
        return any(driver is each for each in self.closed)

    async def ping(self, _driver) -> None:
        self.pinged += 1
        if not self.answers:
            await asyncio.sleep(60)


async def _driver(engine) -> object:
    async with engine.connect() as connection:
        return (await connection.get_raw_connection()).driver_connection


async def test_a_closed_connection_is_replaced_before_it_is_used(tmp_path):
    line = Line()
    async with engine_of(tmp_path) as engine:
        replace_dead_connections(engine, is_closed=line.is_closed, ping=line.ping)
        first = await _driver(engine)
        assert await _driver(engine) is first
        line.closed.append(first)
        second = await _driver(engine)
        assert second is not first
        assert await _driver(engine) is second
        assert line.pinged == 0


async def test_only_a_connection_that_was_idle_is_asked(tmp_path, monkeypatch):
    line = Line()
    async with engine_of(tmp_path) as engine:
        replace_dead_connections(engine, is_closed=line.is_closed, ping=line.ping)
        for _ in range(3):
            await _connect(engine)
        assert line.pinged == 0
        monkeypatch.setattr(pools, "_IDLE", -1)
        await _connect(engine)
        assert line.pinged == 1


async def test_a_connection_that_does_not_answer_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(pools, "_IDLE", -1)
    monkeypatch.setattr(pools, "_PING_TIMEOUT", 0.05)
    line = Line()
    async with engine_of(tmp_path) as engine:
        replace_dead_connections(engine, is_closed=line.is_closed, ping=line.ping)
        await _connect(engine)
        line.answers = False
        async with asyncio.timeout(5):
            await _connect(engine)
        assert line.pinged == 1

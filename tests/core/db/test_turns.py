from __future__ import annotations

import asyncio
import sqlite3

import pytest
from sqlalchemy import text
from sqlalchemy.util import greenlet_spawn

from mainstay.core.db.engine import Database
from mainstay.core.db.failures import Failure, classify
from mainstay.core.db.settings import DatabaseSettings
from mainstay.core.db.turns import Turns

pytestmark = pytest.mark.anyio


class Writer:
    """Stands for a connection of SQLAlchemy."""

    def run_async(self, work):
        from sqlalchemy.util import await_only

        return await_only(work(self))


def take(turns: Turns, writer: Writer):
    return asyncio.ensure_future(greenlet_spawn(turns.take, writer))


async def test_turns_go_in_order():
    turns, writers = Turns(5), [Writer() for _ in range(4)]
    taken = [take(turns, writer) for writer in writers]
    for place, task in enumerate(taken):
        await asyncio.wait_for(asyncio.shield(task), 1)
        assert [other.done() for other in taken] == [n <= place for n in range(4)]
        turns.give_back(writers[place])
    assert not turns.is_awaited()


async def test_only_the_holder_can_give_back():
    turns, one, two = Turns(5), Writer(), Writer()
    await take(turns, one)
    waiting = take(turns, two)
    await asyncio.sleep(0.01)
    turns.give_back(two)
    await asyncio.sleep(0.01)
    assert not waiting.done()
    assert turns.is_awaited()
    turns.give_back(one)
    await waiting


async def test_who_waits_too_long_is_told_as_sqlite_would():
    turns, one, two, three = Turns(0.05), Writer(), Writer(), Writer()
    await take(turns, one)
    with pytest.raises(sqlite3.OperationalError) as caught:
        await take(turns, two)
    assert classify(caught.value) is Failure.LOCKED
    turns.give_back(one)
    await asyncio.wait_for(take(turns, three), 1)


async def test_who_stops_waiting_is_passed_over():
    turns, one, two, three = Turns(5), Writer(), Writer(), Writer()
    await take(turns, one)
    leaving, staying = take(turns, two), take(turns, three)
    await asyncio.sleep(0.01)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    turns.give_back(one)
    await asyncio.wait_for(staying, 1)


async def test_who_is_cancelled_as_the_turn_comes_hands_it_on():
    turns, one, two, three = Turns(5), Writer(), Writer(), Writer()
    await take(turns, one)
    leaving, staying = take(turns, two), take(turns, three)
    await asyncio.sleep(0.01)
    turns.give_back(one)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    await asyncio.wait_for(staying, 1)


def test_a_loop_that_has_ended_keeps_no_turn():
    turns = Turns(5)

    async def work():
        await asyncio.wait_for(take(turns, Writer()), 1)

    asyncio.run(work())
    asyncio.run(work())


@pytest.fixture
async def db(sqlite_url):
    database = Database(DatabaseSettings(DATABASE_URL=sqlite_url))
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE t (a UNIQUE)"))
    yield database
    await database.dispose()


async def _write(db, value):
    async with db.transaction() as session:
        await session.execute(text("INSERT INTO t VALUES (:a)"), {"a": value})


async def test_a_turn_ends_however_the_transaction_does(db):
    async with asyncio.timeout(5):
        await _write(db, 1)
        with pytest.raises(Exception, match="UNIQUE"):
            await _write(db, 1)
        async with db.session(write=True) as session:
            await session.execute(text("INSERT INTO t VALUES (2)"))
        await _write(db, 2)
        async with db.engine.connect() as connection:
            await connection.execute(text("INSERT INTO t VALUES (3)"))
            await connection.commit()
            await _write(db, 4)
        async with db.engine.connect() as connection:
            await connection.execute(text("INSERT INTO t VALUES (5)"))
            await connection.invalidate()
            await _write(db, 5)


async def test_readers_take_no_turn(db):
    async with asyncio.timeout(5), db.session(write=False) as reading:
        await reading.execute(text("SELECT * FROM t"))
        await _write(db, 1)


async def test_a_refused_begin_ends_the_turn(db, monkeypatch):
    """Another program has the lock for too long."""
    await _write(db, 0)
    async with db.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        await driver.execute("PRAGMA busy_timeout=10")
    other = sqlite3.connect(db.url.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Exception, match="locked") as caught:
        await _write(db, 1)
    assert classify(caught.value) is Failure.LOCKED
    other.execute("COMMIT")
    other.close()
    async with asyncio.timeout(5):
        await _write(db, 2)

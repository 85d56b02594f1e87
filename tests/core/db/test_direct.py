from __future__ import annotations

import asyncio
import sqlite3

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mainstay.core.db import direct
from mainstay.core.db.direct import NoDirectWayError, PostgresReads, SqliteReads
from mainstay.core.db.drivers import Terms
from mainstay.core.db.failures import is_unavailable
from mainstay.core.db.url import DatabaseUrl

pytestmark = pytest.mark.anyio


def reads(url: str, **options) -> PostgresReads:
    return PostgresReads(DatabaseUrl.parse(url), Terms(), **{"connections": 2} | options)


async def _backends(lane: PostgresReads) -> set[int]:
    rows = await asyncio.gather(*(lane.fetch("SELECT pg_backend_pid()", ()) for _ in range(10)))
    return {row[0][0] for row in rows}


async def test_postgresql_has_a_few_connections_and_reuses_them(postgresql_url):
    lane = reads(postgresql_url)
    found = await _backends(lane)
    assert len(found) == 2
    assert await _backends(lane) <= found
    await lane.close()


async def test_a_broken_connection_is_replaced_and_the_read_made_again(postgresql_url):
    lane, other = reads(postgresql_url, connections=1), reads(postgresql_url)
    (victim,) = await _backends(lane)
    await other.fetch("SELECT pg_terminate_backend($1)", (victim,))
    assert await _backends(lane) != {victim}
    await lane.close()
    await other.close()


async def test_a_connection_that_breaks_during_a_read_is_replaced(postgresql_url):
    lane, other = reads(postgresql_url, connections=1), reads(postgresql_url)
    (victim,) = await _backends(lane)
    reading = asyncio.create_task(lane.fetch("SELECT pg_sleep(0.5), pg_backend_pid()", ()))
    await asyncio.sleep(0.1)
    await other.fetch("SELECT pg_terminate_backend($1)", (victim,))
    assert (await reading)[0][1] != victim
    await lane.close()
    await other.close()


async def test_a_wrong_statement_keeps_the_connection(postgresql_url):
    lane = reads(postgresql_url, connections=1)
    found = await _backends(lane)
    with pytest.raises(Exception, match="does not exist"):
        await lane.fetch("SELECT nothing", ())
    assert await _backends(lane) == found
    await lane.close()


async def test_full_lanes_fail_fast(postgresql_url, monkeypatch):
    monkeypatch.setattr(direct, "PATIENCE", 0.1)
    lane = reads(postgresql_url, connections=1)
    slow = asyncio.create_task(lane.fetch("SELECT pg_sleep(1)", ()))
    await asyncio.sleep(0.05)
    with pytest.raises(PoolTimeoutError) as caught:
        await lane.fetch("SELECT 1", ())
    assert is_unavailable(caught.value)
    await slow
    assert await lane.fetch("SELECT 1", ())
    await lane.close()


async def test_documents_are_read_as_such(postgresql_url):
    lane = reads(postgresql_url)
    (row,) = await lane.fetch(
        """SELECT '{"a": [1, null]}'::jsonb, '[2]'::json, $1::jsonb""", ("3",)
    )
    assert tuple(row) == ({"a": [1, None]}, [2], 3)
    await lane.close()


def test_one_loop_after_another(postgresql_url):
    lane = reads(postgresql_url)

    async def read():
        rows = await lane.fetch("SELECT 1", ())
        await lane.close()
        return rows[0][0]

    assert [asyncio.run(read()), asyncio.run(read())] == [1, 1]


async def test_sqlite_reads_inline_and_never_waits(tmp_path):
    file = tmp_path / "a.db"
    lane = SqliteReads(file)
    with pytest.raises(NoDirectWayError):
        await lane.fetch("SELECT 1", ())
    assert not file.exists()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("CREATE TABLE t (a)")
    assert list(await lane.fetch("SELECT count(*) FROM t", ())) == [(0,)]
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(NoDirectWayError):
        await lane.fetch("SELECT count(*) FROM t", ())
    other.execute("COMMIT")
    assert list(await lane.fetch("SELECT count(*) FROM t", ())) == [(0,)]
    other.close()
    await lane.close()


async def test_sqlite_writes_nothing_on_this_way(tmp_path):
    file = tmp_path / "a.db"
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("CREATE TABLE t (a)")
    lane = SqliteReads(file)
    with pytest.raises(NoDirectWayError):
        await lane.fetch("INSERT INTO t VALUES (1)", ())
    assert other.execute("SELECT count(*) FROM t").fetchone() == (0,)
    other.close()
    await lane.close()

from __future__ import annotations

import asyncio
import sqlite3
import threading

import pytest
from sqlalchemy import text

from mainstay.core.db.sqlite_driver import _FETCHED_AT_ONCE, connect

pytestmark = pytest.mark.anyio
MANY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n"


@pytest.fixture
async def connection(tmp_path):
    opened = await connect(f"{tmp_path}/a.db", isolation_level=None)
    await opened.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
    yield opened
    await opened.close()


async def _cursor(connection, statement, parameters=()):
    return await connection.cursor().execute(statement, parameters)


@pytest.mark.parametrize("count", [0, 1, _FETCHED_AT_ONCE, _FETCHED_AT_ONCE + 1, 5000])
async def test_all_rows_come_whatever_their_number(connection, count):
    cursor = await _cursor(
        connection, MANY.replace("SELECT 1 UNION", f"SELECT 1 WHERE {count} UNION"), (count,)
    )
    assert [row[0] for row in await cursor.fetchall()] == list(range(1, count + 1))
    assert await cursor.fetchall() == []
    await cursor.close()


async def test_rows_come_in_portions(connection):
    cursor = await _cursor(connection, MANY, (2500,))
    got = [(await cursor.fetchone())[0]]
    while rows := await cursor.fetchmany(700):
        got += [row[0] for row in rows]
    assert got == list(range(1, 2501))
    assert await cursor.fetchone() is None
    await cursor.close()


async def test_a_cursor_says_what_a_statement_did(connection):
    inserted = await _cursor(connection, "INSERT INTO t (b) VALUES (?), (?)", (1, 2))
    assert (inserted.rowcount, inserted.lastrowid, inserted.description) == (2, 2, None)
    returned = await _cursor(connection, "UPDATE t SET b = 3 RETURNING a")
    assert await returned.fetchall() == [(1,), (2,)]
    assert returned.rowcount == 2
    selected = await _cursor(connection, "SELECT a, b AS c FROM t")
    assert [column[0] for column in selected.description] == ["a", "c"]


async def test_many_sets_of_parameters(connection):
    cursor = connection.cursor()
    await cursor.executemany("INSERT INTO t (b) VALUES (?)", [(1,), (2,), (3,)])
    assert cursor.rowcount == 3


async def test_an_error_is_sqlites_own(connection):
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await _cursor(connection, "SELECT * FROM nowhere")
    assert await (await _cursor(connection, "SELECT 1")).fetchall() == [(1,)]


async def test_a_half_read_statement_can_be_closed(connection):
    cursor = await _cursor(connection, MANY, (5000,))
    await cursor.close()
    await _cursor(connection, "DROP TABLE t")


async def test_a_short_statement_is_one_hop(connection):
    hops = []
    inner = connection._execute

    async def counting(work, *arguments, **named):
        hops.append(work)
        return await inner(work, *arguments, **named)

    connection._execute = counting
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT 1")
        assert await cursor.fetchall() == [(1,)]
    assert len(hops) == 1
    assert inner.__self__._thread is not threading.current_thread()


async def test_a_long_result_is_streamed(sqlite_url):
    from mainstay.core.db.engine import Database
    from mainstay.core.db.settings import DatabaseSettings

    database = Database(DatabaseSettings(DATABASE_URL=sqlite_url))
    statement = text(MANY.replace("?", "3000"))
    async with database.engine.connect() as streaming:
        result = await streaming.stream(statement)
        assert [row[0] async for row in result] == list(range(1, 3001))
    await database.dispose()


async def test_statements_at_once_do_not_mix(tmp_path):
    opened = [await connect(f"{tmp_path}/a.db", isolation_level=None) for _ in range(4)]

    async def ask(each, number):
        return await (await _cursor(each, "SELECT ?", (number,))).fetchall()

    found = await asyncio.gather(*(ask(each, n) for n, each in enumerate(opened * 10)))
    assert found == [[(n,)] for n in range(40)]
    for each in opened:
        await each.close()

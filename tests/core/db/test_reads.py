from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    Boolean,
    Column,
    Integer,
    MetaData,
    String,
    Table,
    and_,
    bindparam,
    func,
    insert,
    select,
)

from mainstay.core.db.batch import BatchedReader
from mainstay.core.db.engine import Database
from mainstay.core.db.reads import KeyedRead, PreparedRead
from mainstay.core.db.statistics import counted
from mainstay.core.db.types import Id, JsonDocument, Timestamp
from mainstay.kit.clock import now
from mainstay.kit.ids import new_id

pytestmark = pytest.mark.anyio
METADATA = MetaData()
PEOPLE = Table(
    "people",
    METADATA,
    Column("id", Id(), primary_key=True),
    Column("name", String(40)),
    Column("active", Boolean),
    Column("age", Integer),
    Column("data", JsonDocument()),
    Column("at", Timestamp()),
)
ALL = select(PEOPLE)
BY_ID = ALL.where(PEOPLE.c.id == bindparam("id"))


@pytest.fixture
async def db(database: Database) -> Database:
    async with database.engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    return database


async def put(db: Database, **values) -> str:
    row = {
        "id": new_id(),
        "name": "Ada",
        "active": True,
        "age": 36,
        "data": {"a": [1]},
        "at": now(),
    }
    async with db.transaction() as session:
        await session.execute(insert(PEOPLE).values(row | values))
    return values.get("id", row["id"])


async def test_the_direct_and_the_plain_way_give_the_same(db):
    key = await put(db)
    empty = await put(db, name=None, active=None, age=None, data=None, at=None)
    direct, plain = PreparedRead(db, BY_ID), PreparedRead(db, BY_ID, plain=True)
    for wanted in (key, key.upper(), empty, new_id()):
        assert await direct.all(id=wanted) == await plain.all(id=wanted)
        assert await direct.first(id=wanted) == await plain.first(id=wanted)
    row = await direct.first(id=key)
    assert (row.id, row.name, row.active, row.data) == (key, "Ada", True, {"a": [1]})
    assert row.at.tzinfo is not None
    assert type(row.active) is bool


async def test_parameters_of_every_kind(db):
    await put(db, name="Ada", age=36)
    await put(db, name="Bo", age=7)
    moment = now()
    statement = ALL.where(
        and_(PEOPLE.c.age > bindparam("age"), PEOPLE.c.name != "Cy", PEOPLE.c.at <= bindparam("at"))
    )
    for plain in (False, True):
        rows = await PreparedRead(db, statement, plain=plain).all(age=10, at=moment)
        assert [row.name for row in rows] == ["Ada"]


async def test_a_read_is_fresh(db):
    read = PreparedRead(db, select(func.count().label("count")).select_from(PEOPLE))
    assert (await read.first()).count is not None
    for expected in range(1, 4):
        await put(db)
        assert (await read.first())[0] == expected


async def test_a_read_never_sees_what_is_not_committed(db):
    key = new_id()
    read = PreparedRead(db, BY_ID)
    async with db.transaction() as session:
        await session.execute(insert(PEOPLE).values(id=key, name="Ada"))
        assert await read.first(id=key) is None
    assert (await read.first(id=key)).name == "Ada"


async def test_every_way_is_counted(db):
    for plain in (False, True):
        with counted(record=True) as statistics:
            await PreparedRead(db, BY_ID, plain=plain).first(id=new_id())
        assert statistics.count == 1
        assert "people" in statistics.statements[0]


@pytest.mark.parametrize("plain", [False, True])
async def test_rows_by_their_keys(db, plain):
    keys = [await put(db, name=str(n)) for n in range(5)]
    read = KeyedRead(db, ALL, PEOPLE.c.id, plain=plain)
    assert (await read.get(keys[3])).name == "3"
    assert await read.get(new_id()) is None
    found = await read.get_many([*keys[1:3], new_id(), keys[1].upper()])
    assert {key: row.name for key, row in found.items()} == {keys[1]: "1", keys[2]: "2"}
    assert await read.get_many([]) == {}


@pytest.mark.parametrize("plain", [False, True])
async def test_a_malformed_key_finds_nothing(db, plain):
    key = await put(db)
    read = KeyedRead(db, ALL, PEOPLE.c.id, plain=plain)
    for malformed in ("", "garbage", "%", "'", "\0"):
        assert await read.get(malformed) is None
        assert list(await read.get_many([malformed, key])) == [key]


async def test_joined_reads_agree_with_single_ones(db):
    keys = [await put(db, name=str(n)) for n in range(10)]
    read = KeyedRead(db, ALL, PEOPLE.c.id)
    reader = BatchedReader(read.get_many)
    wanted = [*keys, *keys[:3], new_id()]
    with counted() as statistics:
        joined = await asyncio.gather(*(reader.get(key) for key in wanted))
    assert statistics.count == 1
    assert joined == [await read.get(key) for key in wanted]


async def test_more_readers_than_connections(db):
    key = await put(db)
    read = PreparedRead(db, BY_ID)
    rows = await asyncio.gather(*(read.first(id=key) for _ in range(200)))
    assert {row.id for row in rows} == {key}


async def test_a_cancelled_read_hurts_nobody(db):
    key = await put(db)
    read = PreparedRead(db, BY_ID)
    for _ in range(20):
        tasks = [asyncio.create_task(read.first(id=key)) for _ in range(8)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(row.id == key for row in found[1::2])


async def test_a_changed_table_is_read_on(db):
    """The server's prepared statement knows the old columns."""
    from sqlalchemy import text

    key = await put(db)
    read = PreparedRead(db, BY_ID)
    assert (await read.first(id=key)).name == "Ada"
    async with db.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE people ADD COLUMN colour INTEGER"))
        if db.dialect_name == "postgresql":
            await connection.execute(text("ALTER TABLE people ALTER COLUMN name TYPE VARCHAR(90)"))
    assert (await read.first(id=key)).name == "Ada"


async def test_a_parameter_that_stands_for_several_is_refused(db):
    if db.direct is None:
        return
    several = ALL.where(PEOPLE.c.id.in_(bindparam("ids", expanding=True)))
    with pytest.raises(TypeError, match="several"):
        await PreparedRead(db, several).all(ids=[new_id()])


async def test_where_the_direct_way_is_shut_the_plain_one_serves(sqlite_url):
    import sqlite3

    from mainstay.core.db.settings import DatabaseSettings

    db = Database(DatabaseSettings(DATABASE_URL=sqlite_url))
    async with db.engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    key = await put(db)
    await db.dispose()
    other = sqlite3.connect(db.url.file, isolation_level=None)
    other.execute("PRAGMA journal_mode=DELETE")
    other.execute("BEGIN EXCLUSIVE")
    reading = asyncio.create_task(PreparedRead(db, BY_ID).first(id=key))
    await asyncio.sleep(0.1)
    assert not reading.done()
    other.execute("COMMIT")
    other.close()
    assert (await reading).id == key
    await db.dispose()


ROWS = st.fixed_dictionaries(
    {
        "name": st.none()
        | st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40),
        "active": st.none() | st.booleans(),
        "age": st.none() | st.integers(-(2**31), 2**31 - 1),
        "data": st.none()
        | st.dictionaries(st.text("abc", max_size=3), st.integers(0, 9) | st.none()),
        "at": st.none() | st.datetimes(timezones=st.just(now().tzinfo)),
    }
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(row=ROWS)
def test_any_row_is_the_same_on_both_ways(row, database_url):
    from mainstay.core.db.settings import DatabaseSettings

    async def work():
        db = Database(DatabaseSettings(DATABASE_URL=database_url))
        try:
            async with db.engine.begin() as connection:
                await connection.run_sync(METADATA.create_all)
            if row["at"] is not None and row["at"].year < 1000 and db.dialect_name == "mysql":
                row["at"] = None
            key = await put(db, **row)
            direct = await PreparedRead(db, BY_ID).first(id=key)
            assert direct == await PreparedRead(db, BY_ID, plain=True).first(id=key)
            assert direct._asdict() == {"id": key, **row}
        finally:
            await db.dispose()

    asyncio.run(work())

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select, text, update
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mainstay.core.db.engine import Database
from mainstay.core.db.failures import Failure, classify, is_transient, is_unavailable
from mainstay.core.db.settings import DatabaseSettings
from mainstay.core.db.statistics import counted

pytestmark = pytest.mark.anyio
METADATA = MetaData()
COUNTERS = Table(
    "counters",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", Integer, nullable=False),
    Column("note", String(20)),
)
COUNT = select(func.count()).select_from(COUNTERS)
SMALL = {"DB_POOL_SIZE": 1, "DB_MAX_OVERFLOW": 0}


@asynccontextmanager
async def opened(url: str, **settings):
    database = Database(DatabaseSettings(DATABASE_URL=url, **settings))
    try:
        yield database
    finally:
        await database.dispose()


async def create(db: Database) -> Database:
    async with db.engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
        await connection.execute(insert(COUNTERS).values(id=1, value=0))
    return db


@pytest.fixture
async def db(database: Database) -> Database:
    return await create(database)


async def count(db: Database) -> int:
    async with db.session(write=False) as session:
        return await session.scalar(COUNT)


async def test_a_transaction_commits_at_its_end(db):
    async with db.transaction() as session:
        await session.execute(insert(COUNTERS).values(id=2, value=0))
    assert await count(db) == 2


async def test_an_exception_undoes_a_transaction(db):
    with pytest.raises(RuntimeError):  # noqa: PT012
        async with db.transaction() as session:
            await session.execute(insert(COUNTERS).values(id=2, value=0))
            raise RuntimeError
    assert await count(db) == 1


async def test_nothing_is_kept_of_a_session_that_is_only_closed(db):
    async with db.session(write=True) as session:
        await session.execute(insert(COUNTERS).values(id=2, value=0))
    assert await count(db) == 1


async def test_ddl_is_undone_too_where_the_database_can(db, database_kind):
    if database_kind == "mariadb":
        return
    with pytest.raises(RuntimeError):  # noqa: PT012
        async with db.transaction() as session:
            await session.execute(text("CREATE TABLE passing (id INTEGER)"))
            raise RuntimeError
    async with db.transaction() as session:
        await session.execute(text("CREATE TABLE passing (id INTEGER)"))


async def test_a_savepoint_is_undone_alone(db):
    async with db.transaction() as session:
        await session.execute(insert(COUNTERS).values(id=2, value=0))
        with pytest.raises(RuntimeError):  # noqa: PT012
            async with session.begin_nested():
                await session.execute(insert(COUNTERS).values(id=3, value=0))
                raise RuntimeError
    assert await count(db) == 2


async def test_twenty_transactions_that_read_and_then_write_all_succeed(db):
    """On SQLite 17 of 20 fail at once if they do not begin IMMEDIATE."""
    one = COUNTERS.c.id == 1

    async def add_one():
        async with db.transaction() as session:
            value = await session.scalar(select(COUNTERS.c.value).where(one).with_for_update())
            await session.execute(update(COUNTERS).where(one).values(value=value + 1))

    await asyncio.gather(*(add_one() for _ in range(20)))
    async with db.session(write=False) as session:
        assert await session.scalar(select(COUNTERS.c.value).where(one)) == 20


async def test_readers_go_on_while_one_writes(db):
    async with db.transaction() as session:
        await session.execute(insert(COUNTERS).values(id=2, value=0))
        assert await count(db) == 1
        async with db.read_engine.connect() as connection:
            assert await connection.scalar(COUNT) == 1
        await db.ping()
    assert await count(db) == 2


async def test_each_read_of_the_read_engine_is_fresh(db):
    async with db.read_engine.connect() as connection:
        assert await connection.scalar(COUNT) == 1
        async with db.transaction() as session:
            await session.execute(insert(COUNTERS).values(id=2, value=0))
        assert await connection.scalar(COUNT) == 2


async def test_a_read_costs_one_statement_and_no_transaction(db):
    with counted(record=True) as statistics:
        async with db.read_engine.connect() as connection:
            await connection.scalar(COUNT)
    assert statistics.count == 1


async def test_a_conditional_update_counts_the_rows_that_match(db):
    """Also where nothing changes in them; MariaDB would count changed rows by itself."""
    async with db.transaction() as session:
        result = await session.execute(update(COUNTERS).where(COUNTERS.c.id == 1).values(value=0))
        assert result.rowcount == 1


async def test_it_can_be_used_again_after_dispose(db):
    await db.dispose()
    await db.ping()
    assert await count(db) == 1


@pytest.mark.parametrize("replica", [None, "same"])
async def test_a_replica_serves_only_who_asks_for_it(database_url, tmp_path, replica):
    other = f"sqlite:///{tmp_path}/replica.db"
    settings = {} if replica is None else {"DATABASE_REPLICA_URL": other}
    async with opened(database_url, **settings) as db:
        await create(db)
        async with opened(other) as second:
            await create(second)
            async with second.transaction() as session:
                await session.execute(insert(COUNTERS).values(id=2, value=0))
        async with db.session(write=False, replica=True) as session:
            assert await session.scalar(COUNT) == (1 if replica is None else 2)
        assert await count(db) == 1


async def test_a_full_pool_fails_fast_and_the_database_still_answers(database_url):
    async with opened(database_url, **SMALL) as db:
        async with db.engine.connect() as held:
            await held.execute(text("SELECT 1"))
            async with asyncio.timeout(10):
                with pytest.raises(PoolTimeoutError) as caught:
                    async with db.engine.connect():
                        pass
                await db.ping()
            assert classify(caught.value) is Failure.EXHAUSTED
            assert is_unavailable(caught.value)
        async with db.engine.connect() as free:
            assert await free.scalar(text("SELECT 1")) == 1


async def test_a_pool_that_moves_is_waited_for(database_url):
    async with opened(database_url, **SMALL) as db:

        async def work():
            async with db.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
                await asyncio.sleep(0.15)

        await asyncio.gather(*(work() for _ in range(10)))


async def test_a_cancelled_transaction_gives_its_connection_back(database_url):
    async with opened(database_url, **SMALL) as db:
        await create(db)

        async def work(ready: asyncio.Event):
            async with db.transaction() as session:
                await session.execute(insert(COUNTERS).values(id=2, value=0))
                ready.set()
                await asyncio.sleep(60)

        for _ in range(3):
            ready = asyncio.Event()
            task = asyncio.create_task(work(ready))
            await ready.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert await count(db) == 1


async def test_after_an_outage_the_very_next_use_works(outage, behind_outage):
    db = await create(behind_outage)
    sessions = [db.session(write=False) for _ in range(5)]
    for session in sessions:
        await session.scalar(COUNT)
    for session in sessions:
        await session.close()
    await outage.begin()
    for use in (lambda: count(db), db.ping):
        with pytest.raises(Exception) as caught:  # noqa: PT011
            await use()
        assert is_unavailable(caught.value), repr(caught.value)
    await outage.end()
    assert await count(db) == 1
    assert await asyncio.gather(*(count(db) for _ in range(8))) == [1] * 8
    await db.ping()


async def test_a_restart_between_two_uses_is_not_even_noticed(outage, behind_outage):
    db = await create(behind_outage)
    assert await count(db) == 1
    await db.ping()
    await outage.begin()
    await outage.end()
    assert await count(db) == 1
    await db.ping()
    async with db.read_engine.connect() as connection:
        assert await connection.scalar(COUNT) == 1


async def test_work_that_an_outage_interrupts_is_transient(outage, behind_outage):
    db = await create(behind_outage)
    with pytest.raises(Exception) as caught:  # noqa: PT011, PT012
        async with db.transaction() as session:
            await session.execute(insert(COUNTERS).values(id=2, value=0))
            await outage.begin()
            await session.execute(insert(COUNTERS).values(id=3, value=0))
    assert is_transient(caught.value), repr(caught.value)
    await outage.end()
    assert await count(db) == 1


async def test_a_server_that_says_nothing_is_given_up():
    served = []

    async def silent(reader, writer):
        await reader.read()
        writer.close()
        await writer.wait_closed()
        served.append(writer)

    listener = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    url = f"postgresql://postgres@127.0.0.1:{port}/nowhere?connect_timeout=1"
    async with opened(url) as db:
        for use in (lambda: count(db), db.ping, lambda: db.ping(timeout=0.2)):
            with pytest.raises(Exception) as caught:  # noqa: PT011
                await use()
            assert is_unavailable(caught.value), repr(caught.value)
    listener.close()
    async with asyncio.timeout(5):
        while len(served) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_behind_pgbouncer_nothing_outlives_a_transaction(postgresql_url):
    async with opened(postgresql_url, DB_PGBOUNCER=True, DB_QUERY_TIMEOUT=0.3, **SMALL) as db:
        await create(db)
        assert db.direct is None
        assert db.connection_limit == 1
        assert await count(db) == 1
        async with db.read_engine.connect() as connection:
            named = "SELECT count(*) FROM pg_prepared_statements WHERE name <> ''"
            assert await connection.scalar(text(named)) == 0
        await db.ping()
        with pytest.raises(Exception) as caught:  # noqa: PT011
            async with db.transaction() as session:
                await session.execute(text("SELECT pg_sleep(60)"))
        assert is_unavailable(caught.value)
        assert await count(db) == 1


def test_the_names_and_limits(tmp_path):
    db = Database(DatabaseSettings(), data_dir=tmp_path)
    assert db.dialect_name == "sqlite"
    assert db.url.file == tmp_path / "mainstay.db"
    assert db.connection_limit == 35
    assert not db.url.file.exists()


async def test_a_file_is_made_with_its_folder_for_its_owner_alone(tmp_path):
    async with opened(f"sqlite:///{tmp_path}/new/folder/shop.db") as db:
        await create(db)
        assert db.url.file.stat().st_mode & 0o777 == 0o600


async def test_a_database_in_memory_bears_reads_beside_a_write():
    async with opened("sqlite://") as db:
        await create(db)
        async with db.transaction() as session:
            await session.execute(insert(COUNTERS).values(id=2, value=0))
            assert await count(db) == 1
        assert await count(db) == 2


async def test_two_databases_in_memory_are_two():
    async with opened("sqlite://") as one, opened("sqlite:///:memory:") as two:
        await create(one)
        await create(two)
        async with two.transaction() as session:
            await session.execute(insert(COUNTERS).values(id=2, value=0))
        assert (await count(one), await count(two)) == (1, 2)


async def test_another_programs_lock_is_waited_for(sqlite_url):
    """Also by more writers than there are connections: waiting for the lock is not being stuck."""
    async with opened(sqlite_url, DB_POOL_SIZE=2, DB_MAX_OVERFLOW=0) as db:
        await create(db)
        other = sqlite3.connect(db.url.file, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")

        async def write(key):
            async with db.transaction() as session:
                await session.execute(insert(COUNTERS).values(id=key, value=0))

        writing = asyncio.gather(*(write(key) for key in range(10, 16)))
        await asyncio.sleep(2.5)
        other.execute("COMMIT")
        other.close()
        await writing
        assert await count(db) == 7


async def test_a_slow_statement_is_logged_without_its_values(database_url, caplog):
    async with opened(database_url, DB_SLOW_QUERY_MS=1) as db:
        db.meter.slow_seconds = 0
        async with db.transaction() as session:
            await session.scalar(select(text(":secret")).params(secret="hunter2"))
    assert "slow statement" in caplog.text
    assert "hunter2" not in caplog.text


async def test_errors_do_not_show_values(db):
    with pytest.raises(Exception) as caught:  # noqa: PT011
        async with db.transaction() as session:
            await session.execute(insert(COUNTERS).values(id=1, value=0, note="hunter2"))
    assert "hunter2" not in str(caught.value)

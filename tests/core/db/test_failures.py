from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from mainstay.core.db.base import Base
from mainstay.core.db.engine import Database
from mainstay.core.db.failures import (
    Failure,
    UniqueViolation,
    classify,
    is_bad_value,
    is_foreign_key_violation,
    is_transient,
    is_unavailable,
    unique_violation,
)
from mainstay.core.db.settings import DatabaseSettings
from mainstay.core.db.url import DatabaseUrl

pytestmark = pytest.mark.anyio
METADATA = MetaData(naming_convention=Base.metadata.naming_convention)
PARENTS = Table(
    "parents",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("email", String(20), unique=True),
    Column("shop", SmallInteger),
    Column("slug", String(20)),
    Column("count", Integer, nullable=False, default=0),
    UniqueConstraint("shop", "slug"),
    CheckConstraint("count >= 0", name="not_negative"),
)
Index("ix_parents_code", PARENTS.c.slug, PARENTS.c.count, unique=True)
CHILDREN = Table(
    "children",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("parent_id", ForeignKey("parents.id")),
)


@pytest.fixture
async def db(database: Database) -> Database:
    async with database.engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
        row = {"id": 1, "email": "a@example.com", "shop": 1, "slug": "a"}
        await connection.execute(insert(PARENTS).values(row))
    return database


@asynccontextmanager
async def opened(url: str, **settings):
    database = Database(DatabaseSettings(DATABASE_URL=url, **settings))
    try:
        yield database
    finally:
        await database.dispose()


async def failure_of(db: Database, *statements) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011, PT012
        async with db.transaction() as session:
            for statement in statements:
                await session.execute(statement)
    return caught.value


@pytest.mark.parametrize(
    ("values", "constraint", "columns"),
    [
        ({"email": "a@example.com"}, "uq_parents_email", ("email",)),
        ({"shop": 1, "slug": "a", "count": 9}, "uq_parents_shop_slug", ("shop", "slug")),
        ({"shop": 2, "slug": "a"}, "ix_parents_code", ("slug", "count")),
        ({"id": 1}, "pk_parents", ("id",)),
    ],
)
async def test_a_taken_unique_value_is_named(db, values, constraint, columns):
    error = await failure_of(db, insert(PARENTS).values({"id": 2, **values}))
    found = unique_violation(error, METADATA)
    assert found == UniqueViolation(constraint, "parents", columns)
    assert not is_transient(error)
    assert not is_unavailable(error)


async def test_a_unique_value_taken_by_an_update(db):
    async with db.transaction() as session:
        await session.execute(insert(PARENTS).values(id=2, email="b@example.com"))
    error = await failure_of(
        db, update(PARENTS).where(PARENTS.c.id == 2).values(email="a@example.com")
    )
    assert unique_violation(error, METADATA).columns == ("email",)


async def test_a_unique_violation_without_a_model_is_still_one(db):
    error = await failure_of(db, insert(PARENTS).values(id=2, email="a@example.com"))
    found = unique_violation(error, MetaData())
    assert found is not None
    assert found.constraint == "uq_parents_email" or found.columns == ("email",)


async def test_rows_that_are_referred_to(db):
    missing = await failure_of(db, insert(CHILDREN).values(id=1, parent_id=7))
    async with db.transaction() as session:
        await session.execute(insert(CHILDREN).values(id=1, parent_id=1))
    needed = await failure_of(db, delete(PARENTS))
    for error in (missing, needed):
        assert is_foreign_key_violation(error)
        assert unique_violation(error) is None


async def test_values_that_break_rules(db):
    missing = await failure_of(db, insert(PARENTS).values(id=2, count=None))
    assert classify(missing) is Failure.NOT_NULL
    negative = await failure_of(db, insert(PARENTS).values(id=2, count=-1))
    assert classify(negative) is Failure.CHECK


async def test_values_that_do_not_fit(db, database_kind):
    if database_kind != "sqlite":
        for values in ({"slug": "x" * 21}, {"shop": 2**15}):
            error = await failure_of(db, insert(PARENTS).values({"id": 2, **values}))
            assert is_bad_value(error), error
    error = await failure_of(db, insert(PARENTS).values(id=2, count=2**70))
    assert is_bad_value(error)


async def test_text_that_postgresql_cannot_hold(postgresql_url):
    async with opened(postgresql_url) as db:
        error = await failure_of(db, select(func.length("a\0b")))
        assert is_bad_value(error)


async def _both(first, second):
    """Run both to their end and give the exceptions."""
    results = await asyncio.gather(first, second, return_exceptions=True)
    return [result for result in results if isinstance(result, Exception)]


async def _lock_two(db: Database, order, ready: asyncio.Barrier):
    async with db.transaction() as session:
        for turn, key in enumerate(order):
            await session.execute(update(PARENTS).where(PARENTS.c.id == key).values(count=key))
            if turn == 0:
                await ready.wait()


@pytest.mark.parametrize("kind", ["postgresql_url", "mariadb_url"])
async def test_a_deadlock_is_transient(kind, request):
    async with opened(request.getfixturevalue(kind)) as db:
        async with db.engine.begin() as connection:
            await connection.run_sync(METADATA.create_all)
            await connection.execute(
                insert(PARENTS).values([{"id": 1, "count": 0}, {"id": 2, "count": 1}])
            )
        ready = asyncio.Barrier(2)
        (error,) = await _both(_lock_two(db, (1, 2), ready), _lock_two(db, (2, 1), ready))
        assert classify(error) is Failure.CONFLICT
        assert is_transient(error)


async def test_a_serialization_failure_is_transient(postgresql_url):
    async with opened(postgresql_url) as db:
        async with db.engine.begin() as connection:
            await connection.run_sync(METADATA.create_all)
            await connection.execute(insert(PARENTS).values(id=1, count=0))
        strict = db.engine.execution_options(isolation_level="SERIALIZABLE")
        ready = asyncio.Barrier(2)

        async def add_up():
            async with strict.begin() as connection:
                total = await connection.scalar(select(func.sum(PARENTS.c.count)))
                await ready.wait()
                await connection.execute(update(PARENTS).values(count=total + 1))

        (error,) = await _both(add_up(), add_up())
        assert is_transient(error)


LOCK_WAITS = {
    "postgresql": "SET LOCAL lock_timeout = '100ms'",
    "mariadb": "SET innodb_lock_wait_timeout = 1",
    "sqlite": "SELECT 1",
}


async def test_a_lock_that_is_not_to_be_had_is_transient(db, database_kind, monkeypatch):
    change = update(PARENTS).values(count=1)
    waits = text(LOCK_WAITS[database_kind])
    async with db.transaction() as holder:
        await holder.execute(change)
        if database_kind == "sqlite":
            error = await _failure_without_patience(str(db.url.file))
        else:
            error = await failure_of(db, waits, change)
    assert classify(error) is Failure.LOCKED
    assert is_transient(error)
    assert is_unavailable(error)


async def _failure_without_patience(file: str) -> Exception:
    connection = sqlite3.connect(file, timeout=0, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("BEGIN IMMEDIATE")
    connection.close()
    return caught.value


async def test_a_snapshot_that_is_too_old_is_transient(sqlite_url):
    """A deferred transaction of SQLite that reads, and writes after another has."""
    async with opened(sqlite_url) as db:
        async with db.engine.begin() as connection:
            await connection.run_sync(METADATA.create_all)
        with pytest.raises(Exception) as caught:  # noqa: PT011, PT012
            async with db.session(write=False) as late, late.begin():
                await late.execute(select(PARENTS))
                async with db.transaction() as quick:
                    await quick.execute(insert(PARENTS).values(id=1, count=0))
                await late.execute(insert(PARENTS).values(id=2, count=0))
        assert is_transient(caught.value)


SLOW = {
    "sqlite": """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
        SELECT max(i) FROM n""",
    "postgresql": "SELECT pg_sleep(60)",
    "mariadb": "SELECT sleep(60)",
}


async def test_a_statement_that_runs_too_long_is_ended(database_url, database_kind):
    async with opened(database_url, DB_QUERY_TIMEOUT=0.2) as db:
        error = await failure_of(db, text(SLOW[database_kind]))
        assert classify(error) is Failure.TIMEOUT
        assert is_unavailable(error)
        assert not is_transient(error)
        await db.ping()
        async with db.transaction() as session:
            assert await session.scalar(text("SELECT 1")) == 1


async def test_a_full_disk_is_told(sqlite_url):
    async with opened(sqlite_url) as db:
        async with db.engine.begin() as connection:
            await connection.run_sync(METADATA.create_all)
        fill = [insert(PARENTS).values(id=n, slug=str(n), count=0) for n in range(10_000)]
        error = await failure_of(db, text("PRAGMA max_page_count=12"), *fill)
        assert classify(error) is Failure.FULL
        assert is_unavailable(error)
        async with db.session(write=False) as session:
            assert await session.scalar(select(func.count()).select_from(PARENTS)) == 0


READ_ONLY = {
    "sqlite": "PRAGMA query_only=ON",
    "postgresql": "SET TRANSACTION READ ONLY",
}


@pytest.mark.parametrize("kind", READ_ONLY)
async def test_a_server_that_takes_no_writes(kind, request):
    async with opened(request.getfixturevalue(f"{kind}_url")) as db:
        async with db.engine.begin() as connection:
            await connection.run_sync(METADATA.create_all)
        change = insert(PARENTS).values(id=1, count=0)
        error = await failure_of(db, text(READ_ONLY[kind]), change)
        assert classify(error) is Failure.READ_ONLY


KILL = {
    "postgresql": ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend({})"),
    "mariadb": ("SELECT connection_id()", "KILL CONNECTION {}"),
}


@pytest.mark.parametrize("kind", KILL)
async def test_a_connection_that_breaks_is_transient(kind, request):
    ask, kill = KILL[kind]
    async with opened(request.getfixturevalue(f"{kind}_url")) as db:
        with pytest.raises(Exception) as caught:  # noqa: PT011, PT012
            async with db.transaction() as session:
                victim = await session.scalar(text(ask))
                async with db.transaction() as other:
                    await other.execute(text(kill.format(int(victim))))
                await session.execute(text("SELECT 1"))
        assert is_transient(caught.value), caught.value
        assert is_unavailable(caught.value)
        async with db.transaction() as session:
            assert await session.scalar(text("SELECT 1")) == 1


@pytest.mark.parametrize("kind", ["postgresql_url", "mariadb_url"])
async def test_a_server_that_is_away(kind, request):
    url = request.getfixturevalue(kind).replace(":5432", ":9").replace(":3306", ":9")
    async with opened(url) as db:
        error = await failure_of(db, text("SELECT 1"))
        assert classify(error) is Failure.UNREACHABLE
        assert is_unavailable(error)
        assert not is_transient(error)
        with pytest.raises(Exception) as caught:  # noqa: PT011
            await db.ping()
        assert is_unavailable(caught.value)


@pytest.mark.parametrize("kind", ["postgresql_url", "mariadb_url"])
async def test_a_database_that_is_not_there(kind, request):
    url = DatabaseUrl.parse(request.getfixturevalue(kind))
    async with opened(f"{str(url).rpartition('/')[0]}/mainstay_nowhere") as db:
        error = await failure_of(db, text("SELECT 1"))
        assert classify(error) is Failure.UNREACHABLE


async def test_a_file_that_cannot_be_made(tmp_path):
    (tmp_path / "taken").write_text("a file, no folder")
    async with opened(f"sqlite:///{tmp_path}/taken/shop.db") as db:
        error = await failure_of(db, text("SELECT 1"))
        assert is_unavailable(error)


def test_what_is_not_a_databases_failure():
    for error in (ValueError("x"), OSError("x"), TimeoutError(), KeyError("x")):
        assert classify(error) is None
        assert not is_transient(error)
        assert not is_unavailable(error)
        assert unique_violation(error) is None


async def test_a_wrong_statement_is_our_own_fault(db):
    error = await failure_of(db, text("SELECT nothing FROM nowhere"))
    assert classify(error) is None


async def test_no_value_is_in_a_message(db):
    error = await failure_of(db, insert(PARENTS).values(id=2, email="a@example.com", count=None))
    assert "example.com" not in str(error).partition("Failing row")[0].partition("Duplicate")[0]

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    Table,
    func,
    insert,
    inspect,
    literal,
    select,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import StatementError

from mainstay.core.db.engine import Database
from mainstay.core.db.failures import is_malformed_id
from mainstay.core.db.settings import DatabaseSettings
from mainstay.core.db.types import Id, JsonDocument, Line, MalformedIdError, Timestamp
from mainstay.kit.ids import NIL_ID, new_id

pytestmark = pytest.mark.anyio
METADATA = MetaData()
THINGS = Table(
    "things",
    METADATA,
    Column("id", Id(), primary_key=True),
    Column("parent", Id()),
    Column("at", Timestamp()),
    Column("data", JsonDocument()),
)


@pytest.fixture
async def db(database: Database) -> Database:
    async with database.engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    return database


async def _put(db: Database, **values):
    values.setdefault("id", new_id())
    async with db.transaction() as session:
        await session.execute(insert(THINGS).values(**values))
    return values["id"]


async def _all(db: Database, *criteria):
    async with db.session(write=False) as session:
        return (await session.execute(select(THINGS).where(*criteria).order_by(THINGS.c.id))).all()


async def test_ids_come_back_as_canonical_text(db):
    key = new_id()
    await _put(db, id=key.upper(), parent=None)
    (row,) = await _all(db, THINGS.c.id == key.upper())
    assert row.id == key
    assert type(row.id) is str
    assert row.parent is None


async def test_ids_sort_as_they_were_made(db):
    made = [await _put(db) for _ in range(50)]
    assert [row.id for row in await _all(db)] == made
    assert [row.id for row in await _all(db, THINGS.c.id > made[20])] == made[21:]


async def test_a_malformed_id_equals_nothing(db):
    key = await _put(db)
    for malformed in ("", "42", "garbage", key[:-1], f"{key} ", "é" * 36, "%"):
        assert await _all(db, THINGS.c.id == malformed) == []
        assert len(await _all(db, THINGS.c.id.in_([malformed, key]))) == 1
        assert len(await _all(db, THINGS.c.id != malformed)) == 1
        assert len(await _all(db, THINGS.c.id.not_in([malformed]))) == 1


async def test_a_malformed_id_is_never_stored(db):
    for column in ("id", "parent"):
        with pytest.raises(StatementError) as caught:
            await _put(db, **{column: "garbage"})
        assert isinstance(caught.value.orig, MalformedIdError)
        assert is_malformed_id(caught.value)
        assert "garbage" not in str(caught.value)
    assert await _all(db) == []


async def test_the_column_of_an_id(db, database_kind):
    async with db.engine.connect() as connection:
        columns = await connection.run_sync(lambda c: inspect(c).get_columns("things"))
    kinds = {column["name"]: str(column["type"]).split(" ")[0] for column in columns}
    expected = {"sqlite": "CHAR(36)", "postgresql": "UUID", "mariadb": "UUID"}
    assert kinds["id"] == expected[database_kind]


async def test_ids_written_into_sql(db):
    key = await _put(db)
    statement = select(THINGS.c.id).where(THINGS.c.id == literal(key, literal_execute=True))
    async with db.session(write=False) as session:
        assert (await session.scalars(statement)).all() == [key]


async def test_moments_keep_microseconds_and_come_back_in_utc(db):
    there = timezone(timedelta(hours=5, minutes=30))
    moments = [
        datetime(2026, 1, 31, 9, 30, 0, 123456, tzinfo=UTC),
        datetime(2026, 1, 31, 9, 30, 0, 1, tzinfo=there),
        datetime(1971, 1, 1, tzinfo=UTC),
        datetime(2999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ]
    for moment in moments:
        await _put(db, at=moment)
    rows = await _all(db)
    assert [row.at for row in rows] == moments
    assert {row.at.tzinfo for row in rows} == {UTC}


async def test_moments_compare_and_sort_as_moments(db):
    base = datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)
    made = [base + timedelta(seconds=n * 0.5) for n in range(10)]
    for moment in reversed(made):
        await _put(db, at=moment.astimezone(timezone(timedelta(hours=-11))))
    async with db.session(write=False) as session:
        found = (await session.scalars(select(THINGS.c.at).order_by(THINGS.c.at))).all()
        late = select(func.count()).where(THINGS.c.at > made[4])
        assert (await session.scalar(late)) == 5
    assert found == made


async def test_a_naive_moment_is_taken_as_utc(db):
    await _put(db, at=datetime(2026, 1, 31, 9, 30))  # noqa: DTZ001
    (row,) = await _all(db)
    assert row.at == datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


async def test_the_databases_own_clock_is_in_utc(db, database_kind):
    clock = {"sqlite": "datetime('now')", "postgresql": "now()::text", "mariadb": "now()"}
    async with db.read_engine.connect() as connection:
        shown = str(await connection.scalar(text(f"SELECT {clock[database_kind]}")))
    read = datetime.fromisoformat(shown[:19]).replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - read) < timedelta(minutes=5)


DOCUMENTS = [
    {"a": [1, 2.5, None, True, {"ö": "ü 🦉 \\ \" '"}]},
    [],
    {},
    "text",
    0,
    False,
]


async def test_documents_come_back_as_they_were(db):
    for document in DOCUMENTS:
        await _put(db, data=document)
    assert [row.data for row in await _all(db)] == DOCUMENTS


async def test_no_document_is_null(db):
    await _put(db, data=None)
    (row,) = await _all(db, THINGS.c.data.is_(None))
    assert row.data is None


async def test_members_of_documents_can_be_compared(db):
    wanted = await _put(db, data={"size": {"cm": 7}, "name": "owl"})
    await _put(db, data={"size": {"cm": 9}, "name": "Owl"})
    rows = await _all(db, THINGS.c.data["size"]["cm"].as_integer() == 7)
    assert [row.id for row in rows] == [wanted]
    assert len(await _all(db, THINGS.c.data["name"].as_string() == "owl")) == 1


YEARS = {"min_value": datetime(2, 1, 1), "max_value": datetime(9998, 1, 1)}  # noqa: DTZ001


@given(st.datetimes(timezones=st.timezones(), **YEARS))
def test_sqlite_text_sorts_as_moments_do(moment):
    bind = Timestamp().bind_processor(sqlite.dialect())
    result = Timestamp().result_processor(sqlite.dialect(), None)
    assert result(bind(moment)) == moment.astimezone(UTC)
    later = moment + timedelta(microseconds=1)
    assert (bind(later) > bind(moment)) == (later.astimezone(UTC) > moment.astimezone(UTC))


def test_a_moment_that_sqlite_wrote_itself_is_read():
    result = Timestamp().result_processor(sqlite.dialect(), None)
    assert result("2026-01-31 09:30:00") == datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
    assert result("2026-01-31T10:30:00+01:00") == datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


def test_types_write_themselves_into_migrations():
    assert [repr(kind) for kind in (Id(), Timestamp(), JsonDocument(), Line())] == [
        "Id()",
        "Timestamp()",
        "JsonDocument()",
        "Line()",
    ]


def test_nil_is_what_malformed_ids_are_compared_as():
    column = Column("id", Id())
    parameter = (column == "garbage").right
    bind = parameter.type.bind_processor(sqlite.dialect())
    assert bind("garbage") == NIL_ID


def test_intervals_are_not_taken_for_moments():
    expression = Column("at", Timestamp()) + timedelta(days=1)
    assert not isinstance(expression.right.type, Timestamp)


def test_a_number_is_not_stored_as_an_id():
    with pytest.raises(MalformedIdError):
        Id().bind_processor(sqlite.dialect())(42)
    assert isinstance(Column("n", Integer()).type, Integer)


async def test_two_databases_live_in_one_process(database_url, tmp_path):
    one = Database(DatabaseSettings(DATABASE_URL=database_url))
    two = Database(DatabaseSettings(), data_dir=tmp_path)
    await one.ping()
    await two.ping()
    assert one.url != two.url
    await one.dispose()
    await two.dispose()

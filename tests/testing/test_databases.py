from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text

from mainstay.core.db.engine import Database
from mainstay.core.db.settings import DatabaseSettings
from mainstay.testing import databases
from mainstay.testing.databases import (
    KINDS,
    Kind,
    available_databases,
    fresh_database,
    is_required,
    template_database,
    why_unavailable,
)

SCHEMA = (
    "CREATE TABLE makers (id INTEGER PRIMARY KEY, name VARCHAR(20))",
    "CREATE TABLE things (id INTEGER PRIMARY KEY, maker INTEGER REFERENCES makers (id))",
    "INSERT INTO makers (id, name) VALUES (1, 'Ada')",
)


def ask(url: str, *statements: str) -> Sequence[Any]:
    """Run statements, and give the rows of the last."""

    async def work() -> Sequence[Any]:
        database = Database(DatabaseSettings(DATABASE_URL=url))
        try:
            async with database.transaction() as session:
                for statement in statements:
                    result = await session.execute(text(statement))
                return result.all() if result.returns_rows else []
        finally:
            await database.dispose()

    return asyncio.run(work())


def prepare(url: str) -> None:
    ask(url, *SCHEMA)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    reason = why_unavailable(request.param)
    if reason is not None:
        (pytest.fail if is_required(request.param) else pytest.skip)(reason)
    return request.param


def test_a_fresh_database_is_empty_its_own_and_gone_afterwards(kind):
    with fresh_database(kind) as one, fresh_database(kind) as two:
        assert one != two
        ask(one, "CREATE TABLE makers (id INTEGER)")
        ask(two, "CREATE TABLE makers (id INTEGER)")
    if kind != "sqlite":
        with pytest.raises(Exception, match=r"(?i)does not exist|unknown database"):
            ask(one, "SELECT 1")


def test_each_copy_begins_as_the_template_is(kind):
    with template_database(kind, prepare) as template:
        for _ in range(2):
            with template.copy() as url:
                assert ask(url, "SELECT id, name FROM makers") == [(1, "Ada")]
                ask(
                    url,
                    "INSERT INTO makers (id, name) VALUES (2, 'Bo')",
                    "UPDATE makers SET name = 'Cy' WHERE id = 1",
                    "INSERT INTO things (id, maker) VALUES (1, 2)",
                    "CREATE TABLE boxes (id INTEGER)",
                    "INSERT INTO boxes VALUES (1)",
                )
                assert len(ask(url, "SELECT id FROM makers")) == 2
        assert ask(template.url, "SELECT id, name FROM makers") == [(1, "Ada")]


def test_numbers_that_the_database_gives_begin_again():
    if why_unavailable("mariadb"):
        pytest.skip("needs MariaDB, which does not copy")

    def counting(url: str) -> None:
        ask(url, "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTO_INCREMENT, a INTEGER)")

    with template_database("mariadb", counting) as template:
        for _ in range(2):
            with template.copy() as url:
                ask(url, "INSERT INTO notes (a) VALUES (7)")
                assert ask(url, "SELECT id FROM notes") == [(1,)]


async def _inside_a_loop() -> None:
    with fresh_database("sqlite") as url:
        assert url.startswith("sqlite:///")
    assert "sqlite" in available_databases()


def test_it_can_be_used_where_a_loop_runs():
    asyncio.run(_inside_a_loop())


def test_a_kind_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setenv("MAINSTAY_TEST_POSTGRESQL_URL", "postgresql://nobody@127.0.0.1:9/x")
    databases.why_unavailable.cache_clear()
    try:
        assert "postgresql is not available" in (why_unavailable("postgresql") or "")
        assert "postgresql" not in available_databases()
    finally:
        databases.why_unavailable.cache_clear()


def test_what_is_required(monkeypatch):
    monkeypatch.setenv("MAINSTAY_TEST_REQUIRE", "postgresql, MariaDB")
    assert [kind for kind in KINDS if is_required(kind)] == ["postgresql", "mariadb"]
    monkeypatch.delenv("MAINSTAY_TEST_REQUIRE")
    assert not any(is_required(kind) for kind in KINDS)


def test_another_place_keeps_the_rest_of_its_url(monkeypatch):
    there = "postgresql://ada:p%40ss@db:5433/postgres?sslmode=require"
    monkeypatch.setenv("MAINSTAY_TEST_POSTGRESQL_URL", there)
    assert (
        databases._url_of("postgresql", "x") == "postgresql://ada:p%40ss@db:5433/x?sslmode=require"
    )

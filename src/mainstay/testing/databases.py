"""Real databases for tests: one of its own for each, cheap, and gone afterwards.

SQLite is always there. PostgreSQL and MariaDB are used where they answer; the variable
``MAINSTAY_TEST_REQUIRE`` (``postgresql,mariadb``) names those without which a test fails rather
than being skipped. ``MAINSTAY_TEST_POSTGRESQL_URL`` and ``MAINSTAY_TEST_MARIADB_URL`` say where
they are, if not on this machine under their usual accounts.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from mainstay.core.db.building import EngineBuilder
from mainstay.core.db.drivers import Terms
from mainstay.core.db.statistics import Meter
from mainstay.core.db.url import DatabaseUrl

T = TypeVar("T")
Kind = Literal["sqlite", "postgresql", "mariadb"]
"""A database that the tests run on."""

KINDS: Final[tuple[Kind, ...]] = ("sqlite", "postgresql", "mariadb")
_SERVERS: Final[Mapping[Kind, str]] = {
    "postgresql": "postgresql://postgres@127.0.0.1:5432/postgres",
    "mariadb": "mariadb://root@127.0.0.1:3306/mysql",
}
_PREFIX: Final = "mainstay_test_"


def available_databases() -> list[Kind]:
    """Give the kinds that answer here."""
    return [kind for kind in KINDS if why_unavailable(kind) is None]


def is_required(kind: Kind) -> bool:
    """Say whether a test on this kind must not be skipped."""
    named = os.environ.get("MAINSTAY_TEST_REQUIRE", "")
    return kind in {name.strip().lower() for name in named.split(",")}


@cache
def why_unavailable(kind: Kind) -> str | None:
    """Give the reason why this kind cannot be used here; None if it can."""
    if kind == "sqlite":
        return None
    try:
        _run(_on_server(kind, ["SELECT 1"]))
    except Exception as error:  # noqa: BLE001  (whatever it is, it is the reason)
        return f"{kind} is not available: {type(error).__name__}"
    return None


@contextmanager
def fresh_database(kind: Kind) -> Iterator[str]:
    """Give the URL of a new, empty database, and drop it afterwards."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:
            yield f"sqlite:///{folder}/test.db"
        return
    name = f"{_PREFIX}{secrets.token_hex(8)}"
    # template1 cannot be copied while anybody is connected to it.
    source = " TEMPLATE template0" if kind == "postgresql" else ""
    _run(_on_server(kind, [f"CREATE DATABASE {name}{source}"]))
    try:
        yield _url_of(kind, name)
    finally:
        _drop(kind, name)


@contextmanager
def template_database(kind: Kind, prepare: Callable[[str], None]) -> Iterator[TemplateDatabase]:
    """Prepare a database once (``prepare(url)`` migrates it), to be copied for each test."""
    with fresh_database(kind) as url:
        prepare(url)
        template = TemplateDatabase(kind, url, prepare=prepare)
        try:
            yield template
        finally:
            template.close()


class TemplateDatabase:
    """A prepared database. Each `copy` begins as the template is."""

    def __init__(self, kind: Kind, url: str, *, prepare: Callable[[str], None]) -> None:
        self.kind = kind
        self.url = url
        self._prepare = prepare
        self._reused: str | None = None
        if kind == "sqlite":
            _fold_log(Path(DatabaseUrl.parse(url).database))

    @contextmanager
    def copy(self) -> Iterator[str]:
        """Give the URL of a copy that is the caller's own for as long as the block lasts."""
        if self.kind == "mariadb":
            yield self._reset()
        elif self.kind == "sqlite":
            with fresh_database("sqlite") as url:
                shutil.copyfile(_file(self.url), _file(url))
                yield url
        else:
            name = f"{_PREFIX}{secrets.token_hex(8)}"
            template = DatabaseUrl.parse(self.url).database
            _run(_on_server(self.kind, [f"CREATE DATABASE {name} TEMPLATE {template}"]))
            try:
                yield _url_of(self.kind, name)
            finally:
                _drop(self.kind, name)

    def close(self) -> None:
        """Drop what was kept for copying."""
        if self._reused is not None:
            _drop("mariadb", self._reused)
            self._reused = None

    def _reset(self) -> str:
        """Bring the one working database back to the template's rows; a copy would take seconds."""
        if self._reused is None:
            self._reused = f"{_PREFIX}{secrets.token_hex(8)}"
            _run(_on_server("mariadb", [f"CREATE DATABASE {self._reused}"]))
            self._prepare(_url_of("mariadb", self._reused))
        template = DatabaseUrl.parse(self.url).database
        _run(
            _with_server(
                "mariadb", lambda c: _refill(c, template=template, target=self._reused or "")
            )
        )
        return _url_of("mariadb", self._reused)


def _fold_log(file: Path) -> None:
    """Move all of the write-ahead log into the file, which alone is copied."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    connection.close()


def _file(url: str) -> str:
    return DatabaseUrl.parse(url).database


async def _refill(connection: AsyncConnection, *, template: str, target: str) -> None:
    kept, tables = [await _tables(connection, name) for name in (template, target)]
    await connection.execute(text("SET foreign_key_checks=0"))
    for table in tables.keys() - kept.keys():
        await connection.execute(text(f"DROP TABLE `{target}`.`{table}`"))
    for table in await _filled(connection, target, tables=sorted(tables.keys() & kept.keys())):
        # TRUNCATE makes the table anew, which takes long: only where numbers start again by it.
        verb = "TRUNCATE" if tables[table] else "DELETE FROM"
        await connection.execute(text(f"{verb} `{target}`.`{table}`"))
    for table in await _filled(connection, template, tables=sorted(kept)):
        copy = f"INSERT INTO `{target}`.`{table}` SELECT * FROM `{template}`.`{table}`"  # noqa: S608
        await connection.execute(text(copy))
    await connection.execute(text("SET foreign_key_checks=1"))


async def _tables(connection: AsyncConnection, name: str) -> dict[str, bool]:
    """Give the tables of a database, and whether each counts its rows by itself."""
    found = await connection.execute(
        text(
            "SELECT table_name, auto_increment IS NOT NULL FROM information_schema.tables "
            "WHERE table_schema = :name AND table_type = 'BASE TABLE'"
        ),
        {"name": name},
    )
    return {table: bool(counts) for table, counts in found}


async def _filled(connection: AsyncConnection, name: str, *, tables: Sequence[str]) -> list[str]:
    if not tables:
        return []
    each = [f"SELECT '{table}', EXISTS(SELECT 1 FROM `{name}`.`{table}`)" for table in tables]  # noqa: S608
    found = await connection.execute(text(" UNION ALL ".join(each)))
    return [table for table, has_rows in found if has_rows]


def _drop(kind: Kind, name: str) -> None:
    force = " WITH (FORCE)" if kind == "postgresql" else ""
    _run(_on_server(kind, [f"DROP DATABASE IF EXISTS {name}{force}"]))


def _server(kind: Kind) -> str:
    return os.environ.get(f"MAINSTAY_TEST_{kind.upper()}_URL", _SERVERS[kind])


def _url_of(kind: Kind, name: str) -> str:
    """Put another database's name into the server's URL, whatever else it holds."""
    head, mark, query = _server(kind).partition("?")
    place = head.rpartition("/")[0] if "/" in head.partition("://")[2] else head
    return f"{place}/{name}{mark}{query}"


async def _on_server(kind: Kind, statements: Sequence[str]) -> None:
    async def execute(connection: AsyncConnection) -> None:
        for statement in statements:
            await connection.execute(text(statement))

    await _with_server(kind, execute)


async def _with_server(kind: Kind, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    url = DatabaseUrl.parse(_server(kind))
    engine = EngineBuilder(url=url, terms=Terms(), meter=Meter()).unpooled()
    alone = engine.execution_options(isolation_level="AUTOCOMMIT")
    try:
        async with alone.connect() as connection:
            return await work(connection)
    finally:
        await engine.dispose()


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to the end, also where an event loop is running already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()

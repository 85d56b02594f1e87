"""The D rows that need no server, and those that hold on each of the three."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
)

from mainstay.core.alembic import MigrationRunner
from mainstay.core.checks import server
from mainstay.core.checks.database import DATABASE, unindexed_foreign_keys
from mainstay.core.db.engine import Database
from mainstay.core.db.settings import DatabaseSettings
from mainstay.kit.clock import replaced
from mainstay.testing.databases import KINDS, Kind, fresh_database, is_required, why_unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mainstay.core.checks import Finding
    from mainstay.core.ports import Ports

BY_ID = {check.id: check for check in DATABASE}


def found(name: str, ports: Ports) -> Finding | None:
    return asyncio.run(BY_ID[name].run(ports))


def with_server(ports: Ports, monkeypatch: pytest.MonkeyPatch, dialect: str, **says: Any) -> Ports:
    """Let the database be of that kind, and its server say this."""
    database = SimpleNamespace(
        dialect_name=dialect,
        connection_limit=35,
        url=SimpleNamespace(hosts=says.pop("hosts", ())),
    )
    ports.add(Database, database)  # type: ignore[arg-type]
    for name, answer in says.items():

        async def give(*_: Any, given: Any = answer) -> Any:
            return given

        monkeypatch.setattr(server, name, give)
    return ports


def test_D001_names_what_is_not_applied(ports_with: Callable[..., Ports]) -> None:
    ports, pending = ports_with(), ["0003_roles", "0004_audit_log"]

    async def give() -> list[str]:
        return pending

    ports.add(MigrationRunner, SimpleNamespace(pending=give))  # type: ignore[arg-type]
    finding = found("D001", ports)
    assert finding is not None
    assert finding.message == "2 migrations are not applied: 0003_roles, 0004_audit_log."
    assert finding.fix == "run `mainstay migrate`."
    pending.clear()
    assert found("D001", ports) is None


def test_D002_says_what_differs_once_all_is_applied(ports_with: Callable[..., Ports]) -> None:
    ports, pending, differences = ports_with(), ["0004"], ["products.sku is new"]

    async def give(found: list[str]) -> list[str]:
        return found

    runner = SimpleNamespace(pending=lambda: give(pending), check=lambda: give(differences))
    ports.add(MigrationRunner, runner)  # type: ignore[arg-type]
    assert found("D002", ports) is None
    pending.clear()
    finding = found("D002", ports)
    assert finding is not None
    assert finding.message == "Models differ from migrations: products.sku is new."
    differences.clear()
    assert found("D002", ports) is None


@pytest.mark.parametrize(
    ("dialect", "workers", "message"),
    [("sqlite", 4, "SQLite with 4 workers."), ("sqlite", 1, None), ("postgresql", 4, None)],
)
def test_D003_sqlite_serves_one_process(
    dialect: str,
    workers: int,
    message: str | None,
    monkeypatch: pytest.MonkeyPatch,
    ports_with: Callable[..., Ports],
) -> None:
    ports = with_server(ports_with(WEB_CONCURRENCY=workers), monkeypatch, dialect)
    finding = found("D003", ports)
    assert (finding.message if finding else None) == message


@pytest.mark.parametrize(
    ("journal", "keys", "message"),
    [
        ("delete", 1, "SQLite is not in WAL mode."),
        ("wal", 0, "SQLite is without foreign keys."),
        ("memory", 0, "SQLite is not in WAL mode and without foreign keys."),
        ("wal", 1, None),
    ],
)
def test_D005_looks_at_sqlite_s_modes(
    journal: str,
    keys: int,
    message: str | None,
    monkeypatch: pytest.MonkeyPatch,
    ports_with: Callable[..., Ports],
) -> None:
    ports = with_server(ports_with(), monkeypatch, "sqlite")

    async def value(_: Any, statement: str) -> Any:
        return journal if "journal_mode" in statement else keys

    monkeypatch.setattr(server, "value", value)
    finding = found("D005", ports)
    assert (finding.message if finding else None) == message


@pytest.mark.parametrize(
    ("allowed", "message"),
    [
        (100, "4 workers × 35 connections = 140; the server allows 100."),  # noqa: RUF001
        (140, None),
        (None, None),
    ],
)
def test_D006_counts_connections(
    allowed: int | None,
    message: str | None,
    monkeypatch: pytest.MonkeyPatch,
    ports_with: Callable[..., Ports],
) -> None:
    ports = ports_with(WEB_CONCURRENCY=4)
    with_server(ports, monkeypatch, "postgresql", connection_limit=allowed)
    finding = found("D006", ports)
    assert (finding.message if finding else None) == message


@pytest.mark.parametrize("superuser", [True, False])
def test_D007_asks_for_the_role(
    superuser: bool, monkeypatch: pytest.MonkeyPatch, ports_with: Callable[..., Ports]
) -> None:
    ports = with_server(ports_with(), monkeypatch, "postgresql", is_superuser=superuser)
    assert (found("D007", ports) is not None) is superuser


@pytest.mark.parametrize(
    ("hosts", "encrypted", "message"),
    [
        ((("db.example.com", 5432),), False, "to db.example.com is not encrypted."),
        ((("127.0.0.1", None), ("10.0.0.7", None)), False, "to 10.0.0.7 is not encrypted."),
        ((("db.example.com", 5432),), True, None),
        ((("localhost", None), ("::1", None), ("/run/postgresql", None)), False, None),
        ((), False, None),
    ],
)
def test_D008_wants_encryption_to_elsewhere(
    hosts: Any,
    encrypted: bool,
    message: str | None,
    monkeypatch: pytest.MonkeyPatch,
    ports_with: Callable[..., Ports],
) -> None:
    ports = ports_with()
    with_server(ports, monkeypatch, "postgresql", hosts=hosts, is_encrypted=encrypted)
    finding = found("D008", ports)
    assert (finding is None) == (message is None)
    assert message is None or (finding is not None and message in finding.message)


@pytest.mark.parametrize(("seconds", "passes"), [(0, False), (30, True)])
def test_D010_wants_a_timeout(
    seconds: float, passes: bool, ports_with: Callable[..., Ports]
) -> None:
    assert (found("D010", ports_with(DB_QUERY_TIMEOUT=seconds)) is None) is passes


def table(*columns: Any) -> Table:
    metadata = MetaData()
    Table("users", metadata, Column("id", Integer, primary_key=True), Column("b", Integer))
    return Table("orders", metadata, *columns)


@pytest.mark.parametrize(
    ("columns", "bare"),
    [
        ([Column("user_id", ForeignKey("users.id"))], ["orders.user_id"]),
        ([Column("user_id", ForeignKey("users.id"), index=True)], []),
        ([Column("user_id", ForeignKey("users.id"), unique=True)], []),
        ([Column("user_id", ForeignKey("users.id"), primary_key=True)], []),
        ([Column("user_id", ForeignKey("users.id")), Column("n"), Index("i", "user_id", "n")], []),
        (
            [Column("user_id", ForeignKey("users.id")), Column("n"), Index("i", "n", "user_id")],
            ["orders.user_id"],
        ),
        ([Column("user_id", ForeignKey("users.id")), Column("n"), UniqueConstraint("n", "user_id")],
         ["orders.user_id"]),
        (
            [
                Column("a", Integer),
                Column("b", Integer),
                ForeignKeyConstraint(["a", "b"], ["users.id", "users.b"]),
                Index("i", "b", "a"),
            ],
            [],
        ),
    ],
)  # fmt: skip
def test_D011_finds_foreign_keys_without_an_index(columns: list[Any], bare: list[str]) -> None:
    assert list(unindexed_foreign_keys([table(*columns)])) == bare


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    reason = why_unavailable(chosen)
    if reason is not None:
        (pytest.fail if is_required(chosen) else pytest.skip)(reason)
    return chosen


@pytest.fixture
def url(kind: Kind) -> Iterator[str]:
    with fresh_database(kind) as given:
        yield given


def asked(url: str, question: Any) -> Any:
    """Open a database of our own settings and ask it."""

    async def run() -> Any:
        database = Database(DatabaseSettings(DATABASE_URL=url))
        try:
            return await question(database)
        finally:
            await database.dispose()

    return asyncio.run(run())


def test_our_own_connections_are_as_they_should_be(url: str, ports_with: Any) -> None:
    async def question(database: Database) -> Any:
        ports = ports_with()
        ports.add(Database, database)
        return [
            await BY_ID[name].run(ports)
            for name in ("D003", "D005", "D006", "D008", "D009", "D010")
        ]

    assert asked(url, question) == [None] * 6


def test_the_server_says_what_it_allows(url: str, kind: Kind) -> None:
    limit = asked(url, server.connection_limit)
    assert (limit is None) == (kind == "sqlite")
    assert limit is None or limit > 3


def test_tests_run_as_superusers_but_on_sqlite(url: str, kind: Kind) -> None:
    assert asked(url, server.is_superuser) is (kind != "sqlite")


def test_the_connection_on_this_machine_is_plain(url: str, kind: Kind) -> None:
    if kind != "sqlite":
        assert asked(url, server.is_encrypted) is False
    assert asked(url, _remote_host) is None


async def _remote_host(database: Database) -> str | None:
    return server.remote_host(database)


def test_D009_an_old_server_is_told(url: str, kind: Kind) -> None:
    with replaced(lambda: datetime(2041, 1, 1, tzinfo=UTC)):
        wrong = asked(url, server.shortcomings)
    assert len(wrong) == (kind == "postgresql")
    assert kind != "postgresql" or wrong[0].endswith("is out of support")

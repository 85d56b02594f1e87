"""The D rows: the schema, and the server that holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint

from mainstay.core.alembic import MigrationRunner
from mainstay.core.checks import server
from mainstay.core.checks.records import Finding, check
from mainstay.core.checks.values import application, counted, setting, some
from mainstay.core.db import Base
from mainstay.core.db.engine import Database

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Table

    from mainstay.core.ports import Ports


@check("D001", boot=True)
async def migrations(ports: Ports) -> Finding | None:
    """All migrations are applied."""
    pending = await ports[MigrationRunner].pending()
    if not pending:
        return None
    are = "is" if len(pending) == 1 else "are"
    return Finding(
        f"{counted(len(pending), 'migration')} {are} not applied: {some(pending)}.",
        "run `mainstay migrate`.",
    )


@check("D002")
async def models(ports: Ports) -> Finding | None:
    """The schema is what the models say."""
    runner = ports[MigrationRunner]
    if await runner.pending():
        return None  # D001 says so; what differs is known once they are applied
    differences = await runner.check()
    if not differences:
        return None
    return Finding(
        f"Models differ from migrations: {some(differences)}.", "run `mainstay makemigrations`."
    )


@check("D003", boot=True)
async def sqlite_workers(ports: Ports) -> Finding | None:
    """SQLite serves one process."""
    workers = application(ports).WEB_CONCURRENCY
    if workers == 1 or ports[Database].dialect_name != "sqlite":
        return None
    return Finding(
        f"SQLite with {workers} workers.",
        "set WEB_CONCURRENCY=1, or DATABASE_URL=postgresql://user:password@host/shop.",
    )


@check("D005")
async def sqlite_modes(ports: Ports) -> Finding | None:
    """SQLite writes ahead and holds foreign keys."""
    database = ports[Database]
    if database.dialect_name != "sqlite":
        return None
    wrong = []
    if await server.value(database, "PRAGMA journal_mode") != "wal":
        wrong.append("not in WAL mode")
    if not await server.value(database, "PRAGMA foreign_keys"):
        wrong.append("without foreign keys")
    if not wrong:
        return None
    return Finding(
        f"SQLite is {' and '.join(wrong)}.",
        "put the database's file on a local disk; network file systems do not bear WAL.",
    )


@check("D006", level="warning", deploy=True)
async def connections(ports: Ports) -> Finding | None:
    """The server bears all connections that the processes may open."""
    database, workers = ports[Database], application(ports).WEB_CONCURRENCY
    allowed = await server.connection_limit(database)
    most = workers * database.connection_limit
    if allowed is None or most <= allowed:
        return None
    return Finding(
        f"{counted(workers, 'worker')} × {database.connection_limit} connections = {most}; "  # noqa: RUF001
        f"the server allows {allowed}.",
        "lower DB_POOL_SIZE or DB_MAX_OVERFLOW, or raise the server's max_connections.",
    )


@check("D007", level="warning", deploy=True)
async def superuser(ports: Ports) -> Finding | None:
    """The application is no superuser of the database."""
    if not await server.is_superuser(ports[Database]):
        return None
    return Finding(
        "The app connects as a database superuser.",
        "make a role that owns the application's database and nothing else.",
    )


@check("D008", level="warning", deploy=True)
async def encryption(ports: Ports) -> Finding | None:
    """The connection to a database elsewhere is encrypted."""
    database = ports[Database]
    host = server.remote_host(database)
    if host is None or await server.is_encrypted(database):
        return None
    return Finding(
        f"The connection to {host} is not encrypted.",
        "add ?sslmode=verify-full (or require) to DATABASE_URL.",
    )


@check("D009", level="warning", deploy=True)
async def version(ports: Ports) -> Finding | None:
    """The server is supported, and set up for text and time as it should be."""
    wrong = await server.shortcomings(ports[Database])
    if not wrong:
        return None
    return Finding(
        f"{'. '.join(wrong)}.",
        "upgrade the server, or create the database with utf8mb4; keep its clock in UTC.",
    )


@check("D010", level="warning", deploy=True)
async def statement_timeout(ports: Ports) -> Finding | None:
    """Statements may not run for ever."""
    if setting(ports, "DB_QUERY_TIMEOUT") != 0:
        return None
    return Finding("No statement timeout.", "set DB_QUERY_TIMEOUT=30.")


@check("D011", level="warning")
async def foreign_keys(ports: Ports) -> Finding | None:
    """Every foreign key has an index."""
    if ports[Database].dialect_name == "mysql":
        return None  # InnoDB makes one itself
    bare = sorted(unindexed_foreign_keys(Base.metadata.tables.values()))
    if not bare:
        return None
    have = "has" if len(bare) == 1 else "have"
    return Finding(
        f"{counted(len(bare), 'foreign key')} {have} no index: {some(bare)}.",
        "add index=True to each column, and run `mainstay makemigrations`.",
    )


def unindexed_foreign_keys(tables: Iterable[Table]) -> Iterator[str]:
    """Yield ``orders.user_id`` for each foreign key that no index or unique key begins with."""
    for table in tables:
        indexed = [[column.name for column in index.columns] for index in table.indexes]
        indexed += [
            [column.name for column in constraint.columns]
            for constraint in table.constraints
            if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint)
        ]
        for constraint in table.foreign_key_constraints:
            names = list(constraint.column_keys)
            if not any(set(found[: len(names)]) == set(names) for found in indexed):
                yield f"{table.name}.{'+'.join(names)}"


DATABASE: Final = (
    migrations,
    models,
    sqlite_workers,
    sqlite_modes,
    connections,
    superuser,
    encryption,
    version,
    statement_timeout,
    foreign_keys,
)

"""What the database server says of itself, asked alike of PostgreSQL, MySQL and MariaDB."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import text

from mainstay.kit.clock import now

if TYPE_CHECKING:
    from mainstay.core.db.engine import Database

POSTGRESQL_ENDS: Final = {
    12: datetime(2024, 11, 21, tzinfo=UTC),
    13: datetime(2025, 11, 13, tzinfo=UTC),
    14: datetime(2026, 11, 12, tzinfo=UTC),
    15: datetime(2027, 11, 11, tzinfo=UTC),
    16: datetime(2028, 11, 9, tzinfo=UTC),
    17: datetime(2029, 11, 8, tzinfo=UTC),
    18: datetime(2030, 11, 14, tzinfo=UTC),
}
"""When support of each major version ends (postgresql.org/support/versioning)."""

_UTC_NAMES: Final = frozenset({"utc", "etc/utc", "gmt", "uct", "zulu", "+00:00"})


async def value(database: Database, statement: str) -> Any:
    """Give the first column of the first row that a statement answers."""
    async with database.read_engine.connect() as connection:
        return (await connection.execute(text(statement))).scalar()


async def connection_limit(database: Database) -> int | None:
    """Give how many connections the server allows; None where there is no server."""
    match database.dialect_name:
        case "postgresql":
            reserved = await value(database, "SHOW superuser_reserved_connections")
            return int(await value(database, "SHOW max_connections")) - int(reserved)
        case "mysql":
            return int(await value(database, "SELECT @@max_connections"))
    return None


async def is_superuser(database: Database) -> bool:
    """Say whether the application's role may do everything on the server."""
    match database.dialect_name:
        case "postgresql":
            asked = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
            return bool(await value(database, asked))
        case "mysql":
            async with database.read_engine.connect() as connection:
                grants = (await connection.execute(text("SHOW GRANTS"))).scalars().all()
            return any(
                grant.startswith(("GRANT ALL PRIVILEGES ON *.*", "GRANT SUPER")) for grant in grants
            )
    return False


def remote_host(database: Database) -> str | None:
    """Give the first host of the URL that is another machine; None for sockets and loopback."""
    return next((host for host, _ in database.url.hosts if not _is_here(host)), None)


async def is_encrypted(database: Database) -> bool:
    """Say whether a connection to the server is encrypted now."""
    if database.dialect_name == "postgresql":
        asked = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        return bool(await value(database, asked))
    async with database.read_engine.connect() as connection:
        row = (await connection.execute(text("SHOW SESSION STATUS LIKE 'Ssl_cipher'"))).first()
    return row is not None and bool(row[1])


async def shortcomings(database: Database) -> list[str]:
    """Say what is wrong with the server's version, text and time; nothing for SQLite."""
    match database.dialect_name:
        case "postgresql":
            return await _of_postgresql(database)
        case "mysql":
            return await _of_mysql(database)
    return []


async def _of_postgresql(database: Database) -> list[str]:
    major = int(await value(database, "SHOW server_version_num")) // 10_000
    wrong = []
    end = POSTGRESQL_ENDS.get(major)
    if major < min(POSTGRESQL_ENDS) or (end is not None and end <= now()):
        wrong.append(f"PostgreSQL {major} is out of support")
    if str(await value(database, "SHOW timezone")).lower() not in _UTC_NAMES:
        wrong.append("The server clock zone is not UTC")
    return wrong


async def _of_mysql(database: Database) -> list[str]:
    wrong = []
    if await value(database, "SELECT @@character_set_database") != "utf8mb4":
        wrong.append("MySQL is not utf8mb4")
    if str(await value(database, "SELECT @@session.time_zone")).lower() not in _UTC_NAMES:
        wrong.append("The server clock zone is not UTC")
    return wrong


def _is_here(host: str) -> bool:
    if not host or host.startswith("/") or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

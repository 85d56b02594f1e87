"""One process migrates at a time; a lock goes with the process that held it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Final

from sqlalchemy import event, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from mainstay.core.db.engine import Database

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_WHOLE_RUN: Final = 0x6D61696E_73746179
_ONE_MIGRATION: Final = _WHOLE_RUN + 1
_WAITS_FOR_ORPHANS: Final = "mainstay_migrates"
_PAUSE: Final = 0.05
_MARIADB_WAIT: Final = 10


@asynccontextmanager
async def locked(database: Database) -> AsyncIterator[AsyncConnection]:
    """Wait for the lock, and give the connection to migrate on for as long as it is held."""
    engine = database.migration_engine()
    try:
        if database.dialect_name == "postgresql":
            holder = _postgresql(engine)
        elif database.dialect_name == "mysql":
            holder = _mariadb(engine)
        else:
            holder = _sqlite(engine, database.url.file)
        async with holder as connection:
            yield connection
    finally:
        await engine.dispose()


@asynccontextmanager
async def _postgresql(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Hold a lock in an open transaction (it works through PgBouncer too) beside the work.

    A process that is killed frees it at once, while its last statement may still be running on the
    server. So each transaction of the work takes a second lock, which such an orphan still holds.
    """

    @event.listens_for(engine.sync_engine, "begin")
    def _wait_for_orphans(connection: Connection) -> None:
        if connection.get_execution_options().get(_WAITS_FOR_ORPHANS):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ONE_MIGRATION})")

    working = engine.execution_options(**{_WAITS_FOR_ORPHANS: True})
    async with engine.begin() as lock:
        await lock.execute(text("SET LOCAL statement_timeout = 0"))
        await lock.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        await lock.execute(text(f"SELECT pg_advisory_xact_lock({_WHOLE_RUN})"))
        async with working.connect() as connection:
            yield connection


@asynccontextmanager
async def _mariadb(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Hold a named lock on the connection that does the work, so that it outlives no statement."""
    async with engine.connect() as connection:
        schema = await connection.scalar(text("SELECT database()"))
        name = f"mainstay_{sha256(str(schema).encode()).hexdigest()[:32]}"
        ask = text("SELECT GET_LOCK(:name, :seconds)")
        held = False
        while not held:
            # In bites, as a server between may end a statement that is silent for long.
            held = bool(await connection.scalar(ask, {"name": name, "seconds": _MARIADB_WAIT}))
        await connection.commit()
        try:
            yield connection
        finally:
            await connection.rollback()
            await connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": name})


@asynccontextmanager
async def _sqlite(engine: AsyncEngine, file: Path | None) -> AsyncIterator[AsyncConnection]:
    """Hold a lock of the operating system on a file beside the database."""
    with contextlib.ExitStack() as stack:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            beside = stack.enter_context(file.with_name(f"{file.name}.migrating").open("a+b"))
            while not _try_lock(beside):  # noqa: ASYNC110  (another process cannot set an event)
                await asyncio.sleep(_PAUSE)
        async with engine.connect() as connection:
            yield connection


def _try_lock(file: IO[bytes]) -> bool:
    """Take the lock, which goes when the file is closed or the process ends."""
    try:
        if sys.platform == "win32":
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

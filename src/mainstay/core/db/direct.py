"""The shortest way to a row: a prepared statement on the driver itself, past SQLAlchemy.

Measured on PostgreSQL, 32 at once: a single-row read costs 187 µs of CPU through Core on an engine
in autocommit, and 28 µs here. The connections are few, of their own, and never in a transaction.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote

import orjson
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mainstay.core.db.building import is_closed, unreachable
from mainstay.core.db.drivers import Terms, connect_arguments
from mainstay.core.db.pool import PATIENCE
from mainstay.core.db.url import DatabaseUrl

_OF_SQLALCHEMY: Final = ("prepared_statement_cache_size", "prepared_statement_name_func")


class NoDirectWayError(Exception):
    """The direct way is not open at the moment; the plain one may be."""


class DirectReads(Protocol):
    """Runs a SELECT with positional values and gives its rows as the driver has them."""

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Give all rows. Raises `NoDirectWayError`, or what the driver raises."""
        ...

    async def close(self) -> None:
        """Close what is open; a later fetch opens anew."""
        ...


class PostgresReads:
    """A few connections of asyncpg. A broken one is replaced, and its read is made once more."""

    def __init__(self, url: DatabaseUrl, terms: Terms, *, connections: int) -> None:
        arguments = connect_arguments(url, terms)
        self._arguments = {k: v for k, v in arguments.items() if k not in _OF_SQLALCHEMY}
        self._driver = import_module("asyncpg")
        self._url = url
        self._limit = connections
        self._loop: asyncio.AbstractEventLoop | None = None
        self._free: list[Any] = []
        self._room = asyncio.Semaphore(connections)

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Give all rows."""
        self._stay_in_this_loop()
        await self._enter()
        try:
            return await self._fetch(statement, values)
        finally:
            self._room.release()

    async def close(self) -> None:
        """Close the idle connections."""
        free, self._free = self._free, []
        for connection in free:
            if self._loop is asyncio.get_running_loop():
                await connection.close(timeout=2)
            else:
                connection.terminate()

    async def _fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        connection = self._take()
        fresh = connection is None
        while True:
            if connection is None:
                connection = await self._open()
            try:
                rows: Sequence[Sequence[Any]] = await connection.fetch(statement, *values)
            except BaseException as error:
                if not is_closed(connection) and isinstance(error, Exception):
                    self._free.append(connection)
                    raise
                # Cancelled in the middle, or broken: nobody else should wait for its state.
                connection.terminate()
                if fresh or not isinstance(error, Exception):
                    raise
                connection, fresh = None, True
            else:
                self._free.append(connection)
                return rows

    def _take(self) -> Any:
        while self._free:
            connection = self._free.pop()
            if not is_closed(connection):
                return connection
        return None

    async def _enter(self) -> None:
        if not self._room.locked():
            await self._room.acquire()
            return
        try:
            await asyncio.wait_for(self._room.acquire(), PATIENCE)
        except TimeoutError as error:
            msg = "Every connection for reading is in use."
            raise PoolTimeoutError(msg) from error

    async def _open(self) -> Any:
        try:
            connection = await self._driver.connect(**self._arguments)
        except OSError as error:
            raise unreachable(self._url) from error
        for name in ("json", "jsonb"):
            await connection.set_type_codec(
                name, encoder=str, decoder=orjson.loads, schema="pg_catalog"
            )
        return connection

    def _stay_in_this_loop(self) -> None:
        """Leave connections of a loop that has ended to itself: they cannot be used any more."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._free = loop, []
            self._room = asyncio.Semaphore(self._limit)


class SqliteReads:
    """One connection, used inline: a read by key takes less time than a hop to a thread."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._connection: sqlite3.Connection | None = None

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Give all rows; never waits for a lock."""
        try:
            if self._connection is None:
                self._connection = self._open()
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.OperationalError as error:
            raise NoDirectWayError from error

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(self._file))}?mode=rw",
            uri=True,
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA query_only=ON").close()
        return connection

"""Aiosqlite with one hop to its thread a statement, where it takes four.

A hop costs more than a short statement (measured: a transaction of one read and one insert takes
1,090 µs of CPU with four, 520 µs with one). This module uses private names of aiosqlite; its tests
hold that they still do what they did.
"""

# ruff: noqa: SLF001

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Self

from aiosqlite import Connection

_FETCHED_AT_ONCE: Final = 1000


def connect(database: str, **options: Any) -> Connection:
    """Give a connection that opens when it is awaited; arguments are those of ``sqlite3``."""
    connection = _Connection(lambda: sqlite3.connect(database, **options), _FETCHED_AT_ONCE)
    connection._thread.daemon = True
    return connection


class _Connection(Connection):
    """A connection whose cursors make one hop a statement."""

    def cursor(self) -> Any:
        """Give a cursor, without a hop."""
        return _Cursor(self)

    async def hop(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Do something in the connection's thread."""
        return await self._execute(work, *arguments)  # type: ignore[no-untyped-call]


class _Cursor:
    """Runs a statement, fetches its first rows and closes it if these are all, in one hop."""

    arraysize = 1

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self._open: sqlite3.Cursor | None = None
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Self:
        """Run a statement."""
        await self._connection.hop(self._execute, statement, parameters)
        return self

    async def executemany(self, statement: str, parameters: Iterable[Sequence[Any]]) -> Self:
        """Run a statement for each set of parameters."""
        await self._connection.hop(self._executemany, statement, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        """Give all rows that are left."""
        if self._open is not None:
            await self._connection.hop(self._fetch, -1)
        rows, self._rows = self._rows, []
        return rows

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        """Give the next rows."""
        wanted = self.arraysize if size is None else size
        if self._open is not None and len(self._rows) < wanted:
            await self._connection.hop(self._fetch, max(wanted, _FETCHED_AT_ONCE))
        rows, self._rows = self._rows[:wanted], self._rows[wanted:]
        return rows

    async def fetchone(self) -> Any:
        """Give the next row, or None."""
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def close(self) -> None:
        """Let go of the statement."""
        self._rows = []
        if self._open is not None:
            cursor, self._open = self._open, None
            await self._connection.hop(cursor.close)

    def _execute(self, statement: str, parameters: Sequence[Any]) -> None:
        self._open = self._connection._conn.execute(statement, parameters)
        self._describe(self._open)
        self._fetch(_FETCHED_AT_ONCE)

    def _executemany(self, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
        cursor = self._connection._conn.executemany(statement, parameters)
        self._describe(cursor)
        cursor.close()

    def _fetch(self, size: int) -> None:
        """Fetch up to ``size`` rows, or all; close the statement at its end (in the thread)."""
        cursor = self._open
        if cursor is None:
            return
        rows = cursor.fetchall() if size < 0 else cursor.fetchmany(size)
        self._rows += rows
        if size < 0 or len(rows) < size:
            # Only now does a statement with RETURNING know how many rows it changed.
            self._describe(cursor)
            cursor.close()
            self._open = None

    def _describe(self, cursor: sqlite3.Cursor) -> None:
        self.description = cursor.description
        self.rowcount = cursor.rowcount
        self.lastrowid = cursor.lastrowid

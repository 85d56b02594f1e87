"""Lets the writers of one process have SQLite's lock one after another.

SQLite itself lets them poll for it: with 32 writers the unluckiest one of a second waits for more
than another second, and some for ever. Other processes still wait in that way.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Turns:
    """A queue of connections for the one lock; the first in it holds its turn until given back."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._holder: Any = None
        self._queue: deque[tuple[Any, asyncio.Future[None]]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting = 0

    def is_awaited(self) -> bool:
        """Say whether a transaction is waiting to begin."""
        return self._waiting > 0

    @contextmanager
    def being_awaited(self) -> Iterator[None]:
        """Note that a transaction waits to begin, for as long as the block lasts."""
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    def take(self, connection: Any) -> None:
        """Wait for the turn of SQLAlchemy's connection, inside its greenlet.

        Raises:
            sqlite3.OperationalError: as SQLite's own, when it took too long.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._holder, self._queue = loop, None, deque()
        if self._holder is None:
            self._holder = connection
            return
        with self.being_awaited():
            connection.run_async(lambda _: self._wait(connection))

    def give_back(self, connection: Any) -> None:
        """End the connection's turn, if it has it."""
        if self._holder is not connection:
            return
        self._holder = None
        while self._queue and self._holder is None:
            following, called = self._queue.popleft()
            if not called.done():
                self._holder = following
                called.set_result(None)

    async def _wait(self, connection: Any) -> None:
        called = asyncio.get_running_loop().create_future()
        self._queue.append((connection, called))
        try:
            async with asyncio.timeout(self._patience):
                await called
        except TimeoutError as error:
            self.give_back(connection)
            locked = sqlite3.OperationalError("database is locked")
            locked.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise locked from error
        except BaseException:
            self.give_back(connection)
            raise

"""Pools that fail fast when nothing moves, and that never hand out a dead connection.

SQLAlchemy's own pool lets every caller wait for the whole ``DB_POOL_TIMEOUT``. Here that is the
most a caller waits while connections do come back; when none has for a second the pool is stuck,
and there is no use in waiting (but while one waits for SQLite's lock, there is). Where many wait
and the pace says that the next would wait for more than five seconds, it is refused at once.
This module uses private names of SQLAlchemy's pool; a test holds that they still do what they did.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.util.queue import AsyncAdaptedQueue, Empty

PATIENCE: Final = 1.0
"""Seconds without any connection coming back after which the pool counts as stuck."""

LONGEST_WAIT: Final = 5.0
"""Seconds that a caller may expect to wait at the present pace, if it is not to be refused."""

_MAY_ALWAYS_WAIT: Final = 4
_PACE_MEMORY: Final = 0.9
_IDLE: Final = 30.0
_PING_TIMEOUT: Final = 2.0
_RETURNED: Final = "mainstay.returned"


class _Queue(AsyncAdaptedQueue[ConnectionPoolEntry]):
    """The idle connections, and who waits for one."""

    def __init__(self, maxsize: int = 0, use_lifo: bool = False) -> None:  # noqa: FBT001, FBT002
        super().__init__(maxsize, use_lifo)
        self.room = 0
        self.is_excused: Callable[[], bool] = bool
        self._waiting = 0
        self._moved = monotonic()
        self._pace = 0.0

    def put_nowait(self, item: ConnectionPoolEntry) -> None:
        at = monotonic()
        if self._waiting:
            self._pace = _PACE_MEMORY * self._pace + (1 - _PACE_MEMORY) * (at - self._moved)
        self._moved = at
        super().put_nowait(item)

    def get(self, block: bool = True, timeout: float | None = None) -> ConnectionPoolEntry:  # noqa: FBT001, FBT002
        if not block or not self.empty():
            return super().get(block, timeout)
        if self._waiting >= self.room and (self._waiting + 1) * self._pace > LONGEST_WAIT:
            raise Empty
        self._waiting += 1
        try:
            return self._wait(monotonic(), timeout)
        finally:
            self._waiting -= 1

    def _wait(self, since: float, timeout: float | None) -> ConnectionPoolEntry:
        while True:
            last = monotonic() if self.is_excused() else max(since, self._moved)
            end = last + PATIENCE
            if timeout is not None:
                end = min(end, since + timeout)
            left = end - monotonic()
            if left <= 0:
                raise Empty
            try:
                return super().get(True, left)
            except Empty:
                continue


class PatientPool(AsyncAdaptedQueuePool):
    """A bounded pool with a waiting room; an exhausted one raises SQLAlchemy's ``TimeoutError``."""

    _queue_class = _Queue

    def __init__(self, creator: Any, **options: Any) -> None:
        super().__init__(creator, **options)
        self._queue.room = _MAY_ALWAYS_WAIT * (self.size() + max(self._max_overflow, 0))

    @property
    def _queue(self) -> _Queue:
        if not isinstance(self._pool, _Queue):
            raise TypeError
        return self._pool

    def excuse(self, is_excused: Callable[[], bool]) -> None:
        """Do not count the pool as stuck while ``is_excused()``."""
        self._queue.is_excused = is_excused


def replace_dead_connections(
    engine: AsyncEngine,
    *,
    is_closed: Callable[[Any], bool],
    ping: Callable[[Any], Any],
) -> None:
    """Look at each connection before it is handed out; a dead one is replaced on the spot.

    ``is_closed(driver_connection)`` only looks whether the socket is gone, which costs nothing and
    finds a restarted server. ``ping(driver_connection)`` is awaited after 30 idle seconds, for
    connections that a firewall has dropped without a word.
    """

    @event.listens_for(engine.sync_engine, "checkin")
    def _note(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[_RETURNED] = monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def _look(connection: Any, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        if is_closed(record.driver_connection):
            raise DisconnectionError
        returned = record.info.get(_RETURNED)
        if returned is not None and monotonic() - returned > _IDLE:
            _ask(connection)

    def _ask(connection: Any) -> None:
        try:
            connection.run_async(lambda driver: asyncio.wait_for(ping(driver), _PING_TIMEOUT))
        except Exception as error:
            raise InvalidatePoolError from error

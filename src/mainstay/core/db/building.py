"""How an engine is made for each database, and how its broken connections are told."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import event
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import DataError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from mainstay.core.db import sqlite
from mainstay.core.db.codes import (
    ConnectionLostError,
    DatabaseUnavailableError,
    StatementTimeoutError,
)
from mainstay.core.db.drivers import Terms, connect_arguments
from mainstay.core.db.pool import PatientPool, replace_dead_connections
from mainstay.core.db.statistics import Meter
from mainstay.core.db.url import DatabaseUrl

_CACHED_STATEMENTS: Final = 1000
_AUTOCOMMIT: Final = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolShape:
    """How many connections a pool holds, how long (in seconds) to wait for one, and to keep it."""

    size: int
    overflow: int = 0
    timeout: float = 30
    recycle: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineBuilder:
    """Makes the engines of one database."""

    url: DatabaseUrl
    terms: Terms
    meter: Meter

    def transactional(self, shape: PoolShape) -> AsyncEngine:
        """Give an engine with a pool, for transactions."""
        options: dict[str, Any] = {}
        if self.url.backend == "mysql":
            # A session has ended its transaction before it gives its connection back; the pool's
            # own ROLLBACK would be one more round trip after each COMMIT.
            options = {"isolation_level": "READ COMMITTED", "pool_reset_on_return": None}
        return self._complete(self._create(_pool_options(shape) | options), begin="immediate")

    def reading(self, shape: PoolShape) -> AsyncEngine:
        """Give an engine with a pool of its own whose statements are on their own."""
        options = _pool_options(shape) | {"pool_reset_on_return": None, **_AUTOCOMMIT}
        return self._complete(self._create(options), begin="never")

    def unpooled(self) -> AsyncEngine:
        """Give a transactional engine that keeps no connection: for migrations."""
        return self._complete(self._create({"poolclass": NullPool}), begin="immediate")

    def _create(self, options: dict[str, Any]) -> AsyncEngine:
        arguments = connect_arguments(self.url, self.terms)
        name = f"{self.url.drivername}://"
        if self.url.backend == "sqlite":
            arguments = sqlite.CONNECT_ARGUMENTS
            name = f"{name}/{self.url.database}"
        elif self.url.backend == "mysql":
            _quieten()
        return create_async_engine(
            name,
            connect_args=arguments,
            json_serializer=_to_json,
            json_deserializer=from_json,
            hide_parameters=True,
            query_cache_size=_CACHED_STATEMENTS,
            **options,
        )

    def _complete(self, engine: AsyncEngine, *, begin: sqlite.Begin) -> AsyncEngine:
        _tell_broken_connections(engine, self.url)
        self.meter.watch(engine)
        pool = engine.sync_engine.pool
        if self.url.backend == "sqlite":
            lock = sqlite.configure(
                engine, begin=begin, statement_timeout=self.terms.statement_timeout
            )
            if isinstance(pool, PatientPool):
                pool.excuse(lock.is_awaited)
        elif isinstance(pool, PatientPool):
            replace_dead_connections(engine, is_closed=is_closed, ping=ping)
        return engine


def is_closed(driver: Any) -> bool:
    """Say whether a connection of asyncpg or asyncmy is gone, as far as this side knows."""
    if hasattr(driver, "is_closed"):
        return bool(driver.is_closed())
    return bool(getattr(driver, "_stream_broken", False)) or not driver.connected


async def ping(driver: Any) -> None:
    """Ask the server of a connection of asyncpg or asyncmy for a sign of life, or raise."""
    if hasattr(driver, "is_closed"):
        await driver.execute("")
    else:
        await driver.ping(reconnect=False)


def unreachable(url: DatabaseUrl) -> DatabaseUnavailableError:
    """Give the error for a database that cannot be connected to."""
    return DatabaseUnavailableError(f"The {url.product} database cannot be reached.")


def _pool_options(shape: PoolShape) -> dict[str, Any]:
    return {
        "poolclass": PatientPool,
        "pool_size": shape.size,
        "max_overflow": shape.overflow,
        "pool_timeout": shape.timeout,
        "pool_recycle": shape.recycle,
        "pool_use_lifo": True,
    }


def _tell_broken_connections(engine: AsyncEngine, url: DatabaseUrl) -> None:
    """Turn what comes from below a driver (no route, no answer) into errors of ours."""

    @event.listens_for(engine.sync_engine, "do_connect")
    def _connect(dialect: Dialect, _record: Any, arguments: Any, named: dict[str, Any]) -> Any:
        try:
            if url.file is not None:
                sqlite.make_file(url.file)
            return dialect.connect(*arguments, **named)
        except OSError as error:
            raise unreachable(url) from error

    @event.listens_for(engine.sync_engine, "handle_error")
    def _handle(context: ExceptionContext) -> BaseException | None:
        original = context.original_exception
        if isinstance(original, OverflowError):
            return DataError(context.statement, None, original, hide_parameters=True)
        if not isinstance(original, OSError):
            return None
        context.is_disconnect = True
        if isinstance(original, TimeoutError):
            return StatementTimeoutError("The database did not answer in time.")
        return ConnectionLostError("The connection to the database broke.")


def _quieten() -> None:
    """Keep the driver from logging each warning of the server ("name ignored for PRIMARY key").

    What matters is an error here, as the mode is strict.
    """
    logger = logging.getLogger("asyncmy")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.ERROR)


def from_json(value: Any) -> Any:
    """Read a document; SQLite gives a bare number as such."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def _to_json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()

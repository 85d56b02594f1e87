"""The database of one application: its engines, its sessions, its short transactions."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from mainstay.core.db import sqlite
from mainstay.core.db.building import EngineBuilder, PoolShape
from mainstay.core.db.codes import StatementTimeoutError
from mainstay.core.db.direct import DirectReads, NoDirectWayError, PostgresReads, SqliteReads
from mainstay.core.db.drivers import Terms
from mainstay.core.db.settings import DatabaseSettings
from mainstay.core.db.statistics import Meter
from mainstay.core.db.url import Backend, DatabaseUrl

_READERS: Final = 5
"""How many connections of their own reads may have, besides those of DB_POOL_SIZE."""


class Database:
    """Engines and sessions for one set of settings; several may live in one process.

    Nothing is opened before it is used. ``engine`` is for transactions. ``read_engine`` is for
    single statements that must be fresh and cheap: it sends no BEGIN, COMMIT or ROLLBACK, so two of
    its statements may see different states. ``direct`` is what `PreparedRead` uses; None where the
    driver has no such way. A database "in memory" is a scratch file that goes with this object, so
    that a request may read while another writes.
    """

    def __init__(self, settings: DatabaseSettings, *, data_dir: Path | str = "var") -> None:
        """Raise `DriverMissingError` if the driver is not installed."""
        self.settings = settings
        self.url = self._on_disk(settings.url(Path(data_dir)))
        self.url.require_driver()
        self.meter = Meter(settings.DB_SLOW_QUERY_MS)
        builder = self._builder(self.url)
        self.engine: AsyncEngine = builder.transactional(self._shape())
        self.read_engine: AsyncEngine = self._make_read_engine(builder)
        self.direct: DirectReads | None = self._make_direct(builder)
        self._deferred = self.engine.execution_options(**{sqlite.BEGIN: "deferred"})
        self._replica = self._make_replica_engine()

    @property
    def dialect_name(self) -> Backend:
        """The family: ``sqlite``, ``postgresql``, or ``mysql``, which includes MariaDB."""
        return self.url.backend

    @property
    def connection_limit(self) -> int:
        """The most connections that this process may have open, replica excepted."""
        most = self.settings.DB_POOL_SIZE + self.settings.DB_MAX_OVERFLOW
        return most if self._through_pgbouncer else most + _READERS

    def session(self, *, write: bool, replica: bool = False) -> AsyncSession:
        """Give a session; it opens its transaction when it is first used.

        On SQLite only ``write=True`` may safely read first and write later. ``replica=True`` reads
        from the replica, if there is one: rows of a moment ago.
        """
        bind = self.engine if write else self._deferred
        if replica and self._replica is not None:
            bind = self._replica
        return AsyncSession(bind, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a short transaction of its own: committed at the end, undone by an exception."""
        async with self.session(write=True) as session, session.begin():
            yield session

    async def ping(self, *, timeout: float = 5) -> None:  # noqa: ASYNC109
        """Do nothing if the database answers; even while every pooled connection is in use.

        Raises:
            Exception: one for which ``failures.is_unavailable`` is true.
        """
        try:
            async with asyncio.timeout(timeout):
                await self._ask()
        except TimeoutError as error:
            msg = f"The {self.url.product} database did not answer in time."
            raise StatementTimeoutError(msg) from error

    async def _ask(self) -> None:
        if self.direct is not None:
            try:
                await self.direct.fetch("SELECT 1", ())
            except NoDirectWayError:
                pass
            else:
                return
        async with self.read_engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    def migration_engine(self) -> AsyncEngine:
        """Give an engine whose statements may take their time, for the caller to dispose of."""
        terms = Terms(statement_timeout=0, pgbouncer=self._through_pgbouncer)
        return EngineBuilder(url=self.url, terms=terms, meter=self.meter).unpooled()

    async def dispose(self) -> None:
        """Close every idle connection. The database may be used again afterwards."""
        if self.direct is not None:
            await self.direct.close()
        await self.engine.dispose()
        if self.read_engine.pool is not self.engine.pool:
            await self.read_engine.dispose()
        if self._replica is not None:
            await self._replica.dispose()

    @property
    def _through_pgbouncer(self) -> bool:
        return self.settings.DB_PGBOUNCER and self.url.backend == "postgresql"

    def _builder(self, url: DatabaseUrl) -> EngineBuilder:
        terms = Terms(
            statement_timeout=self.settings.DB_QUERY_TIMEOUT,
            pgbouncer=self.settings.DB_PGBOUNCER and url.backend == "postgresql",
        )
        return EngineBuilder(url=url, terms=terms, meter=self.meter)

    def _shape(self) -> PoolShape:
        return PoolShape(
            size=self.settings.DB_POOL_SIZE,
            overflow=self.settings.DB_MAX_OVERFLOW,
            timeout=self.settings.DB_POOL_TIMEOUT,
            recycle=self.settings.DB_POOL_RECYCLE,
        )

    def _make_read_engine(self, builder: EngineBuilder) -> AsyncEngine:
        """Choose how single statements run.

        Behind PgBouncer a statement outside a transaction may lose the connection that it was
        prepared on. With asyncpg autocommit costs no round trip, so the pool is shared; the others
        would have to be told each time.
        """
        if self._through_pgbouncer:
            return self.engine
        if self.url.backend == "postgresql":
            return self.engine.execution_options(isolation_level="AUTOCOMMIT")
        return builder.reading(
            PoolShape(
                size=_READERS,
                timeout=self.settings.DB_POOL_TIMEOUT,
                recycle=self.settings.DB_POOL_RECYCLE,
            )
        )

    def _make_replica_engine(self) -> AsyncEngine | None:
        if self.settings.DATABASE_REPLICA_URL is None:
            return None
        url = DatabaseUrl.parse(self.settings.DATABASE_REPLICA_URL)
        url.require_driver()
        return self._builder(url).transactional(self._shape())

    def _make_direct(self, builder: EngineBuilder) -> DirectReads | None:
        if self.url.file is not None:
            return SqliteReads(self.url.file)
        if self.url.backend == "postgresql" and not self._through_pgbouncer:
            return PostgresReads(self.url, builder.terms, connections=_READERS)
        return None

    def _on_disk(self, url: DatabaseUrl) -> DatabaseUrl:
        if not url.in_memory:
            return url
        folder = tempfile.mkdtemp(prefix="mainstay-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return url.with_database(f"{folder}/memory.db")

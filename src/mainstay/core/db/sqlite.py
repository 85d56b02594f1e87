"""SQLite as a server's database: write-ahead log, foreign keys, BEGIN under our control."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from time import monotonic
from typing import Any, Final, Literal

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection

from mainstay.core.db.sqlite_driver import connect
from mainstay.core.db.turns import Turns

BUSY_TIMEOUT: Final = 10
"""Seconds to wait for another program's lock before giving up."""

BEGIN: Final = "mainstay_begin"
"""The execution option that says how a transaction begins: a ``Begin``."""

Begin = Literal["immediate", "deferred", "never"]

CONNECT_ARGUMENTS: Final[dict[str, Any]] = {
    "async_creator_fn": connect,
    # The driver must never begin or commit by itself; the listener below does.
    "isolation_level": None,
    "timeout": BUSY_TIMEOUT,
    "cached_statements": 512,
}

_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
)
_STEPS_BETWEEN_LOOKS: Final = 20_000


def make_file(file: Path) -> None:
    """Make the database's folder and an empty file that only its owner reads, if not there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return


class _Deadline:
    """When the statement that now runs on a connection is to be interrupted."""

    __slots__ = ("at",)

    def __init__(self) -> None:
        self.at = float("inf")

    def passed(self) -> bool:
        return monotonic() > self.at


def configure(engine: AsyncEngine, *, begin: Begin, statement_timeout: float) -> Turns:
    """Set up each new connection, begin each transaction as told, end statements that run long.

    A transaction that may write begins IMMEDIATE: one that reads first and writes later would fail
    at once when another has written in between, however long it were ready to wait. The option
    ``BEGIN`` of an engine or a connection overrides ``begin``.
    """
    turns = Turns(BUSY_TIMEOUT)

    @event.listens_for(engine.sync_engine, "connect")
    def _connected(connection: Any, record: Any) -> None:
        deadline = record.info[_Deadline] = _Deadline()
        connection.run_async(
            lambda driver: driver.hop(_prepare, driver._conn, deadline)  # noqa: SLF001
        )

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        how: Begin = connection.get_execution_options().get(BEGIN, begin)
        if how == "never":
            return
        if how == "immediate":
            turns.take(connection.connection.dbapi_connection)
        with turns.being_awaited():
            connection.exec_driver_sql(f"BEGIN {how}")

    if statement_timeout:

        @event.listens_for(engine.sync_engine, "before_cursor_execute")
        def _start(connection: Connection, *_: Any) -> None:
            connection.info[_Deadline].at = monotonic() + statement_timeout

    _give_turns_back(engine, turns)
    return turns


def _give_turns_back(engine: AsyncEngine, turns: Turns) -> None:
    """End a turn when its transaction has ended; skip a ROLLBACK that has nothing to undo.

    SQLAlchemy's events come before COMMIT and ROLLBACK, and the next writer should come after.
    """
    dialect = engine.sync_engine.dialect
    commit, rollback = dialect.do_commit, dialect.do_rollback

    def do_commit(connection: PoolProxiedConnection) -> None:
        commit(connection)
        turns.give_back(connection.dbapi_connection)

    def do_rollback(connection: PoolProxiedConnection) -> None:
        driver: Any = connection.driver_connection
        if driver.in_transaction:
            rollback(connection)
        turns.give_back(connection.dbapi_connection)

    vars(dialect).update(do_commit=do_commit, do_rollback=do_rollback)

    @event.listens_for(engine.sync_engine, "close")
    @event.listens_for(engine.sync_engine, "close_detached")
    def _closed(connection: Any, *_: Any) -> None:
        turns.give_back(connection)


def _prepare(connection: sqlite3.Connection, deadline: _Deadline) -> None:
    for pragma in _PRAGMAS:
        connection.execute(pragma).close()
    connection.set_progress_handler(deadline.passed, _STEPS_BETWEEN_LOOKS)

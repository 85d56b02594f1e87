"""How many statements a piece of work makes, and which of them are slow."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

_log = logging.getLogger("mainstay.db")
_LONGEST_SHOWN: Final = 500


class Statistics:
    """What one piece of work asked of the database. ``statements`` is kept only if asked for."""

    __slots__ = ("count", "seconds", "statements")

    def __init__(self, *, record: bool = False) -> None:
        self.count = 0
        self.seconds = 0.0
        self.statements: list[str] | None = [] if record else None

    def add(self, statement: str, seconds: float) -> None:
        """Count one statement."""
        self.count += 1
        self.seconds += seconds
        if self.statements is not None:
            self.statements.append(statement)


_current: ContextVar[Statistics | None] = ContextVar("mainstay.db.statistics", default=None)


def current() -> Statistics | None:
    """Give the statistics of the work that runs now; None where nobody counts."""
    return _current.get()


@contextmanager
def counted(*, record: bool = False) -> Iterator[Statistics]:
    """Count the statements made inside, in this task and in those that it starts."""
    statistics = Statistics(record=record)
    token = _current.set(statistics)
    try:
        yield statistics
    finally:
        _current.reset(token)


class Meter:
    """Counts statements for whoever counts, and logs those slower than ``slow_ms`` (0: none)."""

    __slots__ = ("slow_seconds",)

    def __init__(self, slow_ms: float = 0) -> None:
        self.slow_seconds = slow_ms / 1000 if slow_ms else float("inf")

    def note(self, statement: str, seconds: float) -> None:
        """Take down one statement that has run; parameters are never seen here."""
        statistics = _current.get()
        if statistics is not None:
            statistics.add(statement, seconds)
        if seconds >= self.slow_seconds:
            text = " ".join(statement.split())[:_LONGEST_SHOWN]
            _log.warning("slow statement: %.0f ms: %s", seconds * 1000, text)

    def watch(self, engine: AsyncEngine) -> None:
        """Take down every statement of an engine."""

        @event.listens_for(engine.sync_engine, "before_cursor_execute")
        def _start(*event_arguments: Any) -> None:
            event_arguments[4].mainstay_started = perf_counter()

        @event.listens_for(engine.sync_engine, "after_cursor_execute")
        def _end(*event_arguments: Any) -> None:
            statement, context = event_arguments[2], event_arguments[4]
            self.note(statement, perf_counter() - context.mainstay_started)

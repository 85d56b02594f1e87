from __future__ import annotations

import asyncio
import logging

import pytest
from sqlalchemy import text

from mainstay.core.db.statistics import Meter, counted, current

pytestmark = pytest.mark.anyio


async def _ask(database, times):
    async with database.session(write=False) as session:
        for _ in range(times):
            await session.scalar(text("SELECT 1"))


async def test_statements_are_counted_where_somebody_counts(database):
    await _ask(database, 1)
    begins = int(database.dialect_name == "sqlite")
    with counted(record=True) as statistics:
        await _ask(database, 3)
    await _ask(database, 1)
    assert statistics.count == 3 + begins
    assert statistics.seconds > 0
    assert statistics.statements.count("SELECT 1") == 3


async def test_pieces_of_work_at_once_are_counted_apart(database):
    await _ask(database, 1)

    async def work(times):
        with counted(record=True) as statistics:
            await _ask(database, times)
        return statistics.statements.count("SELECT 1")

    assert await asyncio.gather(work(1), work(5), work(3)) == [1, 5, 3]


async def test_tasks_that_are_started_count_for_who_started_them(database):
    with counted(record=True) as statistics:
        await asyncio.gather(_ask(database, 1), _ask(database, 2))
    assert statistics.statements.count("SELECT 1") == 3


def test_nobody_counts_unless_asked():
    assert current() is None
    with counted() as outer:
        with counted() as inner:
            Meter().note("SELECT 1", 0.5)
        assert current() is outer
    assert (inner.count, inner.seconds, inner.statements) == (1, 0.5, None)
    assert outer.count == 0
    assert current() is None


def test_only_slow_statements_are_logged(caplog):
    meter = Meter(slow_ms=100)
    with caplog.at_level(logging.WARNING, logger="mainstay.db"):
        meter.note("SELECT fast", 0.099)
        meter.note("SELECT\n   slow", 0.1)
        Meter().note("SELECT other", 3600)
    assert caplog.messages == ["slow statement: 100 ms: SELECT slow"]

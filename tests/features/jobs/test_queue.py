"""Writing jobs into the caller's transaction."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from mainstay.core.jobs import Job, JobRun
from mainstay.core.origin import Origin, reset_origin, set_origin
from mainstay.core.registry import AssemblyError
from mainstay.features.jobs import JobRow, UnknownJobError
from mainstay.features.jobs.kinds import JobKinds
from mainstay.features.jobs.models import MAX_NAME
from mainstay.kit.clock import now

pytestmark = pytest.mark.anyio


async def nothing(payload: dict[str, Any], run: JobRun) -> None:
    """Do nothing."""


NOTHING = Job(name="test.nothing", handler=nothing, max_attempts=3)


async def test_a_job_is_there_once_its_transaction_is_committed(url: str, build: Any) -> None:
    async with build(url, jobs=(NOTHING,)) as house:
        later = now() + timedelta(hours=1)
        job_id = await house.add("test.nothing", {"a": [1, "ü"]}, run_at=later)
        (row,) = await house.rows()
    assert (row.id, row.name, row.payload) == (job_id, "test.nothing", {"a": [1, "ü"]})
    assert (row.state, row.attempts, row.max_attempts) == ("queued", 0, 3)
    assert row.run_at == later
    assert row.unique_key is row.active_key is row.finished_at is None


async def test_a_job_of_an_undone_transaction_is_not_there(url: str, build: Any) -> None:
    async with build(url, jobs=(NOTHING,)) as house:
        told: list[Any] = []
        house.bus.subscribe("jobs.queued", told.append)
        with suppress(ZeroDivisionError):
            async with house.units.transaction() as session:
                await house.queue.enqueue(session, "test.nothing", {})
                await house.queue.enqueue(session, "test.nothing", {}, key="k")
                raise ZeroDivisionError
        assert await house.rows() == []
        assert told == []


async def test_the_bus_is_told_after_the_commit(sqlite_url: str, build: Any) -> None:
    async with build(sqlite_url, jobs=(NOTHING,)) as house:
        told: list[Any] = []
        house.bus.subscribe("jobs.queued", told.append)
        async with house.units.transaction() as session:
            await house.queue.enqueue(session, "test.nothing", {})
            assert told == []
        assert told == [{}]


async def test_one_unfinished_row_a_key(url: str, build: Any) -> None:
    async with build(url, jobs=(NOTHING,)) as house:
        first = await house.add("test.nothing", key="mail:1")
        assert first is not None
        assert await house.add("test.nothing", key="mail:1") is None
        assert await house.add("test.nothing", key="mail:2") is not None
        assert await house.add("test.nothing", key="MAIL:1") is not None
        assert await house.runner.run_due() == 3
        assert await house.add("test.nothing", key="mail:1") is not None


async def test_a_taken_key_leaves_the_transaction_usable(url: str, build: Any) -> None:
    async with build(url, jobs=(NOTHING,)) as house:
        await house.add("test.nothing", key="k")
        async with house.units.transaction() as session:
            await house.queue.enqueue(session, "test.nothing", {"before": 1})
            assert await house.queue.enqueue(session, "test.nothing", {}, key="k") is None
            await house.queue.enqueue(session, "test.nothing", {"after": 1})
        payloads = [row.payload for row in await house.rows()]
    assert payloads == [{}, {"before": 1}, {"after": 1}]


async def test_of_twenty_parallel_writers_of_a_key_one_wins(url: str, build: Any) -> None:
    async with build(url, jobs=(NOTHING,)) as house:
        given = await asyncio.gather(*(house.add("test.nothing", key="same") for _ in range(20)))
        async with house.database.session(write=False) as session:
            count = await session.scalar(select(func.count()).select_from(JobRow))
    assert count == 1
    assert sum(job_id is not None for job_id in given) == 1


async def test_it_keeps_the_id_of_the_request(sqlite_url: str, build: Any) -> None:
    async with build(sqlite_url, jobs=(NOTHING,)) as house:
        token = set_origin(Origin(request_id="req_of_the_caller"))
        try:
            await house.add("test.nothing")
        finally:
            reset_origin(token)
        (row,) = await house.rows()
    assert row.request_id == "req_of_the_caller"


async def test_an_unknown_job_is_refused(sqlite_url: str, build: Any) -> None:
    async with build(sqlite_url) as house:
        with pytest.raises(UnknownJobError, match=r'declares the job "test.nothing"'):
            await house.add("test.nothing")


async def test_a_key_that_is_too_long_is_refused(sqlite_url: str, build: Any) -> None:
    async with build(sqlite_url, jobs=(NOTHING,)) as house:
        with pytest.raises(ValueError, match="255"):
            await house.add("test.nothing", key="k" * 256)


async def test_a_session_without_a_unit_still_takes_jobs(sqlite_url: str, build: Any) -> None:
    async with build(sqlite_url, jobs=(NOTHING,)) as house:
        async with house.database.transaction() as session:
            await house.queue.enqueue(session, "test.nothing", {})
        assert len(await house.rows()) == 1


def test_two_jobs_of_one_name_are_refused() -> None:
    with pytest.raises(AssemblyError, match=r'called "test.nothing"'):
        JobKinds([NOTHING, NOTHING])


def test_a_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(AssemblyError, match="longer than"):
        JobKinds([Job(name="n" * (MAX_NAME + 1), handler=nothing)])

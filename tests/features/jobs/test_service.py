"""What administrators do to jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mainstay.core.errors import ConflictError, NotFoundError
from mainstay.core.events import Event, Subscriber
from mainstay.core.jobs import Job, PermanentJobError
from mainstay.features.jobs.events import JobCancelled, JobRetried
from mainstay.features.jobs.schedule import periodic_key
from mainstay.features.jobs.service import JobService
from mainstay.kit.clock import now

pytestmark = pytest.mark.anyio


class Shop:
    """A job that fails until it is mended, and what was published."""

    def __init__(self) -> None:
        self.mended = False
        self.events: list[Event] = []

    async def work(self, *_: Any) -> None:
        if not self.mended:
            msg = "broken"
            raise PermanentJobError(msg)

    async def note(self, event: Event, *_: Any) -> None:
        self.events.append(event)

    @property
    def parts(self) -> dict[str, Any]:
        often = Job(name="test.often", handler=self.work, every=timedelta(hours=1))
        return {
            "jobs": (Job(name="test.work", handler=self.work), often),
            "subscribers": (Subscriber(event=Event, handler=self.note, name="tests.note"),),
        }


async def test_a_failed_job_is_retried_as_if_it_were_new(url: str, build: Any) -> None:
    shop = Shop()
    async with build(url, **shop.parts) as house:
        service = house.ports[JobService]
        job_id = await house.add("test.work", {"a": 1}, key="k")
        await house.runner.run_due()
        shop.mended = True
        async with house.units.transaction() as session:
            row = await service.retry(session, job_id)
            assert (row.state, row.attempts, row.finished_at) == ("queued", 0, None)
        assert await house.add("test.work", key="k") is None
        assert await house.runner.run_due() == 1
        assert (await house.row(job_id)).state == "done"
    assert shop.events == [JobRetried(target_id=job_id, job="test.work")]


async def test_only_what_has_failed_or_was_cancelled_is_retried(url: str, build: Any) -> None:
    shop = Shop()
    async with build(url, **shop.parts) as house:
        job_id = await house.add("test.work")
        async with house.units.transaction() as session:
            with pytest.raises(ConflictError, match="queued"):
                await house.ports[JobService].retry(session, job_id)
    assert shop.events == []


async def test_a_job_whose_key_is_taken_again_is_not_retried(url: str, build: Any) -> None:
    shop = Shop()
    async with build(url, **shop.parts) as house:
        job_id = await house.add("test.work", key="k")
        await house.runner.run_due()
        await house.add("test.work", key="k")
        async with house.units.transaction() as session:
            with pytest.raises(ConflictError, match="same key"):
                await house.ports[JobService].retry(session, job_id)
        assert (await house.row(job_id)).state == "failed"


async def test_a_waiting_job_is_cancelled_once_and_frees_its_key(url: str, build: Any) -> None:
    shop = Shop()
    async with build(url, **shop.parts) as house:
        job_id = await house.add("test.work", key="k")
        for _ in range(2):
            async with house.units.transaction() as session:
                await house.ports[JobService].cancel(session, job_id)
        assert await house.runner.run_due() == 0
        row = await house.row(job_id)
        assert await house.add("test.work", key="k") is not None
    assert row.state == "cancelled"
    assert row.finished_at is not None
    assert shop.events == [JobCancelled(target_id=job_id, job="test.work")]


async def test_what_has_ended_is_not_cancelled(url: str, build: Any) -> None:
    shop = Shop()
    async with build(url, **shop.parts) as house:
        job_id = await house.add("test.work")
        await house.runner.run_due()
        async with house.units.transaction() as session:
            with pytest.raises(ConflictError, match="failed"):
                await house.ports[JobService].cancel(session, job_id)


async def test_cancelling_a_periodic_job_skips_one_run(url: str, build: Any) -> None:
    shop = Shop()
    async with build(url, **shop.parts) as house:
        soon = now() + timedelta(minutes=5)
        job_id = await house.add("test.often", key=periodic_key("test.often"), run_at=soon)
        async with house.units.transaction() as session:
            await house.ports[JobService].cancel(session, job_id)
        rows = await house.rows("test.often")
    assert [row.state for row in rows] == ["cancelled", "queued"]
    assert rows[1].run_at == soon + timedelta(hours=1)


@pytest.mark.parametrize("job_id", ["nonsense", "01900000-0000-7000-8000-00000000000a"])
async def test_there_is_no_such_job(sqlite_url: str, build: Any, job_id: str) -> None:
    async with build(sqlite_url, **Shop().parts) as house, house.units.transaction() as session:
        service = house.ports[JobService]
        for call in (service.get, service.retry, service.cancel):
            with pytest.raises(NotFoundError):
                await call(session, job_id)

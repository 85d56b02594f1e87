"""Running jobs: once each, in one transaction with their end, whatever fails."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog
from sqlalchemy import insert, update

from mainstay.core.jobs import Job, JobRun, PermanentJobError, RetryLaterError
from mainstay.core.origin import Origin, current_origin, reset_origin, set_origin
from mainstay.features.jobs import JobRow, report_progress, run_due_jobs
from mainstay.features.jobs.runner import SLOTS
from mainstay.features.jobs.schedule import periodic_key
from mainstay.kit import clock
from mainstay.kit.clock import now
from mainstay.kit.ids import new_id

pytestmark = pytest.mark.anyio


class Work:
    """Handlers that tell what they did."""

    def __init__(self, *, fails: Exception | None = None) -> None:
        self.runs: list[tuple[dict[str, Any], JobRun]] = []
        self.fails = fails

    async def __call__(self, payload: dict[str, Any], run: JobRun) -> None:
        self.runs.append((payload, run))
        if self.fails is not None:
            raise self.fails

    def job(self, name: str = "test.work", **options: Any) -> Job:
        return Job(name=name, handler=self, **options)


async def leave_a_trace(run: JobRun) -> None:
    """Write a row in the run's transaction."""
    values = {"id": new_id(), "name": "trace", "payload": {}, "max_attempts": 1, "run_at": now()}
    await run.session.execute(insert(JobRow).values(**values, request_id="trace"))


def in_the_future(**span: float) -> Any:
    moment = now() + timedelta(**span)
    return clock.replaced(lambda: moment)


async def test_a_job_is_run_and_done(url: str, build: Any) -> None:
    work = Work()
    async with build(url, jobs=(work.job(),)) as house:
        job_id = await house.add("test.work", {"shelf": 7})
        assert await run_due_jobs(house.ports) == 1
        row = await house.row(job_id)
        assert await run_due_jobs(house.ports) == 0
    ((payload, run),) = work.runs
    assert payload == {"shelf": 7}
    assert (run.job_id, run.attempt, run.last_attempt) == (job_id, 1, False)
    assert run.ports is house.ports
    assert (row.state, row.attempts, row.progress, row.last_error) == ("done", 1, 100, None)
    assert row.payload == {}
    assert row.lease_until is None
    assert row.finished_at is not None


async def test_a_job_is_not_run_before_its_time(url: str, build: Any) -> None:
    work = Work()
    async with build(url, jobs=(work.job(),)) as house:
        await house.add("test.work", run_at=now() + timedelta(minutes=5))
        assert await house.runner.run_due() == 0
        with in_the_future(minutes=5, seconds=1):
            assert await house.runner.run_due() == 1


async def test_what_a_job_brings_about_is_run_too(sqlite_url: str, build: Any) -> None:
    work = Work()

    async def first(_: dict[str, Any], run: JobRun) -> None:
        await house.queue.enqueue(run.session, "test.work", {})

    jobs = (work.job(), Job(name="test.first", handler=first))
    async with build(sqlite_url, jobs=jobs) as house:
        await house.add("test.first")
        assert await house.runner.run_due() == 2


async def test_what_a_failed_run_wrote_is_undone(url: str, build: Any) -> None:
    async def handler(_: dict[str, Any], run: JobRun) -> None:
        await leave_a_trace(run)
        msg = "shelf is full, token=hunter2"
        raise ValueError(msg)

    job = Job(name="test.work", handler=handler, backoff=100)
    async with build(url, jobs=(job,)) as house:
        job_id = await house.add("test.work", {"a": 1})
        await house.runner.run_due()
        row = await house.row(job_id)
        assert await house.rows("trace") == []
    assert (row.state, row.attempts, row.payload) == ("queued", 1, {"a": 1})
    assert row.last_error == "ValueError: shelf is full, token=[redacted]"
    assert row.lease_until is row.lease_holder is None
    assert 80 <= (row.run_at - row.updated_at).total_seconds() <= 121


async def test_what_a_run_wrote_and_its_end_are_one_transaction(url: str, build: Any) -> None:
    async def handler(_: dict[str, Any], run: JobRun) -> None:
        await leave_a_trace(run)

    async with build(url, jobs=(Job(name="test.work", handler=handler),)) as house:
        await house.add("test.work")
        await house.runner.run_due()
        assert len(await house.rows("trace")) == 1


async def test_failures_come_again_until_the_last_attempt(url: str, build: Any) -> None:
    work = Work(fails=RuntimeError("no"))
    async with build(url, jobs=(work.job(max_attempts=3),)) as house:
        job_id = await house.add("test.work", {"kept": True}, key="k")
        for hours in (0, 2, 4):
            with in_the_future(hours=hours):
                assert await house.runner.run_due() == 1
        with in_the_future(days=2):
            assert await house.runner.run_due() == 0
        row = await house.row(job_id)
        assert await house.add("test.work", key="k") is not None
    assert [(run.attempt, run.last_attempt) for _, run in work.runs] == [
        (1, False),
        (2, False),
        (3, True),
    ]
    assert (row.state, row.attempts, row.payload) == ("failed", 3, {"kept": True})
    assert row.last_error == "RuntimeError: no"
    assert row.finished_at is not None


async def test_a_permanent_failure_is_not_tried_again(url: str, build: Any) -> None:
    work = Work(fails=PermanentJobError("the shelf is gone"))
    async with build(url, jobs=(work.job(),)) as house:
        job_id = await house.add("test.work")
        await house.runner.run_due()
        row = await house.row(job_id)
    assert (row.state, row.attempts) == ("failed", 1)


async def test_try_later_is_no_fault(sqlite_url: str, build: Any) -> None:
    work = Work(fails=RetryLaterError("the server is busy"))
    async with build(sqlite_url, jobs=(work.job(),)) as house:
        job_id = await house.add("test.work")
        with structlog.testing.capture_logs() as logs:
            await house.runner.run_due()
        row = await house.row(job_id)
    assert row.state == "queued"
    assert [(line["event"], line["log_level"]) for line in logs] == [("job.postponed", "info")]


async def test_a_run_that_takes_too_long_is_ended(url: str, build: Any) -> None:
    async def handler(_: dict[str, Any], run: JobRun) -> None:
        await leave_a_trace(run)
        await asyncio.Event().wait()

    job = Job(name="test.work", handler=handler, timeout=0.2)
    async with build(url, jobs=(job,)) as house:
        job_id = await house.add("test.work")
        await house.runner.run_due()
        row = await house.row(job_id)
        assert await house.rows("trace") == []
    assert row.state == "queued"
    assert row.last_error == "JobTimeoutError: It took longer than 0.2 s."


async def test_a_handlers_own_timeout_is_its_own(sqlite_url: str, build: Any) -> None:
    work = Work(fails=TimeoutError("nobody answered"))
    async with build(sqlite_url, jobs=(work.job(),)) as house:
        job_id = await house.add("test.work")
        await house.runner.run_due()
        row = await house.row(job_id)
    assert row.last_error == "TimeoutError: nobody answered"


async def test_two_processes_run_each_job_once(url: str, build: Any) -> None:
    work = Work()
    async with (
        build(url, jobs=(work.job(),)) as one,
        build(url, jobs=(work.job(),)) as other,
    ):
        async with one.units.transaction() as session:
            for number in range(40):
                await one.queue.enqueue(session, "test.work", {"number": number})
        ran = await asyncio.gather(*(h.runner.run_due() for h in (one, other)))
        states = Counter(row.state for row in await one.rows())
    assert sum(ran) == 40
    assert states == {"done": 40}
    assert sorted(payload["number"] for payload, _ in work.runs) == list(range(40))


async def test_few_jobs_run_at_a_time(sqlite_url: str, build: Any) -> None:
    running, most, gate = 0, 0, asyncio.Event()

    async def handler(_: dict[str, Any], run: JobRun) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == SLOTS:
            gate.set()
        await gate.wait()
        running -= 1

    async with build(sqlite_url, jobs=(Job(name="test.work", handler=handler),)) as house:
        for _ in range(SLOTS * 3):
            await house.add("test.work")
        assert await house.runner.run_due() == SLOTS * 3
    assert most == SLOTS


async def abandon(house: Any, job_id: str | None, *, attempts: int) -> None:
    """Leave a row as a process does that ends while it runs a job."""
    async with house.units.transaction() as session:
        await session.execute(
            update(JobRow)
            .where(JobRow.id == job_id)
            .values(
                state="running",
                attempts=attempts,
                lease_holder="somebody",
                lease_until=now() + timedelta(seconds=60),
            )
        )


async def test_an_abandoned_job_is_run_when_its_lease_has_run_out(url: str, build: Any) -> None:
    work = Work()
    async with build(url, jobs=(work.job(),)) as house:
        job_id = await house.add("test.work")
        await abandon(house, job_id, attempts=1)
        assert await house.runner.run_due() == 0
        with in_the_future(seconds=61):
            assert await house.runner.run_due() == 1
        row = await house.row(job_id)
    assert (row.state, row.attempts) == ("done", 2)


async def test_a_job_that_takes_its_process_down_each_time_fails(url: str, build: Any) -> None:
    work = Work()
    async with build(url, jobs=(work.job(max_attempts=3),)) as house:
        job_id = await house.add("test.work")
        await abandon(house, job_id, attempts=3)
        with in_the_future(seconds=61):
            assert await house.runner.run_due() == 0
        row = await house.row(job_id)
    assert work.runs == []
    assert row.state == "failed"
    assert row.last_error is not None
    assert row.last_error.startswith("LeaseExpired")


async def test_the_lease_of_a_running_job_is_renewed(url: str, build: Any) -> None:
    gate = asyncio.Event()

    async def handler(_: dict[str, Any], run: JobRun) -> None:
        report_progress(run, 40)
        await gate.wait()

    async with build(url, jobs=(Job(name="test.work", handler=handler),)) as house:
        house.lease(timedelta(seconds=0.6))
        await house.runner.start()
        job_id = await house.add("test.work")
        leases: set[datetime | None] = set()

        async def renewed_twice() -> bool:
            row = await house.row(job_id)
            leases.add(row.lease_until)
            return len(leases - {None}) > 2

        await house.until(renewed_twice)
        row = await house.row(job_id)
        gate.set()
        await house.until_state(job_id, "done")
        await house.runner.stop()
    assert (row.state, row.attempts, row.progress) == ("running", 1, 40)


async def test_a_run_whose_row_was_taken_away_is_ended_and_undone(url: str, build: Any) -> None:
    ended = asyncio.Event()

    async def handler(_: dict[str, Any], __: JobRun) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with build(url, jobs=(Job(name="test.work", handler=handler),)) as house:
        house.lease(timedelta(seconds=0.3))
        await house.runner.start()
        job_id = await house.add("test.work")
        await house.until_state(job_id, "running")
        async with house.units.transaction() as session:
            taken = update(JobRow).where(JobRow.id == job_id)
            await session.execute(taken.values(state="cancelled", active_key=None))
        async with asyncio.timeout(20):
            await ended.wait()
        await house.runner.stop()
        assert (await house.row(job_id)).state == "cancelled"


async def test_a_run_that_was_overtaken_cannot_commit(url: str, build: Any) -> None:
    async def handler(_: dict[str, Any], run: JobRun) -> None:
        await house.until_overtaken(run)
        await leave_a_trace(run)

    async with build(url, jobs=(Job(name="test.work", handler=handler),)) as house:

        async def overtake(run: JobRun) -> None:
            async with house.units.transaction() as session:
                other = update(JobRow).where(JobRow.id == run.job_id)
                await session.execute(other.values(lease_holder="another", attempts=2))

        house.until_overtaken = overtake
        job_id = await house.add("test.work")
        await house.runner.run_due()
        row = await house.row(job_id)
        assert await house.rows("trace") == []
    assert (row.state, row.lease_holder) == ("running", "another")


async def test_a_waiting_runner_is_woken_by_a_commit(url: str, build: Any) -> None:
    work = Work()
    async with build(url, jobs=(work.job(),)) as house:
        await house.runner.start()
        job_id = await house.add("test.work")
        await house.until_state(job_id, "done")
        await house.runner.stop()
    assert len(work.runs) == 1


async def test_jobs_of_other_processes_are_found(sqlite_url: str, build: Any) -> None:
    work = Work()
    async with (
        build(sqlite_url, jobs=(work.job(),)) as one,
        build(sqlite_url, jobs=(work.job(),)) as other,
    ):
        await one.runner.start()
        job_id = await other.add("test.work")
        await other.until_state(job_id, "done")
        await one.runner.stop()


async def test_stopping_lets_running_jobs_finish(url: str, build: Any) -> None:
    gate = asyncio.Event()

    async def handler(_: dict[str, Any], __: JobRun) -> None:
        await gate.wait()

    async with build(url, jobs=(Job(name="test.work", handler=handler),)) as house:
        await house.runner.start()
        job_id = await house.add("test.work")
        await house.until_state(job_id, "running")
        stopping = asyncio.create_task(house.runner.stop(grace=20))
        await asyncio.sleep(0.05)
        await house.add("test.work")
        gate.set()
        await stopping
        assert [row.state for row in await house.rows("test.work")] == ["done", "queued"]


async def test_stopping_gives_back_what_does_not_finish(url: str, build: Any) -> None:
    async def handler(_: dict[str, Any], run: JobRun) -> None:
        await leave_a_trace(run)
        await asyncio.Event().wait()

    async with build(url, jobs=(Job(name="test.work", handler=handler),)) as house:
        await house.runner.start()
        job_id = await house.add("test.work", key="k")
        await house.until_state(job_id, "running")
        await house.runner.stop(grace=0.1)
        row = await house.row(job_id)
        assert await house.rows("trace") == []
        assert await house.add("test.work", key="k") is None
    assert (row.state, row.attempts, row.lease_until) == ("queued", 0, None)


async def test_a_runner_can_be_started_again(sqlite_url: str, build: Any) -> None:
    work = Work()
    async with build(sqlite_url, jobs=(work.job(),)) as house:
        for _ in range(2):
            await house.runner.start()
            job_id = await house.add("test.work")
            await house.until_state(job_id, "done")
            await house.runner.stop()
    assert len(work.runs) == 2


async def test_running_what_is_due_waits_for_the_background(sqlite_url: str, build: Any) -> None:
    gate = asyncio.Event()

    async def handler(_: dict[str, Any], __: JobRun) -> None:
        await gate.wait()

    async with build(sqlite_url, jobs=(Job(name="test.work", handler=handler),)) as house:
        await house.runner.start()
        job_id = await house.add("test.work")
        await house.until_state(job_id, "running")
        due = asyncio.create_task(house.runner.run_due())
        await asyncio.sleep(0.05)
        assert not due.done()
        gate.set()
        assert await due == 0
        assert (await house.row(job_id)).state == "done"
        await house.runner.stop()


async def test_a_row_nobody_can_run_waits_and_is_told_once(url: str, build: Any) -> None:
    work = Work()
    async with build(url, jobs=(work.job("gone.job"), work.job())) as former:
        await former.add("gone.job")
        await former.add("gone.job")
    async with build(url, jobs=(work.job(),)) as house:
        with structlog.testing.capture_logs() as logs:
            await house.runner.start()
            job_id = await house.add("test.work")
            await house.until_state(job_id, "done")
            await house.runner.run_due()
            await house.runner.stop()
        assert {row.state for row in await house.rows("gone.job")} == {"queued"}
    told = [line["job"] for line in logs if line["event"] == "job.unknown"]
    assert told == ["gone.job"]


async def test_a_runner_outlives_a_database_that_is_away(url: str, build: Any) -> None:
    work = Work()
    async with build(url, jobs=(work.job(),)) as house:
        async with house.database.engine.begin() as connection:
            await connection.run_sync(JobRow.__table__.drop)
        with structlog.testing.capture_logs() as logs:
            await house.runner.start()

            async def told() -> bool:
                return any(line["event"] == "jobs.waiting_for_database" for line in logs)

            await house.until(told)
            async with house.database.engine.begin() as connection:
                await connection.run_sync(JobRow.__table__.create)
            job_id = await house.add("test.work")
            await house.until_state(job_id, "done")
            await house.runner.stop()
    events = [line["event"] for line in logs if line["event"].startswith("jobs.")]
    assert events == ["jobs.waiting_for_database", "jobs.database_is_back"]


async def test_a_run_that_cannot_be_settled_is_left_to_its_lease(
    sqlite_url: str, build: Any
) -> None:
    async def handler(_: dict[str, Any], __: JobRun) -> None:
        async with house.database.engine.begin() as connection:
            await connection.run_sync(JobRow.__table__.drop)

    async with build(sqlite_url, jobs=(Job(name="test.work", handler=handler),)) as house:
        await house.add("test.work")
        with structlog.testing.capture_logs() as logs, suppress(Exception):
            await house.runner.run_due()
    assert "job.not_settled" in [line["event"] for line in logs]


async def test_a_run_has_the_origin_of_its_request(sqlite_url: str, build: Any) -> None:
    seen: list[Origin] = []

    async def handler(_: dict[str, Any], __: JobRun) -> None:
        seen.append(current_origin())

    async with build(sqlite_url, jobs=(Job(name="test.work", handler=handler),)) as house:
        token = set_origin(Origin(request_id="req_1", actor_id="ada", ip="192.0.2.1"))
        await house.add("test.work")
        reset_origin(token)
        await house.runner.run_due()
    assert seen == [Origin(request_id="req_1", channel="job")]


async def test_a_periodic_job_has_one_row_and_then_the_next(url: str, build: Any) -> None:
    work = Work()
    jobs = (work.job("test.often", every=timedelta(minutes=10)),)
    async with build(url, jobs=jobs) as one, build(url, jobs=jobs) as other:
        for house in (one, other):
            await house.runner.start()

        async def ran() -> bool:
            return [r.state for r in await one.rows("test.often")] == ["done", "queued"]

        await one.until(ran)
        for house in (one, other):
            await house.runner.stop()
        done, following = await one.rows("test.often")
    assert len(work.runs) == 1
    assert following.run_at == done.run_at + timedelta(minutes=10)
    assert following.unique_key == periodic_key("test.often")


async def test_a_periodic_job_that_fails_for_good_comes_again(url: str, build: Any) -> None:
    work = Work(fails=PermanentJobError("no"))
    job = work.job(every=timedelta(minutes=10))
    async with build(url, jobs=(job,)) as house:
        async with house.units.transaction() as session:
            await house.queue.plan_first(session, job)
        assert await house.runner.run_due() == 1
        assert [r.state for r in await house.rows("test.work")] == ["failed", "queued"]


async def test_a_shorter_interval_brings_the_waiting_row_forward(url: str, build: Any) -> None:
    work = Work()
    job = work.job(every=timedelta(minutes=10))
    async with build(url, jobs=(job,)) as house:
        far = now() + timedelta(days=30)
        await house.add("test.work", key=periodic_key("test.work"), run_at=far)
        async with house.units.transaction() as session:
            await house.queue.plan_first(session, job)
        (row,) = await house.rows("test.work")
    assert row.run_at <= now() + timedelta(minutes=10)

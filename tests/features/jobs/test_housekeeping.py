"""What is thrown away, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from mainstay.core.http.idempotency import IdempotencyKey
from mainstay.features.jobs import JobRow
from mainstay.kit.clock import now
from mainstay.kit.ids import new_id

pytestmark = pytest.mark.anyio


def ended(state: str, **ago: float) -> dict[str, Any]:
    return {
        "id": new_id(),
        "name": f"{state} {ago}",
        "payload": {},
        "state": state,
        "max_attempts": 1,
        "run_at": now(),
        "request_id": "r",
        "finished_at": now() - timedelta(**ago),
    }


async def test_old_ended_jobs_are_deleted_and_others_stay(url: str, build: Any) -> None:
    rows = [
        ended("done", days=8),
        ended("cancelled", days=8),
        ended("failed", days=91),
        ended("done", days=6),
        ended("cancelled", days=6),
        ended("failed", days=89),
        {**ended("queued"), "finished_at": None, "run_at": now() + timedelta(days=400)},
    ]
    async with build(url) as house:
        async with house.units.transaction() as session:
            await session.execute(insert(JobRow), rows)
        await house.add("jobs.purge")
        await house.runner.run_due()
        left = {row.name for row in await house.rows()}
    assert {row["name"] for row in rows[3:]} <= left
    assert not {row["name"] for row in rows[:3]} & left


async def test_more_than_a_batch_is_deleted(sqlite_url: str, build: Any) -> None:
    async with build(sqlite_url) as house:
        async with house.units.transaction() as session:
            await session.execute(insert(JobRow), [ended("done", days=8) for _ in range(2100)])
        await house.add("jobs.purge")
        await house.runner.run_due()
        assert {row.name for row in await house.rows()} == {"jobs.purge"}


async def test_expired_idempotency_keys_are_deleted(url: str, build: Any) -> None:
    def key(name: str, **until: float) -> dict[str, Any]:
        facts = {"digest": name, "fingerprint": "f", "holder": "h", "lease_until": now()}
        return facts | {"expires_at": now() + timedelta(**until)}

    async with build(url) as house:
        async with house.units.transaction() as session:
            keys = [key("old", hours=-1), key("new", hours=1)]
            await session.execute(insert(IdempotencyKey), keys)
        await house.add("idempotency.purge")
        await house.runner.run_due()
        async with house.database.session(write=False) as session:
            left = (await session.scalars(select(IdempotencyKey.digest))).all()
    assert left == ["new"]


async def test_housekeeping_is_planned_at_the_start(sqlite_url: str, build: Any) -> None:
    async with build(sqlite_url) as house:
        await house.runner.start()

        async def planned() -> bool:
            waiting = [r.name for r in await house.rows() if r.state == "queued"]
            return sorted(waiting) == ["idempotency.purge", "jobs.purge"]

        await house.until(planned)
        await house.runner.stop()

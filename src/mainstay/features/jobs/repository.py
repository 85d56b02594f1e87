"""The statements on job rows. Each change of state is a conditional UPDATE: one caller wins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, or_, select, update

from mainstay.core.db.single_use import affected, spend
from mainstay.features.jobs.models import JobRow, JobState, active_key
from mainstay.kit.clock import now
from mainstay.kit.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import ColumnElement, Row
    from sqlalchemy.ext.asyncio import AsyncSession

_FREE = {"lease_until": None, "lease_holder": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A row that is ours until its lease runs out. ``holder`` is made for this claim alone."""

    id: str
    name: str
    payload: dict[str, Any]
    attempt: int
    max_attempts: int
    request_id: str
    run_at: datetime
    holder: str

    @property
    def last_attempt(self) -> bool:
        """Whether a failure now is final."""
        return self.attempt >= self.max_attempts


class LeaseLostError(Exception):
    """The row is not ours any more: cancelled, or claimed by another after its lease ran out."""


async def upcoming(
    session: AsyncSession, names: Collection[str], *, limit: int
) -> Sequence[Row[Any]]:
    """Give the rows to come, those first whose lease ran out; some may not be due yet."""
    columns = (
        JobRow.id,
        JobRow.name,
        JobRow.payload,
        JobRow.state,
        JobRow.attempts,
        JobRow.max_attempts,
        JobRow.request_id,
        JobRow.run_at,
    )
    known = select(*columns).where(JobRow.name.in_(names)).limit(limit)
    abandoned = known.where(JobRow.state == JobState.RUNNING, JobRow.lease_until <= now())
    queued = known.where(JobRow.state == JobState.QUEUED)
    rows = (await session.execute(abandoned.order_by(JobRow.run_at, JobRow.id))).all()
    if len(rows) < limit:
        ordered = queued.order_by(JobRow.run_at, JobRow.id)
        rows = [*rows, *(await session.execute(ordered)).all()][:limit]
    return rows


async def unknown_names(session: AsyncSession, names: Collection[str]) -> Sequence[str]:
    """Give the names of queued rows that are not among these."""
    found = await session.scalars(
        select(JobRow.name)
        .where(JobRow.state == JobState.QUEUED, JobRow.name.not_in(names))
        .distinct()
    )
    return found.all()


async def claim(session: AsyncSession, row: Row[Any], lease: timedelta) -> Claim | None:
    """Take a row that is due; None where another was faster."""
    moment, holder = now(), new_id()
    taken = await spend(
        session,
        update(JobRow)
        .where(JobRow.id == row.id, JobRow.attempts == row.attempts, _due(moment))
        .values(
            state=JobState.RUNNING,
            attempts=row.attempts + 1,
            lease_until=moment + lease,
            lease_holder=holder,
            progress=None,
        ),
    )
    if not taken:
        return None
    return Claim(
        id=row.id,
        name=row.name,
        payload=row.payload,
        attempt=row.attempts + 1,
        max_attempts=row.max_attempts,
        request_id=row.request_id,
        run_at=row.run_at,
        holder=holder,
    )


async def give_up(session: AsyncSession, row: Row[Any], error: str) -> bool:
    """End an abandoned row that has had all its attempts; it took its process down each time."""
    return await spend(
        session,
        update(JobRow)
        .where(JobRow.id == row.id, JobRow.attempts == row.attempts, _abandoned(now()))
        .values(**_ended(JobState.FAILED), last_error=error),
    )


def _due(moment: datetime) -> ColumnElement[bool]:
    queued = and_(JobRow.state == JobState.QUEUED, JobRow.run_at <= moment)
    return or_(queued, _abandoned(moment))


def _abandoned(moment: datetime) -> ColumnElement[bool]:
    return and_(JobRow.state == JobState.RUNNING, JobRow.lease_until <= moment)


def _ended(state: JobState) -> dict[str, Any]:
    return {"state": state, "active_key": None, "finished_at": now(), "lease_until": None}


def _held(claimed: Claim) -> ColumnElement[bool]:
    return and_(
        JobRow.id == claimed.id,
        JobRow.state == JobState.RUNNING,
        JobRow.lease_holder == claimed.holder,
    )


async def _change(session: AsyncSession, claimed: Claim, values: Mapping[str, Any]) -> None:
    if not await spend(session, update(JobRow).where(_held(claimed)).values(**values)):
        raise LeaseLostError


async def finish(session: AsyncSession, claimed: Claim) -> None:
    """Mark a held row done and erase its payload.

    Raises:
        LeaseLostError: it is not ours any more, so what was done must be undone.
    """
    await _change(
        session,
        claimed,
        {**_ended(JobState.DONE), "payload": {}, "progress": 100, "last_error": None},
    )


async def fail(session: AsyncSession, claimed: Claim, error: str) -> None:
    """Mark a held row failed for good; it stays as it is, to be looked at and retried.

    Raises:
        LeaseLostError: it is not ours any more.
    """
    await _change(session, claimed, {**_ended(JobState.FAILED), "last_error": error})


async def postpone(session: AsyncSession, claimed: Claim, *, run_at: datetime, error: str) -> None:
    """Queue a held row again after a failure.

    Raises:
        LeaseLostError: it is not ours any more.
    """
    values = {"state": JobState.QUEUED, "run_at": run_at, "last_error": error, **_FREE}
    await _change(session, claimed, values)


async def release(session: AsyncSession, claimed: Claim) -> bool:
    """Give a held row back as if it had not been claimed."""
    values = {"state": JobState.QUEUED, "attempts": claimed.attempt - 1, **_FREE}
    return await spend(session, update(JobRow).where(_held(claimed)).values(**values))


async def renew(
    session: AsyncSession, claimed: Claim, lease: timedelta, progress: int | None
) -> bool:
    """Prolong a lease and note the progress; false once the row is not ours to finish."""
    values = {"lease_until": now() + lease, "progress": progress}
    if await spend(session, update(JobRow).where(_held(claimed)).values(**values)):
        return True
    held = select(JobRow.state).where(
        JobRow.id == claimed.id, JobRow.lease_holder == claimed.holder
    )
    return await session.scalar(held) in {JobState.DONE, JobState.FAILED}


async def bring_forward(session: AsyncSession, key: str, run_at: datetime) -> None:
    """Let a row that waits under this key run at that moment, where it would later."""
    await affected(
        session,
        update(JobRow)
        .where(JobRow.active_key == active_key(key), JobRow.state == JobState.QUEUED)
        .where(JobRow.run_at > run_at)
        .values(run_at=run_at),
    )


async def cancel(session: AsyncSession, job_id: str) -> bool:
    """End an unfinished row; its runner, if it has one, undoes what it did."""
    unfinished = JobRow.state.in_((JobState.QUEUED, JobState.RUNNING))
    values = _ended(JobState.CANCELLED)
    return await spend(
        session, update(JobRow).where(JobRow.id == job_id, unfinished).values(**values)
    )


async def requeue(session: AsyncSession, job_id: str, key: str | None) -> bool:
    """Queue a failed or cancelled row as if it were new."""
    values: dict[str, Any] = {
        "state": JobState.QUEUED,
        "active_key": active_key(key) if key else None,
        "attempts": 0,
        "run_at": now(),
        "progress": None,
        "finished_at": None,
        **_FREE,
    }
    ended = JobRow.state.in_((JobState.FAILED, JobState.CANCELLED))
    return await spend(session, update(JobRow).where(JobRow.id == job_id, ended).values(**values))


async def purge(
    session: AsyncSession, states: Collection[JobState], *, before: datetime, limit: int
) -> int:
    """Delete rows that ended in one of the states before a moment; gives how many."""
    outdated = select(JobRow.id).where(JobRow.state.in_(states), JobRow.finished_at < before)
    ids = (await session.scalars(outdated.limit(limit))).all()
    if ids:
        await affected(session, delete(JobRow).where(JobRow.id.in_(ids)))
    return len(ids)

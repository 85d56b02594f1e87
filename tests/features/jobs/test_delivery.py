"""Events after the commit: rows in the publisher's transaction, delivered as jobs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from sqlalchemy import select

from mainstay.core.events import Event, Subscriber, publish
from mainstay.core.origin import Origin, current_origin, reset_origin, set_origin
from mainstay.core.registry import AssemblyError
from mainstay.features.jobs import JobRow
from mainstay.features.jobs.kinds import JobKinds

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, kw_only=True)
class BookLent(Event):
    name: ClassVar[str] = "tests.book_lent"

    title: str
    authors: tuple[str, ...]
    due: datetime


LENT = BookLent(
    actor_id="ada",
    title="Öl",
    authors=("Upton", "Sinclair"),
    due=datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
)


class Library:
    def __init__(self) -> None:
        self.seen: list[tuple[Event, Origin]] = []
        self.fails = False

    async def note(self, event: Event, *_: Any) -> None:
        self.seen.append((event, current_origin()))
        if self.fails:
            raise RuntimeError

    def subscriber(self, name: str = "tests.note", kind: type[Event] = BookLent) -> Subscriber:
        return Subscriber(event=kind, handler=self.note, name=name, after_commit=True)


async def test_an_event_is_delivered_as_it_was(url: str, build: Any) -> None:
    library = Library()
    async with build(url, subscribers=(library.subscriber(),)) as house:
        token = set_origin(Origin(request_id="req_7", ip="192.0.2.1"))
        async with house.units.transaction() as session:
            await publish(session, LENT)
        reset_origin(token)
        assert library.seen == []
        assert await house.runner.run_due() == 1
        (row,) = await house.rows()
    assert library.seen == [(LENT, Origin(request_id="req_7", channel="job"))]
    assert row.name == "event:tests.note"


async def test_an_event_of_an_undone_transaction_is_not_delivered(url: str, build: Any) -> None:
    library = Library()
    async with build(url, subscribers=(library.subscriber(),)) as house:
        with suppress(ZeroDivisionError):
            async with house.units.transaction() as session:
                await publish(session, LENT)
                raise ZeroDivisionError
        assert await house.runner.run_due() == 0
    assert library.seen == []


async def test_each_subscriber_has_a_delivery_of_its_own(sqlite_url: str, build: Any) -> None:
    well, ill = Library(), Library()
    ill.fails = True
    subscribers = (well.subscriber("tests.well"), ill.subscriber("tests.ill", Event))
    async with build(sqlite_url, subscribers=subscribers) as house:
        async with house.units.transaction() as session:
            await publish(session, LENT)
        await house.runner.run_due()
        states = {row.name: row.state for row in await house.rows()}
    assert states == {"event:tests.well": "done", "event:tests.ill": "queued"}
    assert len(well.seen) == len(ill.seen) == 1


async def test_a_handler_works_in_the_transaction_of_the_delivery(url: str, build: Any) -> None:
    async def handler(event: BookLent, session: Any, ports: Any) -> None:
        known = (await session.scalars(select(JobRow.name))).all()
        assert known == ["event:tests.chain"]
        await house.queue.enqueue(session, "event:tests.chain", {"event": "tests.unknown"})

    chain = Subscriber(event=BookLent, handler=handler, name="tests.chain", after_commit=True)
    async with build(url, subscribers=(chain,)) as house:
        async with house.units.transaction() as session:
            await publish(session, LENT)
        await house.runner.run_due()
        first, second = await house.rows()
    assert first.state == "done"
    assert (second.state, second.attempts) == ("failed", 1)
    assert "tests.unknown" in (second.last_error or "")


async def test_an_event_of_another_form_fails_for_good(sqlite_url: str, build: Any) -> None:
    library = Library()
    async with build(sqlite_url, subscribers=(library.subscriber(),)) as house:
        payload = {"event": "tests.book_lent", "values": {"title": "secret words"}}
        await house.add("event:tests.note", payload)
        await house.runner.run_due()
        (row,) = await house.rows()
    assert row.state == "failed"
    assert row.last_error == (
        'PermanentJobError: The event "tests.book_lent" was written in another form: authors, due.'
    )


async def test_two_subscribers_of_one_name_are_refused(sqlite_url: str, build: Any) -> None:
    library = Library()
    twins = (library.subscriber(), library.subscriber())
    with pytest.raises(AssemblyError, match=r"event:tests\.note"):
        async with build(sqlite_url, subscribers=twins) as house:
            JobKinds.of(house.ports)

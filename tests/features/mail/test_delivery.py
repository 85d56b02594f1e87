"""Sending what was written: once it is committed, at least once, and what is kept of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from mainstay.core.jobs import JobQueue
from mainstay.features.jobs import JobRow
from mainstay.features.mail import (
    CaptureProvider,
    MailMessage,
    MailNotSentError,
    MailRefusedError,
    OutgoingMail,
    delivery,
)
from mainstay.kit import clock
from mainstay.kit.clock import now

pytestmark = pytest.mark.anyio


class Provider:
    """Does as it is told, and keeps what it was given."""

    name = "scripted"
    keeps_bodies = False

    def __init__(self, *outcomes: Exception | None) -> None:
        self.outcomes = list(outcomes)
        self.given: list[OutgoingMail] = []
        self.meanwhile: Any = None

    async def deliver(self, mail: OutgoingMail) -> None:
        self.given.append(mail)
        if self.meanwhile is not None:
            await self.meanwhile()
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None:
            raise outcome


def later(**span: float) -> Any:
    moment = now() + timedelta(**span)
    return clock.replaced(lambda: moment)


async def test_a_sent_mail_keeps_no_body(url: str, build: Any) -> None:
    provider = Provider()
    async with build(url, provider) as house:
        message_id = await house.send(html="<p>token=secret</p>")
        assert await house.run() == 1
        (message,) = await house.messages()
    (given,) = provider.given
    assert (given.id, given.to, given.subject) == (message_id, "ada@example.com", "Hello")
    assert (given.html, given.text) == ("<p>token=secret</p>", "Hello, Ada.")
    assert (message.state, message.attempts, message.provider) == ("sent", 1, "scripted")
    assert message.html is message.text is message.error is None
    assert message.sent_at is not None


async def test_captured_mail_is_kept_to_be_read(url: str, build: Any) -> None:
    async with build(url, CaptureProvider()) as house:
        await house.send()
        await house.run()
        (message,) = await house.messages()
    assert (message.state, message.provider) == ("sent", "capture")
    assert message.text == "Hello, Ada."


async def test_a_mail_that_could_not_be_sent_is_tried_again(url: str, build: Any) -> None:
    provider = Provider(MailNotSentError("451 later"), OSError("no route"))
    async with build(url, provider) as house:
        await house.send()
        await house.run()
        (message,) = await house.messages()
        assert (message.state, message.attempts) == ("queued", 1)
        assert message.error == "MailNotSentError: 451 later"
        assert message.text == "Hello, Ada."
        with later(minutes=1):
            await house.run()
            (message,) = await house.messages()
            assert (message.state, message.error) == ("queued", "OSError: no route")
        with later(minutes=5):
            await house.run()
        (message,) = await house.messages()
    assert (message.state, message.attempts, message.error) == ("sent", 3, None)
    assert len({mail.id for mail in provider.given}) == 1


async def test_a_refused_mail_has_failed_and_says_why(url: str, build: Any) -> None:
    provider = Provider(MailRefusedError("550 5.1.1 no such user"))
    async with build(url, provider) as house:
        await house.send()
        await house.run()
        (message,) = await house.messages()
        (job,) = await house.jobs()
    assert (message.state, message.error) == ("failed", "MailRefusedError: 550 5.1.1 no such user")
    assert message.text == "Hello, Ada."
    assert (job.state, job.attempts) == ("failed", 1)


async def test_after_its_last_attempt_a_mail_has_failed(url: str, build: Any) -> None:
    provider = Provider(MailNotSentError("451 later"))
    async with build(url, provider) as house:
        await house.send()
        async with house.units.transaction() as session:
            await session.execute(update(JobRow).values(attempts=JobRow.max_attempts - 1))
        await house.run()
        (message,) = await house.messages()
        (job,) = await house.jobs()
    assert message.state == job.state == "failed"


async def test_a_retried_job_sends_a_failed_mail(sqlite_url: str, build: Any) -> None:
    provider = Provider(MailRefusedError("550"))
    async with build(sqlite_url, provider) as house:
        await house.send()
        await house.run()
        async with house.units.transaction() as session:
            await session.execute(update(JobRow).values(state="queued"))
        await house.run()
        (message,) = await house.messages()
    assert (message.state, message.attempts) == ("sent", 2)


async def test_a_provider_that_hangs_is_left(
    sqlite_url: str, build: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert delivery.DELIVERY.timeout > delivery.PROVIDER_TIMEOUT
    monkeypatch.setattr(delivery, "PROVIDER_TIMEOUT", 0.05)
    provider = Provider()
    provider.meanwhile = asyncio.Event().wait
    async with build(sqlite_url, provider) as house:
        await house.send()
        await house.run()
        (message,) = await house.messages()
    assert (message.state, message.error) == ("queued", "TimeoutError")


async def test_a_mail_that_was_sent_is_not_sent_by_a_repeat(url: str, build: Any) -> None:
    provider = Provider()
    async with build(url, provider) as house:
        message_id = await house.send()
        await house.run()
        async with house.units.transaction() as session:
            payload = {"message_id": message_id}
            await house.ports[JobQueue].enqueue(session, "mail.deliver", payload)
        await house.run()
        assert {job.state for job in await house.jobs()} == {"done"}
    assert len(provider.given) == 1


async def test_a_mail_that_is_gone_is_no_fault(sqlite_url: str, build: Any) -> None:
    provider = Provider()
    async with build(sqlite_url, provider) as house:
        await house.send()
        async with house.units.transaction() as session:
            await session.delete(await session.get(MailMessage, (await house.messages())[0].id))
        await house.run()
        assert [job.state for job in await house.jobs()] == ["done"]
    assert provider.given == []


async def test_others_may_write_while_a_provider_is_spoken_to(url: str, build: Any) -> None:
    provider = Provider()
    async with build(url, provider) as house:
        seen: list[str] = []

        async def meanwhile() -> None:
            provider.meanwhile = None
            seen.extend(message.state for message in await house.messages())
            await house.send(to="bo@example.com")

        provider.meanwhile = meanwhile
        await house.send()
        await house.run()
        states = [message.state for message in await house.messages()]
    assert seen == ["sending"]
    assert states == ["sent", "sent"]

"""Writing mail into the caller's transaction."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from mainstay.core.errors import ValidationFailedError
from mainstay.core.origin import Origin, reset_origin, set_origin
from mainstay.features.mail import MailTemplateError, NullProvider
from mainstay.kit.ids import is_id

pytestmark = pytest.mark.anyio

URL = "https://shop.test/reset-password?token=abc"


async def test_a_template_is_rendered_and_written(url: str, build: Any) -> None:
    async with build(url) as house:
        token = set_origin(Origin(request_id="req_9"))
        async with house.units.transaction() as session:
            message_id = await house.mailer.send(
                session,
                template="password_reset",
                to=" Ada@Example.COM",
                context={"url": URL, "username": "ada"},
            )
        reset_origin(token)
        (message,) = await house.messages()
        (job,) = await house.jobs()
    assert is_id(message_id)
    assert message.id == message_id
    assert (message.recipient, message.state) == ("Ada@example.com", "queued")
    assert message.subject == "Shop & Co: reset your password"
    assert message.template == "password_reset"
    assert message.request_id == "req_9"
    assert URL in (message.html or "")
    assert URL in (message.text or "")
    assert (job.name, job.payload) == ("mail.deliver", {"message_id": message_id})
    assert job.request_id == "req_9"


async def test_mail_of_an_undone_transaction_is_never_sent(url: str, build: Any) -> None:
    async with build(url) as house:
        with suppress(ZeroDivisionError):
            async with house.units.transaction() as session:
                await house.mailer.send_message(session, to="a@b.com", subject="s", text="t")
                raise ZeroDivisionError
        assert await house.run() == 0
        assert await house.messages() == []


async def test_the_missing_body_is_made_of_the_other(sqlite_url: str, build: Any) -> None:
    async with build(sqlite_url) as house:
        await house.send(text="<Ada> & Bo\nnext line")
        await house.send(text=None, html="<h1>Hello</h1><p><a href='https://x.test/'>go</a></p>")
        await house.send(text="own text", html="<p>own html</p>")
        first, second, third = await house.messages()
    assert "&lt;Ada&gt; &amp; Bo<br>" in first.html
    assert second.text == "Hello\n\ngo: https://x.test/\n"
    assert (third.text, third.html) == ("own text", "<p>own html</p>")


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"to": "a@b.com, c@d.com"}, "#/to"),
        ({"to": "a@b.com\r\nBcc: c@d.com"}, "#/to"),
        ({"subject": "x\r\nBcc: c@d.com"}, "#/subject"),
        ({"subject": "x\0"}, "#/subject"),
        ({"subject": ""}, "#/subject"),
        ({"text": "a\0b"}, "#/text"),
        ({"html": "<p>\0</p>"}, "#/html"),
        ({"text": None}, "#/text"),
        ({"text": "x" * (1024 * 1024 + 1)}, "#/text"),
    ],
)
async def test_M2_a_bad_field_is_refused_and_nothing_is_written(
    sqlite_url: str, build: Any, values: dict[str, Any], pointer: str
) -> None:
    async with build(sqlite_url) as house:
        with pytest.raises(ValidationFailedError) as raised:
            await house.send(**values)
        assert await house.messages() == []
        assert await house.jobs() == []
    assert raised.value.status == 422
    assert [fault.pointer for fault in raised.value.errors] == [pointer]


async def test_M2_a_value_with_nul_does_not_reach_the_database(sqlite_url: str, build: Any) -> None:
    async with build(sqlite_url) as house, house.units.transaction() as session:
        with pytest.raises(ValidationFailedError):
            await house.mailer.send(
                session,
                template="password_reset_success",
                to="ada@example.com",
                context={"username": "a\0b"},
            )


async def test_an_unknown_template_is_an_error(sqlite_url: str, build: Any) -> None:
    async with build(sqlite_url) as house, house.units.transaction() as session:
        with pytest.raises(MailTemplateError):
            await house.mailer.send(session, template="nothing", to="a@b.com", context={})


async def test_a_key_keeps_a_waiting_mail_from_being_doubled(url: str, build: Any) -> None:
    async with build(url, NullProvider()) as house:
        first = await house.send(key="reset:ada")
        assert await house.send(key="reset:ada") == first
        assert await house.send(key="reset:bo") != first
        assert len(await house.messages()) == 2
        await house.run()
        assert await house.send(key="reset:ada") != first
        assert len(await house.messages()) == 3


async def test_of_parallel_mails_of_one_key_one_is_written(url: str, build: Any) -> None:
    async with build(url, NullProvider()) as house:
        given = await asyncio.gather(*(house.send(key="same") for _ in range(10)))
        (message,) = await house.messages()
    assert set(given) == {message.id}


async def test_a_key_that_is_too_long_is_refused(sqlite_url: str, build: Any) -> None:
    async with build(sqlite_url) as house:
        with pytest.raises(ValueError, match="200"):
            await house.send(key="k" * 201)

"""What every provider promises."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from mainstay.features.mail import (
    CaptureProvider,
    ConsoleProvider,
    MailProvider,
    MailSettings,
    NullProvider,
    OutgoingMail,
    SmtpProvider,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["capture", "console", "null", "smtp"])
async def provider(request: pytest.FixtureRequest, serve: Any) -> AsyncIterator[MailProvider]:
    if request.param == "capture":
        yield CaptureProvider()
    elif request.param == "console":
        yield ConsoleProvider(show_body=True, stream=io.StringIO())
    elif request.param == "null":
        yield NullProvider()
    else:
        async with serve() as server:
            settings = MailSettings(MAIL_SERVER="127.0.0.1", MAIL_PORT=server.port)
            yield SmtpProvider(settings, sender_name="Shop")


async def test_it_takes_a_mail(provider: MailProvider, letter: OutgoingMail) -> None:
    await provider.deliver(letter)


async def test_it_takes_the_same_mail_again(provider: MailProvider, letter: OutgoingMail) -> None:
    for _ in range(2):
        await provider.deliver(letter)


async def test_it_takes_several_at_a_time(provider: MailProvider, letter: OutgoingMail) -> None:
    mails = [replace(letter, to=f"reader{number}@example.com") for number in range(8)]
    await asyncio.gather(*(provider.deliver(mail) for mail in mails))


async def test_it_says_who_it_is(provider: MailProvider) -> None:
    assert 0 < len(provider.name) <= 20
    assert provider.keeps_bodies is (provider.name == "capture")

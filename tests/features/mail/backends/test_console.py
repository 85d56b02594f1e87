"""Mail that is printed."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from mainstay.features.mail import ConsoleProvider, OutgoingMail

pytestmark = pytest.mark.anyio


async def test_a_developer_reads_the_mail(letter: OutgoingMail) -> None:
    stream = io.StringIO()
    await ConsoleProvider(show_body=True, stream=stream).deliver(letter)
    printed = stream.getvalue()
    assert "To: ada@example.com\nSubject: Shop & Co: Grüße\n" in printed
    assert "token=a1B2" in printed


async def test_N2_elsewhere_no_token_is_printed(letter: OutgoingMail) -> None:
    stream = io.StringIO()
    await ConsoleProvider(show_body=False, stream=stream).deliver(letter)
    printed = stream.getvalue()
    assert "To: ada@example.com" in printed
    assert "token" not in printed
    assert "a1B2" not in printed


async def test_control_characters_do_not_reach_the_terminal(letter: OutgoingMail) -> None:
    stream = io.StringIO()
    mail = replace(letter, text="a\x1b[31mred\nb")
    await ConsoleProvider(show_body=True, stream=stream).deliver(mail)
    assert "a?[31mred\nb" in stream.getvalue()


async def test_it_prints_to_standard_output(
    letter: OutgoingMail, capsys: pytest.CaptureFixture[str]
) -> None:
    await ConsoleProvider(show_body=True).deliver(letter)
    assert "Subject: Shop & Co" in capsys.readouterr().out

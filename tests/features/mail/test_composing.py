"""The message that is sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mainstay.features.mail import OutgoingMail, parse_mailbox
from mainstay.features.mail.composing import compose
from mainstay.features.mail.errors import MailFieldError

SENDER = parse_mailbox("shop@bücher.example")


def test_it_is_ascii_with_short_lines(letter: OutgoingMail) -> None:
    raw = compose(letter, sender=SENDER, sender_name="Shöp, Inc. <x>").as_bytes()
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert b"shop@xn--bcher-kva.example" in raw


def test_M2_a_message_goes_to_one_address(letter: OutgoingMail) -> None:
    with pytest.raises(MailFieldError):
        compose(replace(letter, to="a@b.com, c@d.com"), sender=SENDER, sender_name="Shop")


@pytest.mark.parametrize("field", ["subject", "request_id"])
def test_M2_headers_cannot_be_added(letter: OutgoingMail, field: str) -> None:
    evil = replace(letter, **{field: "x\r\nBcc: bo@example.com"})
    with pytest.raises(ValueError, match="linefeed or carriage return"):
        compose(evil, sender=SENDER, sender_name="Shop")

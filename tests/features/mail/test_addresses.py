"""Fields of a mail: one mailbox, one line, a body without NUL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstay.features.mail.addresses import check_body, check_line, parse_mailbox
from mainstay.features.mail.errors import MailFieldError


@pytest.mark.parametrize(
    ("text", "address", "wire"),
    [
        ("ada@example.com", "ada@example.com", "ada@example.com"),
        ("  Ada.L+x@Example.COM ", "Ada.L+x@example.com", "Ada.L+x@example.com"),
        ("ada@bücher.example", "ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("adä@example.com", "adä@example.com", "adä@example.com"),
        ("root@localhost", "root@localhost", "root@localhost"),
        ("Root+x@Mail.Office.Local", "Root+x@mail.office.local", "Root+x@mail.office.local"),
        ("ada@shop.test", "ada@shop.test", "ada@shop.test"),
    ],
)
def test_M2_an_address_is_parsed_into_one_mailbox(text: str, address: str, wire: str) -> None:
    mailbox = parse_mailbox(text)
    assert (mailbox.address, mailbox.wire) == (address, wire)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@example.com, bo@example.com",
        "ada@example.com bo@example.com",
        "ada@example.com;bo@example.com",
        "Ada <ada@example.com>",
        "<ada@example.com>",
        "ada@example.com\r\nBcc: bo@example.com",
        "ada@example.com\n",
        "ada\0@example.com",
        '"ada\r\n"@example.com',
        "ada@[127.0.0.1]",
        "ada@example.com(comment)",
        "a..b@localhost",
        "ada@.local",
        "ada@bo@localhost",
        "ada@" + "b" * 250 + ".com",
    ],
)
def test_M2_all_else_is_refused(text: str) -> None:
    with pytest.raises(MailFieldError) as raised:
        parse_mailbox(text)
    assert raised.value.status == 422
    assert raised.value.errors[0].pointer == "#/to"


@given(st.text(max_size=80))
def test_M2_what_is_accepted_is_one_mailbox_on_one_line(text: str) -> None:
    try:
        mailbox = parse_mailbox(text + "@example.com")
    except MailFieldError:
        return
    assert mailbox.wire.count("@") == 1
    assert not any(c.isspace() or ord(c) < 32 or c in ",;<>" for c in mailbox.wire)


@pytest.mark.parametrize("text", ["a\rb", "a\nb", "a\r\nBcc: x", "a\0b", "a\x85b", "a\u2028b"])
def test_M2_a_line_has_no_line_ends(text: str) -> None:
    with pytest.raises(MailFieldError) as raised:
        check_line(text, "subject")
    assert raised.value.errors[0].pointer == "#/subject"


@pytest.mark.parametrize("text", ["", "   ", "x" * 251])
def test_a_line_is_neither_empty_nor_endless(text: str) -> None:
    with pytest.raises(MailFieldError):
        check_line(text, "subject")


def test_a_line_is_given_without_spaces_around_it() -> None:
    assert check_line("  Grüße ", "subject") == "Grüße"


def test_M2_a_body_has_no_nul() -> None:
    with pytest.raises(MailFieldError):
        check_body("a\0b", "text")
    assert check_body("a\r\nb", "text") == "a\r\nb"


def test_a_body_is_bounded() -> None:
    with pytest.raises(MailFieldError):
        check_body("x" * (1024 * 1024 + 1), "text")

"""Mail by SMTP, against a server in the process."""

from __future__ import annotations

import ssl
from dataclasses import replace
from typing import Any

import pytest

from mainstay.features.mail import (
    MailNotSentError,
    MailRefusedError,
    MailSettings,
    OutgoingMail,
    SmtpProvider,
)
from mainstay.features.mail.backends import smtp

pytestmark = pytest.mark.anyio

SIGN_IN = {"MAIL_USERNAME": "shop", "MAIL_PASSWORD": "a password of the shop"}


def provider(port: int, *, trust: ssl.SSLContext | None = None, **settings: Any) -> SmtpProvider:
    facts = {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": port, "MAIL_FROM": "shop@shop.com"}
    return SmtpProvider(MailSettings(**facts | settings), sender_name="Shop & Cö", trust=trust)


async def test_the_message_is_whole(serve: Any, letter: OutgoingMail) -> None:
    async with serve() as server:
        await provider(server.port).deliver(letter)
    ((sender, recipients, message),) = server.taken
    assert (sender, recipients) == ("shop@shop.com", ["ada@example.com"])
    assert message["From"] == "Shop & Cö <shop@shop.com>"
    assert message["To"] == "ada@example.com"
    assert message["Subject"] == letter.subject
    assert message["Message-ID"] == f"<{letter.id}@shop.com>"
    assert message["X-Request-ID"] == "req_42"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == letter.created_at
    text, html = message.get_body(["plain"]), message.get_body(["html"])
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n").rstrip("\n") == letter.text.rstrip("\n")
    assert html.get_content().replace("\r\n", "\n").rstrip("\n") == letter.html


async def test_a_repeat_has_the_same_id_and_date(serve: Any, letter: OutgoingMail) -> None:
    async with serve() as server:
        for _ in range(2):
            await provider(server.port).deliver(letter)
    first, second = (message for _, _, message in server.taken)
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] == second["Date"]


async def test_it_signs_in_once_starttls_has_encrypted_the_connection(
    serve: Any, certificate: Any, letter: OutgoingMail
) -> None:
    async with serve(starttls=certificate.server, sign_in=True, require_starttls=True) as server:
        await provider(server.port, trust=certificate.trust, **SIGN_IN).deliver(letter)
    assert server.secured == [True]


async def test_tls_from_the_first_byte(serve: Any, certificate: Any, letter: OutgoingMail) -> None:
    async with serve(tls=certificate.server) as server:
        mail = provider(server.port, trust=certificate.trust, MAIL_SSL_TLS=True)
        await mail.deliver(letter)
    assert len(server.taken) == 1


async def test_neither_where_it_is_switched_off(
    serve: Any, certificate: Any, letter: OutgoingMail
) -> None:
    async with serve(starttls=certificate.server) as server:
        await provider(server.port, MAIL_STARTTLS=False).deliver(letter)
    assert server.secured == [False]


async def test_the_certificates_of_ssl_cert_file_are_trusted(
    serve: Any, certificate: Any, letter: OutgoingMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
    async with serve(starttls=certificate.server) as server:
        await provider(server.port).deliver(letter)
    assert server.secured == [True]


@pytest.mark.parametrize("way", ["starttls", "tls"])
async def test_an_unknown_certificate_is_not_trusted(
    serve: Any, certificate: Any, letter: OutgoingMail, way: str
) -> None:
    async with serve(**{way: certificate.server}) as server:
        with pytest.raises(MailNotSentError, match="certificate"):
            await provider(server.port, MAIL_SSL_TLS=way == "tls").deliver(letter)
    assert server.taken == []


async def test_starttls_that_is_not_offered_is_not_done_without(
    serve: Any, letter: OutgoingMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "_is_loopback", lambda _: False)
    async with serve() as server:
        with pytest.raises(MailNotSentError, match="STARTTLS"):
            await provider(server.port).deliver(letter)
    assert server.taken == []


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("10.0.0.1", False),
        ("localhost.evil.com", False),
    ],
)
def test_only_loopback_may_go_without(host: str, here: bool) -> None:
    assert smtp._is_loopback(host) is here


async def test_a_refused_sign_in_may_be_put_right(
    serve: Any, certificate: Any, letter: OutgoingMail
) -> None:
    wrong = SIGN_IN | {"MAIL_PASSWORD": "hunter2"}
    async with serve(starttls=certificate.server, sign_in=True) as server:
        with pytest.raises(MailNotSentError, match="535") as raised:
            await provider(server.port, trust=certificate.trust, **wrong).deliver(letter)
    assert "hunter2" not in str(raised.value)
    assert server.taken == []


async def test_without_the_sign_in_that_it_wants_nothing_is_lost(
    serve: Any, certificate: Any, letter: OutgoingMail
) -> None:
    async with serve(starttls=certificate.server, sign_in=True) as server:
        with pytest.raises(MailNotSentError, match="530"):
            await provider(server.port, trust=certificate.trust).deliver(letter)


async def test_a_refused_recipient_is_refused_for_good(serve: Any, letter: OutgoingMail) -> None:
    async with serve() as server:
        server.answers = ["550 5.1.1 no such user"]
        with pytest.raises(MailRefusedError, match=r"550 5\.1\.1 no such user"):
            await provider(server.port).deliver(letter)


async def test_a_refused_message_is_refused_for_good(serve: Any, letter: OutgoingMail) -> None:
    async with serve() as server:
        server.refuses_data = "554 5.7.1 looks like spam"
        with pytest.raises(MailRefusedError, match="554"):
            await provider(server.port).deliver(letter)


async def test_a_refused_sender_may_be_put_right(serve: Any, letter: OutgoingMail) -> None:
    async with serve() as server:
        server.sender_answer = "553 5.1.8 not your domain"
        with pytest.raises(MailNotSentError, match="553"):
            await provider(server.port).deliver(letter)


async def test_greylisting_is_no_refusal(serve: Any, letter: OutgoingMail) -> None:
    async with serve() as server:
        server.answers = ["451 4.7.1 come back later"]
        mail = provider(server.port)
        with pytest.raises(MailNotSentError, match="451"):
            await mail.deliver(letter)
        await mail.deliver(letter)
    assert len(server.taken) == 1


async def test_a_server_that_is_not_there(serve: Any, letter: OutgoingMail) -> None:
    async with serve() as server:
        port = server.port
    with pytest.raises(MailNotSentError, match="127\\.0\\.0\\.1"):
        await provider(port).deliver(letter)


async def test_an_address_beyond_ascii_needs_a_server_that_takes_it(
    serve: Any, letter: OutgoingMail
) -> None:
    mail = replace(letter, to="adä@bücher.example")
    async with serve() as server:
        with pytest.raises(MailRefusedError, match="SMTPUTF8"):
            await provider(server.port).deliver(mail)
    async with serve(enable_SMTPUTF8=True) as server:
        await provider(server.port).deliver(mail)
    ((_, recipients, _),) = server.taken
    assert recipients == ["adä@xn--bcher-kva.example"]


async def test_a_name_beyond_ascii_needs_nothing(serve: Any, letter: OutgoingMail) -> None:
    async with serve() as server:
        await provider(server.port).deliver(replace(letter, to="ada@bücher.example"))
    ((_, recipients, _),) = server.taken
    assert recipients == ["ada@xn--bcher-kva.example"]


@pytest.mark.parametrize(("name", "said"), [("web-1.shop", "web-1.shop"), ("wëb", "localhost")])
def test_it_greets_by_a_name_that_a_server_takes(
    monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.setattr(smtp.socket, "gethostname", lambda: name)
    assert smtp._own_name() == said

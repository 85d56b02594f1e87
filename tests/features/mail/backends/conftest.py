"""A mail server in the process, with a certificate of its own making."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USERNAME, PASSWORD = "shop", "a password of the shop"


class Certificate:
    """A certificate for 127.0.0.1, as files and as contexts."""

    def __init__(self, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
        moment = datetime.now(UTC)
        signed = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(moment - timedelta(days=1))
            .not_valid_after(moment + timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
            .sign(key, hashes.SHA256())
        )
        self.file = folder / "server.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self.file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
        self.authority = folder / "authority.pem"
        self.authority.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    @property
    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        return context

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))


class MailServer:
    """Takes mail. ``answers`` are given to recipients in turn, and then ``250``."""

    def __init__(self) -> None:
        self.port = 0
        self.answers: list[str] = []
        self.taken: list[tuple[str, list[str], EmailMessage]] = []
        self.secured: list[bool] = []
        self.refuses_data = ""
        self.sender_answer = ""

    async def handle_MAIL(
        self, _server: SMTP, _session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.sender_answer:
            return self.sender_answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Any, envelope: Any) -> str:
        if self.refuses_data:
            return self.refuses_data
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.taken.append((envelope.mail_from, envelope.rcpt_tos, parsed))
        self.secured.append(session.ssl is not None)
        return "250 taken"

    def authenticate(
        self, _server: SMTP, _session: Any, _envelope: Any, _mechanism: str, given: LoginPassword
    ) -> AuthResult:
        right = (given.login, given.password) == (USERNAME.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=False)


Serve = Callable[..., Any]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def serve() -> Serve:
    """``async with serve(starttls=context, tls=context, **options) as server``."""

    @asynccontextmanager
    async def run(
        *,
        starttls: ssl.SSLContext | None = None,
        tls: ssl.SSLContext | None = None,
        sign_in: bool = False,
        **options: Any,
    ) -> AsyncIterator[MailServer]:
        mail = MailServer()
        if sign_in:
            options |= {"authenticator": mail.authenticate, "auth_required": True}

        def protocol() -> SMTP:
            return SMTP(mail, tls_context=starttls, hostname="mail.test", **options)

        loop = asyncio.get_running_loop()
        listening = await loop.create_server(protocol, "127.0.0.1", 0, ssl=tls)
        mail.port = listening.sockets[0].getsockname()[1]
        try:
            yield mail
        finally:
            listening.close()
            await listening.wait_closed()

    return run

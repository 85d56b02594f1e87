"""The settings of mail."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo
from pydantic_core import PydanticKnownError

from mainstay.core.settings import Fault, Host, Names, Section, Settings, Takes
from mainstay.features.mail.addresses import Mailbox, check_line, parse_mailbox
from mainstay.features.mail.errors import MailFieldError

Provider = Literal["smtp", "console", "capture"]

_FALLBACK: Final = "no-reply@localhost"
_EXAMPLES: Final = ("example.com", "example.org", "example.net")
_EXAMPLE_ENDINGS: Final = (".example", ".test", ".invalid", ".localhost")
_RESEND: Final = (
    "nothing yet: send by SMTP, with MAIL_SERVER=smtp.resend.com, MAIL_USERNAME=resend and the key "
    "as MAIL_PASSWORD"
)


def _server_for_smtp(value: str | None, info: ValidationInfo) -> str | None:
    if value is None and info.data.get("MAIL_PROVIDER") == "smtp":
        raise PydanticKnownError("missing")
    return value


def _resend_is_not_chosen(value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
    chosen = info.data.get("MAIL_PROVIDER") or info.data.get("MAIL_SERVER")
    if value is not None and not chosen:
        msg = "mail does not go by Resend's API"
        raise ValueError(msg)
    return value


def _is_sender(value: str | None) -> str | None:
    if value is not None:
        try:
            _parse_sender(value)
        except MailFieldError as error:
            raise ValueError(error.detail) from None
    return value


def _parse_sender(text: str) -> tuple[str, Mailbox]:
    name, address = parseaddr(text) if "<" in text else ("", text)
    if name:
        check_line(name, "from")
    return name, parse_mailbox(address, "from")


def _is_line(value: str | None) -> str | None:
    if value is not None:
        try:
            check_line(value, "from")
        except MailFieldError as error:
            raise ValueError(error.detail) from None
    return value


def _is_folder(value: Path | None) -> Path | None:
    if value is not None and not value.expanduser().is_dir():
        msg = "it is not there"
        raise ValueError(msg)
    return value


def _templates_beside(_: dict[str, Any]) -> Path | None:
    beside = Path("templates/mail")
    return beside.absolute() if beside.is_dir() else None


class MailSettings(Section):
    """How mail leaves, and who it is from."""

    MAIL_PROVIDER: Annotated[
        Provider | None,
        Takes("smtp, console or capture (SES and Resend by their SMTP servers, with MAIL_SERVER)"),
    ] = None
    """How mail leaves; unset: smtp where MAIL_SERVER is set, else capture."""

    MAIL_SERVER: Annotated[
        Host | None,
        AfterValidator(_server_for_smtp),
        Names("SMTP_HOST"),
        Takes("the host of a mail server, as MAIL_PROVIDER is smtp"),
    ] = None
    """The mail server's host."""

    MAIL_PORT: Annotated[int, Field(ge=1, le=65535), Names("SMTP_PORT")] = 587
    """The mail server's port."""

    MAIL_USERNAME: Annotated[str | None, Names("SMTP_USER")] = None
    """The name to sign in to the mail server with; unset: no sign-in."""

    MAIL_PASSWORD: Annotated[SecretStr | None, Names("SMTP_PASSWORD")] = None
    """The password to sign in to the mail server with."""

    MAIL_FROM: Annotated[
        str | None,
        AfterValidator(_is_sender),
        Names("EMAILS_FROM_EMAIL", "FROM_EMAIL"),
        Takes("an e-mail address, such as no-reply@shop.com or Shop <no-reply@shop.com>"),
    ] = None
    """The sender's address."""

    MAIL_FROM_NAME: Annotated[str | None, AfterValidator(_is_line)] = None
    """The sender's name; unset: that in MAIL_FROM, else PROJECT_NAME."""

    MAIL_STARTTLS: Annotated[bool, Names("SMTP_TLS")] = True
    """Go on only once STARTTLS has encrypted the connection; a server on loopback need not."""

    MAIL_SSL_TLS: bool = False
    """Speak TLS from the first byte, as on port 465; MAIL_STARTTLS does not matter then."""

    MAIL_TEMPLATES_DIR: Annotated[
        Path | None, AfterValidator(_is_folder), Takes("the path of a folder")
    ] = Field(default_factory=_templates_beside)
    """A folder whose mail templates win over ours; templates/mail where that is there."""

    RESEND_API_KEY: Annotated[
        SecretStr | None, AfterValidator(_resend_is_not_chosen), Takes(_RESEND)
    ] = None
    """Kept for a provider to come; mail goes by Resend's SMTP server."""

    @property
    def provider(self) -> Provider:
        """The provider in effect."""
        return self.MAIL_PROVIDER or ("smtp" if self.MAIL_SERVER else "capture")

    @property
    def sender(self) -> Mailbox:
        """The sender's mailbox."""
        return _parse_sender(self.MAIL_FROM or _FALLBACK)[1]

    def sender_name(self, project: str) -> str:
        """Give the sender's name."""
        return self.MAIL_FROM_NAME or _parse_sender(self.MAIL_FROM or _FALLBACK)[0] or project

    def production_faults(self, settings: Settings) -> Iterable[Fault]:  # noqa: ARG002
        """Refuse captured mail, and a sender that nobody can answer."""
        if self.provider == "capture":
            got = None if self.MAIL_PROVIDER is None else "'capture'"
            fix = (
                "Mail is captured, not sent: users will not get their links. "
                "Set MAIL_PROVIDER=smtp and MAIL_SERVER=smtp.example.com."
            )
            yield Fault("MAIL_PROVIDER", got, "smtp", fix)
        elif self.MAIL_FROM is None:
            fix = "Set it to an address of yours: mail comes from it."
            yield Fault("MAIL_FROM", None, "an e-mail address", fix)
        elif _is_example(self.sender.domain):
            fix = "MAIL_FROM is an example address. Set it to an address of yours."
            yield Fault("MAIL_FROM", repr(self.MAIL_FROM), "an address of yours", fix)


def _is_example(domain: str) -> bool:
    name = domain.lower()
    beneath = any(name == example or name.endswith(f".{example}") for example in _EXAMPLES)
    return beneath or "." not in name or name.endswith(_EXAMPLE_ENDINGS)

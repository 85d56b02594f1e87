"""The settings of mail, from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mainstay.core.settings import ApplicationSettings, Settings, SettingsError, load
from mainstay.features.mail import CaptureProvider, ConsoleProvider, MailSettings, SmtpProvider
from mainstay.features.mail.backends import choose_provider


def read(**environ: str) -> MailSettings:
    return everything(**environ)[MailSettings]


def everything(**environ: str) -> Settings:
    return load([ApplicationSettings, MailSettings], environ=environ, env_file=None)


def faults(**environ: str) -> list[tuple[str, str]]:
    settings = everything(**environ)
    found = settings[MailSettings].production_faults(settings)
    return [(fault.name, fault.sentence + " " + fault.fix) for fault in found]


def test_without_any_setting_mail_is_captured() -> None:
    assert read().provider == "capture"


def test_a_server_means_smtp() -> None:
    assert read(MAIL_SERVER="mail.test").provider == "smtp"
    assert read(MAIL_SERVER="mail.test", MAIL_PROVIDER="Console").provider == "console"


@pytest.mark.parametrize(
    ("environ", "kind"),
    [
        ({}, CaptureProvider),
        ({"MAIL_PROVIDER": "console"}, ConsoleProvider),
        ({"MAIL_SERVER": "mail.test"}, SmtpProvider),
    ],
)
def test_the_chosen_provider_is_made(environ: dict[str, str], kind: type[Any]) -> None:
    assert isinstance(choose_provider(everything(**environ)), kind)


def test_the_names_of_other_backends_are_read() -> None:
    settings = read(
        SMTP_HOST="mail.test",
        SMTP_PORT="2525",
        SMTP_USER="ada",
        SMTP_PASSWORD="secret",
        SMTP_TLS="false",
        EMAILS_FROM_EMAIL="shop@shop.test",
    )
    assert (settings.MAIL_SERVER, settings.MAIL_PORT) == ("mail.test", 2525)
    assert settings.MAIL_USERNAME == "ada"
    assert settings.MAIL_PASSWORD is not None
    assert settings.MAIL_PASSWORD.get_secret_value() == "secret"
    assert settings.MAIL_STARTTLS is False
    assert settings.sender.address == "shop@shop.test"
    assert read(FROM_EMAIL="shop@shop.test").sender.address == "shop@shop.test"


def test_a_sender_may_bring_its_name() -> None:
    settings = read(MAIL_FROM="The Shop <shop@shop.test>")
    assert settings.sender.address == "shop@shop.test"
    assert settings.sender_name("Project") == "The Shop"
    assert read(MAIL_FROM="shop@shop.test").sender_name("Project") == "Project"
    named = read(MAIL_FROM="The Shop <shop@shop.test>", MAIL_FROM_NAME="Ada")
    assert named.sender_name("Project") == "Ada"


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"MAIL_PROVIDER": "ses"}, "MAIL_PROVIDER"),
        ({"MAIL_PROVIDER": "resend"}, "MAIL_PROVIDER"),
        ({"MAIL_PROVIDER": "smtp"}, "MAIL_SERVER"),
        ({"RESEND_API_KEY": "re_123456789"}, "RESEND_API_KEY"),
        ({"MAIL_FROM": "nobody"}, "MAIL_FROM"),
        ({"MAIL_FROM": "a@b.test, c@d.test"}, "MAIL_FROM"),
        ({"MAIL_FROM_NAME": "a\nb"}, "MAIL_FROM_NAME"),
        ({"MAIL_PORT": "0"}, "MAIL_PORT"),
        ({"MAIL_TEMPLATES_DIR": "/nowhere/at/all"}, "MAIL_TEMPLATES_DIR"),
    ],
)
def test_wrong_values_are_named(environ: dict[str, str], name: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read(**environ)
    assert [fault.name for fault in raised.value.faults] == [name]
    assert "re_123456789" not in str(raised.value)


def test_what_cannot_be_chosen_yet_says_what_to_do() -> None:
    with pytest.raises(SettingsError, match="SES and Resend by their SMTP servers"):
        read(MAIL_PROVIDER="ses")
    with pytest.raises(SettingsError, match=r"MAIL_SERVER=smtp\.resend\.com"):
        read(RESEND_API_KEY="re_123456789")
    assert read(RESEND_API_KEY="re_123456789", MAIL_SERVER="mail.test").provider == "smtp"


def test_a_projects_templates_are_found_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read().MAIL_TEMPLATES_DIR is None
    (tmp_path / "templates" / "mail").mkdir(parents=True)
    assert tmp_path / "templates" / "mail" == read().MAIL_TEMPLATES_DIR
    (tmp_path / "other").mkdir()
    assert Path("other") == read(MAIL_TEMPLATES_DIR="other").MAIL_TEMPLATES_DIR


def test_M001_captured_mail_stops_production() -> None:
    ((name, told),) = faults()
    assert name == "MAIL_PROVIDER"
    assert "Mail is captured, not sent" in told
    assert faults(MAIL_PROVIDER="capture")[0][0] == "MAIL_PROVIDER"


@pytest.mark.parametrize(
    "sender",
    ["", "shop@example.com", "shop@mail.example.org", "shop@shop.example", "shop@localhost"],
)
def test_M002_a_sender_nobody_can_answer_stops_production(sender: str) -> None:
    ((name, _),) = faults(MAIL_SERVER="mail.shop.com", MAIL_FROM=sender)
    assert name == "MAIL_FROM"


def test_production_starts_with_a_server_and_a_sender() -> None:
    assert faults(MAIL_SERVER="mail.shop.com", MAIL_FROM="shop@shop.com") == []

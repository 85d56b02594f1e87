"""The providers of mail, and the choice between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainstay.core.settings import ApplicationSettings
from mainstay.features.mail.backends.capture import CaptureProvider
from mainstay.features.mail.backends.console import ConsoleProvider
from mainstay.features.mail.backends.null import NullProvider
from mainstay.features.mail.backends.smtp import SmtpProvider
from mainstay.features.mail.settings import MailSettings

if TYPE_CHECKING:
    from mainstay.core.settings import Settings
    from mainstay.features.mail.ports import MailProvider

__all__ = ["CaptureProvider", "ConsoleProvider", "NullProvider", "SmtpProvider", "choose_provider"]


def choose_provider(settings: Settings) -> MailProvider:
    """Make the provider that the settings ask for."""
    application, mail = settings[ApplicationSettings], settings[MailSettings]
    match mail.provider:
        case "smtp":
            name = mail.sender_name(application.PROJECT_NAME)
            return SmtpProvider(mail, sender_name=name)
        case "console":
            return ConsoleProvider(show_body=application.is_development)
        case "capture":
            return CaptureProvider()

"""Mail: written into an outbox with what it is about, and sent after the commit."""

from mainstay.features.mail.addresses import Mailbox, parse_mailbox
from mainstay.features.mail.backends import (
    CaptureProvider,
    ConsoleProvider,
    NullProvider,
    SmtpProvider,
)
from mainstay.features.mail.errors import (
    MailFieldError,
    MailNotSentError,
    MailRefusedError,
    MailTemplateError,
)
from mainstay.features.mail.feature import feature
from mainstay.features.mail.models import MailMessage, MailState
from mainstay.features.mail.plaintext import links_in
from mainstay.features.mail.ports import MailProvider, OutgoingMail
from mainstay.features.mail.settings import MailSettings
from mainstay.features.mail.templating import MailTemplates, Rendered

__all__ = [
    "CaptureProvider",
    "ConsoleProvider",
    "MailFieldError",
    "MailMessage",
    "MailNotSentError",
    "MailProvider",
    "MailRefusedError",
    "MailSettings",
    "MailState",
    "MailTemplateError",
    "MailTemplates",
    "Mailbox",
    "NullProvider",
    "OutgoingMail",
    "Rendered",
    "SmtpProvider",
    "feature",
    "links_in",
    "parse_mailbox",
]

"""What the mail feature brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mainstay.core.feature import Feature, Mount, Permission
from mainstay.core.jobs import JobQueue
from mainstay.core.mail import Mailer
from mainstay.core.ports import Provide
from mainstay.core.settings import ApplicationSettings, Settings
from mainstay.features.mail.backends import choose_provider
from mainstay.features.mail.delivery import DELIVERY
from mainstay.features.mail.mailbox import router as mailbox
from mainstay.features.mail.models import MailMessage
from mainstay.features.mail.ports import MailProvider
from mainstay.features.mail.service import OutboxMailer
from mainstay.features.mail.settings import MailSettings
from mainstay.features.mail.templating import MailTemplates

if TYPE_CHECKING:
    from mainstay.core.ports import Ports


def _templates(ports: Ports) -> MailTemplates:
    settings = ports[Settings]
    application = settings[ApplicationSettings]
    return MailTemplates(
        settings[MailSettings].MAIL_TEMPLATES_DIR,
        project_name=application.PROJECT_NAME,
        public_url=application.PUBLIC_URL,
    )


def _mailer(ports: Ports) -> OutboxMailer:
    queue = ports[JobQueue]
    return OutboxMailer(ports[MailTemplates], queue)


feature: Final = Feature(
    name="mail",
    requires=("jobs",),
    needs=(JobQueue,),
    settings=(MailSettings,),
    models=(MailMessage,),
    routers=(Mount(router=mailbox, at="root"),),
    permissions=(
        Permission(name="mail:send", description="Send mail."),
        Permission(name="mail:read", description="See which mail was sent."),
    ),
    provides=(
        Provide(MailTemplates, _templates),
        Provide(MailProvider, lambda ports: choose_provider(ports[Settings])),
        Provide(Mailer, _mailer),
    ),
    jobs=(DELIVERY,),
)

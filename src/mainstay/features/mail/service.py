"""The mailer: checks and renders a mail, and writes it with its job into the transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mainstay.core.origin import current_origin
from mainstay.features.mail import repository
from mainstay.features.mail.addresses import check_body, check_line, parse_mailbox
from mainstay.features.mail.errors import MailFieldError
from mainstay.features.mail.models import MAX_KEY, MailMessage
from mainstay.features.mail.plaintext import html_to_text, text_to_html
from mainstay.kit.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.jobs import JobQueue
    from mainstay.features.mail.templating import MailTemplates

DELIVER: Final = "mail.deliver"
"""The name of the job that sends a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    to: str
    subject: str
    html: str
    text: str
    template: str | None = None


class OutboxMailer:
    """Implements ``core.mail.Mailer`` over the mail_messages table."""

    def __init__(self, templates: MailTemplates, queue: JobQueue) -> None:
        self._templates = templates
        self._queue = queue

    async def send(
        self,
        session: AsyncSession,
        *,
        template: str,
        to: str,
        context: Mapping[str, Any],
        key: str | None = None,
    ) -> str:
        """Render a template and write the mail; gives the message's id.

        Raises:
            MailFieldError: the address is not one mailbox, or a line end or NUL is where none may
                be.
            MailTemplateError: the template is unknown, or was not given a value that it needs.
        """
        rendered = self._templates.render(template, context)
        draft = _Draft(
            to=to,
            subject=rendered.subject,
            html=rendered.html,
            text=rendered.text,
            template=template.removesuffix(".html"),
        )
        return await self._write(session, draft, key)

    async def send_message(
        self,
        session: AsyncSession,
        *,
        to: str,
        subject: str,
        html: str | None = None,
        text: str | None = None,
        key: str | None = None,
    ) -> str:
        """Write a mail of one's own; of HTML and text the missing one is made of the other.

        Raises:
            MailFieldError: as ``send``; or there is no body at all, or too much of it.
        """
        if html is not None:
            check_body(html, "html")
        if text is not None:
            check_body(text, "text")
        if html is None and text is None:
            raise MailFieldError("text", "A mail needs a body.")
        draft = _Draft(
            to=to,
            subject=subject,
            html=text_to_html(text or "") if html is None else html,
            text=html_to_text(html or "") if text is None else text,
        )
        return await self._write(session, draft, key)

    async def _write(self, session: AsyncSession, draft: _Draft, key: str | None) -> str:
        message = MailMessage(
            id=new_id(),
            recipient=parse_mailbox(draft.to).address,
            subject=check_line(draft.subject, "subject"),
            html=check_body(draft.html, "html"),
            text=check_body(draft.text, "text"),
            template=draft.template,
            key=None if key is None else _check_key(key),
            request_id=current_origin().request_id,
        )
        job_key = None if key is None else f"mail:{key}"
        job = await self._queue.enqueue(session, DELIVER, {"message_id": message.id}, key=job_key)
        if job is None and key is not None:
            there = await repository.waiting(session, key)
            if there is not None:
                return there
            # The job is at its very end, so that this mail needs one of its own.
            await self._queue.enqueue(session, DELIVER, {"message_id": message.id})
        session.add(message)
        return message.id


def _check_key(key: str) -> str:
    if len(key) > MAX_KEY:
        msg = f"A mail's key has at most {MAX_KEY} characters."
        raise ValueError(msg)
    return key

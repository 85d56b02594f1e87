"""The job that sends a message.

No transaction is open while the provider is spoken to: on SQLite that would stop every writer.
The message is marked in a short one before, and in the job's own one after. A process that ends in
between sends the message again, under the same Message-ID.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from mainstay.core.db.unit import Units
from mainstay.core.jobs import Job, JobRun, PermanentJobError, RetryLaterError
from mainstay.features.jobs import describe
from mainstay.features.mail import repository
from mainstay.features.mail.errors import MailNotSentError, MailRefusedError
from mainstay.features.mail.models import MAX_ERROR, MailMessage, MailState
from mainstay.features.mail.ports import MailProvider, OutgoingMail
from mainstay.features.mail.service import DELIVER

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

PROVIDER_TIMEOUT: Final = 60.0
"""Seconds that a provider may take over one mail."""


async def deliver(payload: dict[str, Any], run: JobRun) -> None:
    """Hand a message to the provider, and keep what came of it.

    Raises:
        RetryLaterError: the provider could not take it now.
        PermanentJobError: it never will.
    """
    provider = run.ports[MailProvider]
    message_id = str(payload["message_id"])
    mail = await run.ports[Units].run(partial(_begin, message_id=message_id, provider=provider))
    if mail is None:
        return
    try:
        async with asyncio.timeout(PROVIDER_TIMEOUT):
            await provider.deliver(mail)
    except MailRefusedError as error:
        await _note(run, message_id, error, final=True)
        raise PermanentJobError(str(error)) from error
    except (MailNotSentError, TimeoutError) as error:
        await _note(run, message_id, error, final=run.last_attempt)
        raise RetryLaterError(str(error) or "The provider took too long.") from error
    except Exception as error:
        await _note(run, message_id, error, final=run.last_attempt)
        raise
    await repository.note_sent(run.session, message_id, keep_bodies=provider.keeps_bodies)


async def _begin(
    session: AsyncSession, *, message_id: str, provider: MailProvider
) -> OutgoingMail | None:
    row = await repository.begin(session, message_id, provider.name)
    return None if row is None else _outgoing(row)


def _outgoing(row: MailMessage) -> OutgoingMail:
    return OutgoingMail(
        id=row.id,
        to=row.recipient,
        subject=row.subject,
        html=row.html or "",
        text=row.text or "",
        request_id=row.request_id,
        created_at=row.created_at,
    )


async def _note(run: JobRun, message_id: str, error: Exception, *, final: bool) -> None:
    state = MailState.FAILED if final else MailState.QUEUED
    text = describe(error)[:MAX_ERROR]

    async def note(session: AsyncSession) -> None:
        await repository.note_failure(session, message_id, state=state, error=text)

    await run.ports[Units].run(note)


DELIVERY: Final = Job(
    name=DELIVER, handler=deliver, max_attempts=14, backoff=5.0, timeout=PROVIDER_TIMEOUT + 30
)
"""Tried for about five hours."""

"""Single-use tokens: 256 random bits, kept as a hash, spent by a conditional UPDATE."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import delete, func, select, update

from mainstay.core.db.single_use import affected, spend
from mainstay.core.errors import TokenInvalidError
from mainstay.core.events import outlive
from mainstay.features.auth.events import OneTimeTokenRefused
from mainstay.features.auth.models import OneTimeToken
from mainstay.features.users import User
from mainstay.kit.clock import now
from mainstay.kit.tokens import digest, new_token

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

Purpose = Literal["verify_email", "reset_password", "change_email", "invitation", "setup"]

MAIL_WINDOW: Final = timedelta(minutes=15)
MAILS_IN_WINDOW: Final = 3
"""How many mails of one purpose an account is sent within the window."""


async def issue(
    session: AsyncSession,
    purpose: Purpose,
    *,
    lifetime: timedelta,
    user_id: str | None = None,
    subject: str | None = None,
) -> str:
    """Make a token and give it; it is shown nowhere else."""
    token = new_token()
    row = OneTimeToken(
        purpose=purpose,
        digest=digest(token, purpose=purpose),
        user_id=user_id,
        subject=subject,
        expires_at=now() + lifetime,
    )
    session.add(row)
    await session.flush()
    return token


async def redeem(session: AsyncSession, purpose: Purpose, token: str) -> OneTimeToken:
    """Spend a token; of parallel tries one succeeds.

    Raises:
        TokenInvalidError: it is wrong, spent, expired or of another purpose.
    """
    moment: datetime = now()
    key = digest(token, purpose=purpose)
    spent = await spend(
        session,
        update(OneTimeToken)
        .where(
            OneTimeToken.digest == key,
            OneTimeToken.purpose == purpose,
            OneTimeToken.spent_at.is_(None),
            OneTimeToken.expires_at > moment,
        )
        .values(spent_at=moment),
    )
    row = await session.scalar(select(OneTimeToken).where(OneTimeToken.digest == key))
    if not spent or row is None:
        raise refused(session, purpose)
    return row


async def take_turns(session: AsyncSession, purpose: Purpose) -> None:
    """Make all who use tokens of this purpose wait until this transaction has ended."""
    ids = select(OneTimeToken.id).where(OneTimeToken.purpose == purpose)
    await session.execute(ids.order_by(OneTimeToken.id).with_for_update())


async def void(session: AsyncSession, user_id: str, *purposes: Purpose) -> None:
    """Make a user's outstanding tokens of these purposes worthless."""
    await affected(
        session,
        update(OneTimeToken)
        .where(
            OneTimeToken.user_id == user_id,
            OneTimeToken.purpose.in_(purposes),
            OneTimeToken.spent_at.is_(None),
        )
        .values(spent_at=now()),
    )


async def may_mail(session: AsyncSession, user_id: str, purpose: Purpose) -> bool:
    """Say whether one more mail of this purpose is in order; who asks for the same user waits."""
    owner = select(User.id).where(User.id == user_id)
    await session.execute(owner.with_for_update(key_share=True))
    recent = select(func.count()).where(
        OneTimeToken.user_id == user_id,
        OneTimeToken.purpose == purpose,
        OneTimeToken.created_at > now() - MAIL_WINDOW,
    )
    return (await session.scalar(recent) or 0) < MAILS_IN_WINDOW


async def purge(session: AsyncSession) -> None:
    """Delete tokens that expired a week ago."""
    outdated = OneTimeToken.expires_at < now() - timedelta(days=7)
    await affected(session, delete(OneTimeToken).where(outdated))


def refused(session: AsyncSession, purpose: Purpose) -> TokenInvalidError:
    """Note that a token did not hold, and make the error, which never says why."""
    outlive(session, OneTimeTokenRefused(purpose=purpose))
    return TokenInvalidError(
        "Ask for a new link; this one was used, has expired, or is not complete."
    )

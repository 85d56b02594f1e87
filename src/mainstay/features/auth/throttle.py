"""Lockout: how many wrong passwords an account bears, counted in the database.

An attempt is counted before its password is looked at, by a conditional UPDATE, so that parallel
tries get no more looks than the threshold allows. A right password takes back what came from its
own address, and leaves what others have left. A lock ends by itself; nothing prolongs it.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import case, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from mainstay.core.db.single_use import affected, spend
from mainstay.core.events import publish
from mainstay.features.auth.events import AccountUnlocked
from mainstay.features.auth.models import LoginAttempts
from mainstay.features.users import case_blind
from mainstay.kit.clock import now

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.db.unit import Units
    from mainstay.features.auth.settings import AuthSettings

PATIENCE: Final = timedelta(seconds=1)
"""How long an attempt may wait for others that are in flight."""

_ALL: Final = "*"
_UNKNOWN_ADDRESS: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A counted attempt. ``last`` says that one more wrong password is not borne.

    ``pending`` says of a refused one that others are perhaps still being looked at.
    """

    account: str
    source: str
    admitted: bool
    last: bool = False
    pending: bool = False


def account_key(user_id: str | None, identifier: str) -> str:
    """Give the key of an account; of an unknown one a hash of the name that was tried."""
    if user_id is not None:
        return user_id
    return hashlib.sha256(case_blind(identifier.strip()).encode()).hexdigest()


class Throttle:
    """Counts attempts."""

    def __init__(self, units: Units, settings: AuthSettings) -> None:
        self._units = units
        self._threshold = settings.ACCOUNT_LOCKOUT_THRESHOLD
        self._duration: timedelta = settings.lockout

    async def admit(self, account: str, ip: str | None) -> Attempt:
        """Count an attempt, in a transaction of its own.

        An attempt in flight counts as a failure until its password was right. Where such may be
        what fills the count, this waits a moment for them: many honest sign-ins at once get in.
        """
        source = ip or _UNKNOWN_ADDRESS
        end = time.monotonic() + PATIENCE.total_seconds()
        while True:
            attempt = await self._count(account, source)
            if attempt.admitted or not attempt.pending or time.monotonic() > end:
                return attempt
            await asyncio.sleep(random.uniform(0.03, 0.08))  # noqa: S311 - jitter

    async def _count(self, account: str, source: str) -> Attempt:
        async def work(session: AsyncSession) -> Attempt:
            return await self._admit(session, account, source)

        try:
            return await self._units.run(work)
        except IntegrityError:
            # Two first attempts met; now the row is there.
            return await self._units.run(work)

    async def _admit(self, session: AsyncSession, account: str, source: str) -> Attempt:
        rows = LoginAttempts.__table__
        total = (LoginAttempts.account == account) & (LoginAttempts.source == _ALL)
        moment = now()
        lapsed = LoginAttempts.updated_at <= moment - self._duration
        counted = await spend(
            session,
            update(LoginAttempts)
            .where(total, or_(LoginAttempts.failures < self._threshold, lapsed))
            .ordered_values(*self._one_more(lapsed, moment)),
        )
        if not counted:
            counted_at = await session.scalar(select(rows.c.updated_at).where(total))
            if counted_at is not None:
                pending = moment - counted_at < PATIENCE
                return Attempt(account, source, admitted=False, pending=pending)
            await self._insert(session, account, _ALL)
        await self._count_source(session, account, source)
        failures = await session.scalar(select(rows.c.failures).where(total)) or 0
        return Attempt(account, source, admitted=True, last=failures >= self._threshold)

    def _one_more(self, lapsed: ColumnElement[bool], moment: datetime) -> list[tuple[Any, Any]]:
        """Count one more, or begin anew where the last one is long enough ago.

        All in one statement: nobody can come between the look and the reset. MariaDB evaluates
        from the left, with what has been set already, so that the order is part of it.
        """
        failures = case((lapsed, 1), else_=LoginAttempts.failures + 1)
        end = case((failures >= self._threshold, moment + self._duration), else_=None)
        return [
            (LoginAttempts.locked_until, end),
            (LoginAttempts.failures, failures),
            (LoginAttempts.updated_at, moment),
        ]

    async def _insert(self, session: AsyncSession, account: str, source: str) -> None:
        moment = now()
        locked = moment + self._duration if source == _ALL and self._threshold == 1 else None
        await session.execute(
            insert(LoginAttempts).values(
                account=account, source=source, failures=1, updated_at=moment, locked_until=locked
            )
        )

    async def _count_source(self, session: AsyncSession, account: str, source: str) -> None:
        moment = now()
        lapsed = LoginAttempts.updated_at <= moment - self._duration
        statement = (
            update(LoginAttempts)
            .where(LoginAttempts.account == account, LoginAttempts.source == source)
            .ordered_values(*self._one_more(lapsed, moment)[1:])
        )
        if not await spend(session, statement):
            await self._insert(session, account, source)

    async def withdraw(self, attempt: Attempt) -> None:
        """Take back one attempt whose password was never looked at."""
        if not attempt.admitted:
            return

        async def work(session: AsyncSession) -> None:
            for source in (_ALL, attempt.source):
                await affected(
                    session,
                    update(LoginAttempts)
                    .where(
                        LoginAttempts.account == attempt.account,
                        LoginAttempts.source == source,
                        LoginAttempts.failures > 0,
                    )
                    .values(failures=LoginAttempts.failures - 1, locked_until=None),
                )

        await self._units.run(work)

    async def clear(self, session: AsyncSession, account: str) -> None:
        """Forget all failures of an account; a password that was reset does that."""
        await affected(session, delete(LoginAttempts).where(LoginAttempts.account == account))

    async def unlock(self, session: AsyncSession, user_id: str) -> None:
        """Forget all failures of an account on behalf of an administrator."""
        await self.clear(session, user_id)
        await publish(session, AccountUnlocked(target_id=user_id))

    async def succeeded(self, session: AsyncSession, attempt: Attempt) -> None:
        """Take back what came from this address, in the transaction of the sign-in."""
        own = (LoginAttempts.account == attempt.account) & (LoginAttempts.source == attempt.source)
        total = (LoginAttempts.account == attempt.account) & (LoginAttempts.source == _ALL)
        # Locked in the order of ``admit``: otherwise two sign-ins would wait for each other.
        await session.execute(select(LoginAttempts.failures).where(total).with_for_update())
        failures = await session.scalar(select(LoginAttempts.failures).where(own)) or 0
        await affected(session, delete(LoginAttempts).where(own))
        remaining = LoginAttempts.failures - failures
        await affected(
            session,
            update(LoginAttempts)
            .where(total)
            .values(failures=case((remaining > 0, remaining), else_=0), locked_until=None),
        )

    async def take_back(self, attempt: Attempt) -> None:
        """Do as ``succeeded`` does, in a transaction of its own."""

        async def work(session: AsyncSession) -> None:
            await self.succeeded(session, attempt)

        await self._units.run(work)

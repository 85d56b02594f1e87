"""The unit of work: one lazy session, one transaction, and what goes out after its commit."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from mainstay.core.db.failures import is_transient
from mainstay.core.events import UNIT_KEY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.db.engine import Database
    from mainstay.core.events import Event, EventHub
    from mainstay.core.principal import Principal

T = TypeVar("T")
MAX_TRIES: Final = 3
"""How often a transient failure is borne."""

PRINCIPAL_KEY = "mainstay.principal"
"""Where a session's ``info`` holds the principal that acts on it, for row rules."""


class UnitOfWork:
    """One transaction. Nothing is opened until the session is asked for.

    ``outlive`` marks events that are recorded even if the unit is rolled back: in the unit's own
    transaction if it commits, else in a short one of their own.
    """

    def __init__(self, units: Units, *, write: bool) -> None:
        self._units = units
        self._write = write
        self._session: AsyncSession | None = None
        self._outliving: list[Event] = []
        self._after_commit: list[Callable[[], None]] = []
        self.principal: Principal | None = None

    @property
    def used(self) -> bool:
        """Whether anything has asked for the session, or wants to be recorded."""
        return self._session is not None or bool(self._outliving)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open now."""
        return self._session is not None and self._session.in_transaction()

    @property
    def session(self) -> AsyncSession:
        """The unit's session; services flush it and never commit."""
        if self._session is None:
            self._session = self._units.database.session(write=self._write)
            self._session.info[UNIT_KEY] = self
            self._session.info[PRINCIPAL_KEY] = self.principal
        return self._session

    def act_as(self, principal: Principal | None) -> None:
        """Set who acts, for row rules on this unit's session."""
        self.principal = principal
        if self._session is not None:
            self._session.info[PRINCIPAL_KEY] = principal

    async def publish(self, event: Event) -> None:
        """Hand the event to its subscribers, in this transaction."""
        await self._units.events.deliver(event, self.session)

    def outlive(self, event: Event) -> None:
        """Record the event at the end, whether the unit commits or not."""
        self._outliving.append(event)

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call this once the commit has succeeded; it must neither block nor raise."""
        self._after_commit.append(callback)

    async def commit(self) -> None:
        """Commit, then run what waited for it. Without a session this does nothing."""
        for event in self._outliving:
            await self.publish(event)
        if self._session is None:
            return
        await self._session.commit()
        self._outliving.clear()
        callbacks, self._after_commit = self._after_commit, []
        for callback in callbacks:
            callback()

    async def rollback(self) -> None:
        """Undo the transaction, then record the events that outlive it."""
        self._after_commit.clear()
        outliving, self._outliving = self._outliving, []
        if self._session is not None:
            await self._session.rollback()
        if outliving:
            async with self._units.transaction() as session:
                for event in outliving:
                    await self._units.events.deliver(event, session)

    async def close(self) -> None:
        """Give the connection back; an open transaction is undone."""
        if self._session is not None:
            await self._session.close()


class Units:
    """Makes units of work for one application."""

    def __init__(self, database: Database, events: EventHub) -> None:
        self.database = database
        self.events = events

    def unit(self, *, write: bool) -> UnitOfWork:
        """Give a unit whose end is the caller's business (the request's edge)."""
        return UnitOfWork(self, write=write)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction of its own: committed at the end, undone by an exception.

        On SQLite the caller must not hold another write transaction, or it waits for itself.
        """
        unit = UnitOfWork(self, write=True)
        try:
            yield unit.session
            await unit.commit()
        finally:
            await unit.close()

    async def run(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run work in a transaction of its own, again where a transient failure undid it.

        The work must leave no trace outside of the database.
        """
        for tried in range(1, MAX_TRIES + 1):
            try:
                async with self.transaction() as session:
                    return await work(session)
            except Exception as error:
                if tried == MAX_TRIES or not is_transient(error):
                    raise
            await asyncio.sleep(random.uniform(0.01, 0.05) * tried)  # noqa: S311 - jitter
        raise AssertionError

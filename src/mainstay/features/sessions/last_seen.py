"""When a session was last used: noted in memory, written now and then, never by the request."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import update

from mainstay.core.db.single_use import affected
from mainstay.core.logging import get_logger
from mainstay.features.sessions.models import SessionRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.db.unit import Units

EVERY_SECONDS: Final = 15.0
WORTH_NOTING: Final = timedelta(minutes=1)
_AT_ONCE: Final = 500
_log = get_logger("mainstay.sessions")


class LastSeen:
    """Collects sightings. A lost one does no harm."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self._seen: dict[str, datetime] = {}

    def note(self, session_id: str, before: datetime, moment: datetime) -> None:
        """Note a sighting, where the last one is long enough ago."""
        if moment - before > WORTH_NOTING:
            self._seen[session_id] = moment

    async def write(self) -> None:
        """Write what was noted."""
        seen, self._seen = self._seen, {}
        ids = list(seen)
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            latest = max(seen[session_id] for session_id in some)

            async def work(session: AsyncSession, some: list[str] = some) -> None:
                statement = update(SessionRow).where(SessionRow.id.in_(some))
                await affected(session, statement.values(last_seen_at=latest))  # noqa: B023

            await self._units.run(work)

    async def _write_forever(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.write()
            except Exception as error:  # noqa: BLE001 - it must go on when the database is back
                _log.warning("sessions.last_seen_not_written", reason=type(error).__name__)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write now and then while the application serves, and once more at its end."""
        task = asyncio.create_task(self._write_forever())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            with suppress(Exception):
                await self.write()

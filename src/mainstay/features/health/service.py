"""Whether the application can serve, and if not, what is missing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mainstay.core.alembic import MigrationError, MigrationRunner
from mainstay.core.assembly import Lifecycle
from mainstay.core.db.engine import Database
from mainstay.core.registry import Registry
from mainstay.core.settings import ApplicationSettings, Settings
from mainstay.features.health.probe import LIMIT, Probe, State
from mainstay.features.health.settings import HealthSettings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from mainstay.core.feature import HealthCheck
    from mainstay.core.ports import Ports

DATABASE: Final = "database"
MIGRATIONS: Final = "migrations"
SHUTDOWN: Final = "shutdown"
CACHES: Final = ("cache", "redis")
"""The names of health checks that stand for the cache; without any it is in memory."""


class SchemaBehindError(Exception):
    """The database's schema is older than the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """``down`` names what keeps the application from serving, ``degraded`` what else fails."""

    down: tuple[str, ...] = ()
    degraded: tuple[str, ...] = ()


class Health:
    """Port: the state of the application and of its parts."""

    def __init__(
        self,
        *,
        database: Probe,
        migrations: Probe,
        others: Iterable[Probe],
        required: Collection[str],
        lifecycle: Lifecycle,
        version: str,
    ) -> None:
        self.version = version
        self._database = database
        self._migrations = migrations
        self._others = tuple(others)
        self._required = frozenset(required)
        self._lifecycle = lifecycle

    async def readiness(self) -> Readiness:
        """Say whether the application may be sent requests.

        A part that READINESS_REQUIRES names and nobody knows counts as down.
        """
        if self._lifecycle.draining:
            return Readiness(down=(SHUTDOWN,))
        schema, failing = await asyncio.gather(self._schema(), self._failing())
        known = {DATABASE, MIGRATIONS, *(probe.name for probe in self._others)}
        required = [name for name in failing if name in self._required]
        return Readiness(
            down=(*schema, *required, *sorted(self._required - known)),
            degraded=tuple(name for name in failing if name not in self._required),
        )

    async def database(self) -> State:
        """Say whether the database answers."""
        return await self._database.state()

    async def cache(self) -> State | None:
        """Say whether the cache's server answers; None where the cache is in memory."""
        probe = next((probe for probe in self._others if probe.name in CACHES), None)
        return None if probe is None else await probe.state()

    async def _failing(self) -> list[str]:
        states = await asyncio.gather(*(probe.state() for probe in self._others))
        return [p.name for p, state in zip(self._others, states, strict=True) if not state.up]

    async def _schema(self) -> tuple[str, ...]:
        """Name what is down of the database; its schema can be asked for only where it is up."""
        if not (await self._database.state()).up:
            return (DATABASE,)
        return () if (await self._migrations.state()).up else (MIGRATIONS,)


class _Schema:
    """Looks whether migrations are pending. A running process never falls behind again."""

    def __init__(self, runner: MigrationRunner) -> None:
        self._runner = runner
        self._current = False

    async def look(self) -> None:
        if self._current:
            return
        if await self._pending():
            raise SchemaBehindError
        self._current = True

    async def _pending(self) -> list[str]:
        try:
            return await self._runner.pending()
        except MigrationError:
            # A newer version has migrated it, as in the middle of a roll-out: not behind.
            return []


def health_of(ports: Ports) -> Health:
    """Make the port from the database, the migrations and the features' own checks."""
    settings, database = ports[Settings], ports[Database]
    required = settings[HealthSettings].READINESS_REQUIRES
    checks = [check for feature in ports[Registry].features for check in feature.health]

    async def ping() -> None:
        await database.ping(timeout=LIMIT)

    return Health(
        database=Probe(DATABASE, ping),
        migrations=Probe(MIGRATIONS, _Schema(ports[MigrationRunner]).look),
        others=[_probe_of(check, ports) for check in checks],
        required={*required, *(check.name for check in checks if check.critical)},
        lifecycle=ports[Lifecycle],
        version=settings[ApplicationSettings].VERSION,
    )


def _probe_of(check: HealthCheck, ports: Ports) -> Probe:
    async def look() -> None:
        await check.probe(ports)

    return Probe(check.name, look)

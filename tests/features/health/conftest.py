"""The health paths over parts that a test breaks and mends."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from mainstay.app import create_app
from mainstay.core.alembic import MigrationRunner
from mainstay.core.assembly import Lifecycle, assembly_of
from mainstay.core.db.engine import Database
from mainstay.core.feature import Feature, HealthCheck
from mainstay.features import BUILT_IN
from mainstay.features.health import probe

if TYPE_CHECKING:
    from collections.abc import Callable


class Parts:
    """What the application stands on. ``faults`` are what the named parts raise when asked."""

    def __init__(self) -> None:
        self.faults: dict[str, Exception] = {}
        self.pending: list[str] = []
        self.asked_for_pending = 0
        self.hanging: set[str] = set()
        self.lifecycle = Lifecycle()

    def check(self, name: str, *, critical: bool) -> HealthCheck:
        return HealthCheck(name=name, probe=lambda _: self._ask(name), critical=critical)

    async def look_for_pending(self) -> list[str]:
        self.asked_for_pending += 1
        await self._ask("migrations")
        return self.pending

    async def ping(self, **_: float) -> None:
        await self._ask("database")

    async def _ask(self, name: str) -> None:
        if name in self.hanging:
            await asyncio.sleep(60)
        if name in self.faults:
            raise self.faults[name]


class Backend:
    """An application of nothing but the health paths."""

    def __init__(self, *, others: dict[str, bool], **settings: Any) -> None:
        self.parts = parts = Parts()
        checks = tuple(parts.check(name, critical=critical) for name, critical in others.items())
        self.app = create_app(
            [Feature(name="other", health=checks)],
            disable=set(BUILT_IN) - {"health"},
            environ={
                "SECRET_KEY": "p9Zx4Lr7Qm2Vt8Wn5Bk3Hs6Jd1Fg0Cy-XaUeIoTb",
                "VERSION": "7.8.9",
                **settings,
            },
            env_file=Path(os.devnull),
        )
        ports = assembly_of(self.app).ports
        ports.add(Database, parts)  # type: ignore[arg-type]
        runner = SimpleNamespace(pending=parts.look_for_pending)
        ports.add(MigrationRunner, runner)  # type: ignore[arg-type]
        ports.add(Lifecycle, parts.lifecycle)

    def get(self, path: str, method: str = "GET") -> httpx2.Response:
        async def run() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=self.app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://t") as client:
                return await client.request(method, path)

        return asyncio.run(run())


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Backend]:
    """Make a backend whose answers do not stand, so that a change shows at once."""
    monkeypatch.setattr(probe, "KEEP", 0.0)

    def make(*, others: dict[str, bool] | None = None, **settings: Any) -> Backend:
        return Backend(others=others or {}, **settings)

    return make

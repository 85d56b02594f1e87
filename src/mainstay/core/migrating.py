"""Bringing the database up: the schema first, then rows that mirror what the code declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainstay.core.alembic import MigrationRunner

if TYPE_CHECKING:
    from mainstay.core.assembly import Assembly


async def migrate(assembly: Assembly, revision: str = "head") -> list[str]:
    """Apply pending migrations and synchronise declared rows, under one lock.

    Gives the revisions that were applied.
    """

    async def synchronise() -> None:
        async with assembly.units.transaction() as session:
            for feature in assembly.registry.features:
                if feature.after_migrate is not None:
                    await feature.after_migrate(session, assembly.ports)

    runner = assembly.ports[MigrationRunner]
    return await runner.upgrade(revision, after=synchronise if revision == "head" else None)

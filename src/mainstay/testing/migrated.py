"""Bringing a test's database to the newest schema."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mainstay.app import create_app
from mainstay.core.assembly import assembly_of
from mainstay.core.feature import Feature
from mainstay.core.migrating import migrate
from mainstay.testing.backend import environment


def migrate_url(url: str, features: Sequence[Feature | str] = ()) -> None:
    """Apply all migrations to the database at this URL, and synchronise what code declares."""
    with tempfile.TemporaryDirectory() as folder:
        environ = environment(DATABASE_URL=url, DATA_DIR=folder)
        app = create_app(features=features, environ=environ, env_file=Path(folder, ".env"))
        assembly = assembly_of(app)

        async def work() -> None:
            try:
                await migrate(assembly)
            finally:
                await assembly.database.dispose()

        asyncio.run(work())

"""Bringing a test's database to the newest schema."""

from __future__ import annotations

import asyncio
import tempfile

from mainstay.app import create_app
from mainstay.core.assembly import assembly_of
from mainstay.core.migrating import migrate
from mainstay.testing.backend import environment


def migrate_url(url: str) -> None:
    """Apply all migrations to the database at this URL, and synchronise what code declares."""
    with tempfile.TemporaryDirectory() as folder:
        environ = environment(DATABASE_URL=url, DATA_DIR=folder)
        assembly = assembly_of(create_app(environ=environ))

        async def work() -> None:
            try:
                await migrate(assembly)
            finally:
                await assembly.database.dispose()

        asyncio.run(work())

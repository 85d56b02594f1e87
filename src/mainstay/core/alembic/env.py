"""What the ``env.py`` of a project calls, so that Alembic's own commands work as typed.

They act on the project's own history, after the package's has been brought to head::

    from mainstay.core.alembic.env import run_env
    from shop.main import database

    run_env(database)
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

from alembic import context
from alembic.runtime.environment import EnvironmentContext
from sqlalchemy import MetaData
from sqlalchemy.engine import Connection

from mainstay.core.alembic.comparing import Comparison, known_metadata, merged
from mainstay.core.alembic.histories import History, package_history, project_history
from mainstay.core.alembic.locking import locked
from mainstay.core.alembic.runner import MigrationRunner
from mainstay.core.alembic.running import Run
from mainstay.core.db.engine import Database


def run_env(
    database: Database,
    *,
    histories: Sequence[History] | None = None,
    metadata: Sequence[MetaData] | None = None,
) -> None:
    """Do what the Alembic command at hand asks for; ``histories`` are those to be at head first.

    The models must be imported before; SQLModel's are found too.
    """
    before = [package_history()] if histories is None else list(histories)
    own = project_history(Path(context.script.dir))
    known = merged(known_metadata() if metadata is None else metadata)
    comparison = Comparison(history=own, metadata=known, others=before)
    if context.is_offline_mode():
        _write_sql(database, comparison)
        return
    runner = MigrationRunner(database, before, metadata=[known])

    def work(connection: Connection) -> None:
        run = Run(own, cast("EnvironmentContext", context), comparison)
        run.configure(connection, None)
        if not context.get_context().opts.get("dont_mutate"):
            runner.upgrade_on(connection)
        run.migrate(connection)

    async def connect() -> None:
        async with locked(database) as connection:
            await connection.run_sync(work)

    # In a thread, as a program may call Alembic's commands from inside an event loop.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, connect()).result()


def _write_sql(database: Database, comparison: Comparison) -> None:
    """Print the SQL instead of running it (``--sql``)."""
    context.configure(
        dialect_name=database.engine.dialect.name,
        literal_binds=True,
        version_table=comparison.history.version_table,
        transaction_per_migration=True,
        **comparison.options(),
    )
    with context.begin_transaction():
        context.run_migrations()

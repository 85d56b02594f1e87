"""A process that is killed while it migrates leaves nothing that the next one cannot finish."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Column, Index, MetaData, String, Table, inspect, text

from mainstay.core.alembic import History, MigrationRunner
from mainstay.core.db.base import Base
from mainstay.core.db.types import Id

pytestmark = pytest.mark.anyio
TABLES = 12
ROUNDS = 3
CREATE = """
    op.create_table(
        "table_{n}",
        sa.Column("id", Id(), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_table_{n}")),
        if_not_exists=True,
    )
    op.create_index("ix_table_{n}_name", "table_{n}", ["name"], if_not_exists=True)
"""
CHILD = """
import asyncio, sys
from pathlib import Path
from sqlalchemy import MetaData
from mainstay.core.alembic import History, MigrationRunner
from mainstay.core.db.engine import Database
from mainstay.core.db.settings import DatabaseSettings

url, folder = sys.argv[1:]
history = History(name="mainstay", folder=Path(folder), version_table="mainstay_version",
                  owner="mainstay", numbered=True)
database = Database(DatabaseSettings(DATABASE_URL=url))
runner = MigrationRunner(database, [history], metadata=[MetaData()])
print("begins", flush=True)
asyncio.run(runner.upgrade())
print("done", flush=True)
"""


@pytest.fixture
def long_history(tmp_path: Path, add_revisions) -> History:
    folder = tmp_path / "long"
    add_revisions(
        folder,
        [(f"{n:04d}", f"Table {n}", CREATE.format(n=n), "    pass") for n in range(1, TABLES + 1)],
    )
    return History(
        name="mainstay",
        folder=folder,
        version_table="mainstay_version",
        owner="mainstay",
        numbered=True,
    )


def long_models() -> MetaData:
    metadata = MetaData(naming_convention=Base.metadata.naming_convention)
    for n in range(1, TABLES + 1):
        table = Table(
            f"table_{n}",
            metadata,
            Column("id", Id(), primary_key=True),
            Column("name", String(20)),
            info={"owner": "mainstay"},
        )
        Index(f"ix_table_{n}_name", table.c.name)
    return metadata


def _start(url: str, history: History) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, url, str(history.folder)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "begins\n"
    return child


def _end(child: subprocess.Popen[str]) -> str:
    out, _ = child.communicate(timeout=60)
    return out


async def test_a_killed_upgrade_can_be_repeated(database_url, long_history, database):
    chance = random.Random(database_url)
    for _ in range(ROUNDS):
        child = _start(database_url, long_history)
        await asyncio.sleep(chance.uniform(0, 0.25))
        child.kill()
        _end(child)
    runner = MigrationRunner(database, [long_history], metadata=[long_models()])
    await runner.upgrade()
    assert await runner.pending() == []
    assert await runner.check() == []
    async with database.engine.connect() as connection:
        tables = await connection.run_sync(lambda c: inspect(c).get_table_names())
        versions = await connection.scalars(text("SELECT version_num FROM mainstay_version"))
    assert len(tables) == TABLES + 1
    assert versions.all() == [f"{TABLES:04d}"]


async def test_processes_that_start_together_wait_for_each_other(
    database_url, long_history, database
):
    children = [_start(database_url, long_history) for _ in range(3)]
    assert [_end(child) for child in children] == ["done\n"] * 3
    assert [child.returncode for child in children] == [0] * 3
    runner = MigrationRunner(database, [long_history], metadata=[long_models()])
    assert await runner.pending() == []
    assert await runner.check() == []

"""Alembic's own commands in a project's folder."""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect

from mainstay.core.db.engine import Database
from mainstay.core.db.settings import DatabaseSettings

pytestmark = pytest.mark.anyio
ENV = """
import pathlib
from sqlalchemy import Column, ForeignKey, MetaData, String, Table
from mainstay.core.alembic import History
from mainstay.core.alembic.env import run_env
from mainstay.core.db import Id
from mainstay.core.db.engine import Database
from mainstay.core.db.settings import DatabaseSettings

package = MetaData()
for name in ("makers", "things"):
    Table(name, package, Column("id", Id(), primary_key=True), info={{"owner": "mainstay"}})
shop = MetaData()
Table("orders", shop, Column("id", Id(), primary_key=True), Column("note", String(20)),
      Column("maker_id", Id(), ForeignKey("makers.id"), index=True))
history = History(name="mainstay", folder=pathlib.Path({folder!r}), owner="mainstay",
                  version_table="mainstay_version", numbered=True)
database = Database(DatabaseSettings(DATABASE_URL={url!r}))
run_env(database, histories=[history], metadata=[package, shop])
"""
MAKO = Path(__file__).parents[3] / "src/mainstay/core/alembic/script.py.mako"


@pytest.fixture
def config(tmp_path, package, database_url) -> Config:
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ENV.format(folder=str(package.folder), url=database_url))
    (folder / "script.py.mako").write_text(MAKO.read_text())
    config = Config(stdout=io.StringIO(), output_buffer=io.StringIO())
    config.set_main_option("script_location", str(folder))
    return config


async def _tables(database: Database) -> set[str]:
    async with database.engine.connect() as connection:
        return set(await connection.run_sync(lambda c: inspect(c).get_table_names()))


def _source(script) -> str:
    return Path(script.path).read_text()


PACKAGE = {"makers", "things", "mainstay_version"}


async def test_the_commands_as_typed(config, database):
    command.upgrade(config, "head")
    assert await _tables(database) == PACKAGE | {"alembic_version"}
    script = command.revision(config, "Create orders", autogenerate=True)
    assert re.findall(r"create_table\(\s*['\"](\w+)", _source(script)) == ["orders"]
    command.upgrade(config, "head")
    assert await _tables(database) == PACKAGE | {"alembic_version", "orders"}
    command.current(config)
    assert script.revision in config.stdout.getvalue()
    assert command.revision(config, "Nothing", autogenerate=True) in ([], None)
    command.check(config)
    command.downgrade(config, "-1")
    assert await _tables(database) == PACKAGE | {"alembic_version"}
    command.upgrade(config, "head")
    command.downgrade(config, "base")
    assert await _tables(database) == PACKAGE | {"alembic_version"}


async def test_to_look_changes_nothing(config, database):
    command.current(config)
    assert await _tables(database) == set()


async def test_an_empty_revision_stays_one(config):
    script = command.revision(config, "Fill the shelves")
    assert "pass" in _source(script)


async def test_sql_is_written_instead_of_run(config, database):
    command.upgrade(config, "head")
    command.revision(config, "Create orders", autogenerate=True)
    command.upgrade(config, "head", sql=True)
    assert "CREATE TABLE" in config.output_buffer.getvalue()
    assert "orders" not in await _tables(database)


async def test_it_works_where_a_loop_runs_and_where_none_does(config, database_url):
    await asyncio.to_thread(command.upgrade, config, "head")
    command.upgrade(config, "head")
    database = Database(DatabaseSettings(DATABASE_URL=database_url))
    assert await _tables(database) == PACKAGE | {"alembic_version"}
    await database.dispose()

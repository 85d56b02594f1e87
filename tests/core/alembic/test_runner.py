from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    inspect,
    text,
)
from sqlalchemy.exc import IntegrityError

from mainstay.core.alembic import MigrationError, MigrationRunner, package_history
from mainstay.core.db.engine import Database
from mainstay.core.db.settings import DatabaseSettings
from mainstay.core.db.types import Id, JsonDocument, Timestamp
from mainstay.kit.ids import new_id

pytestmark = pytest.mark.anyio
ALL = ["0001", "0002", "0003"]


async def _tables(database: Database) -> set[str]:
    async with database.engine.connect() as connection:
        return set(await connection.run_sync(lambda c: inspect(c).get_table_names()))


async def test_an_empty_database_is_brought_to_head(database, package, runner_of):
    runner = runner_of(package)
    assert await runner.pending() == ALL
    assert await runner.upgrade() == ALL
    assert await _tables(database) == {"makers", "things", "mainstay_version"}
    assert await runner.current() == {"mainstay": ("0003",)}
    assert await runner.pending() == []


async def test_a_second_upgrade_has_nothing_to_do(package, runner_of):
    runner = runner_of(package)
    await runner.upgrade()
    assert await runner.upgrade() == []


async def test_one_step_at_a_time(package, runner_of):
    runner = runner_of(package)
    assert await runner.upgrade("0001") == ["0001"]
    assert await runner.pending() == ["0002", "0003"]
    assert await runner.upgrade("+1") == ["0002"]
    assert await runner.downgrade("-1") == ["0002"]
    assert await runner.current() == {"mainstay": ("0001",)}


async def test_down_to_nothing_and_up_again(database, package, runner_of):
    runner = runner_of(package)
    await runner.upgrade()
    assert await runner.downgrade("base") == ALL[::-1]
    assert await _tables(database) == {"mainstay_version"}
    assert await runner.upgrade() == ALL


async def test_revisions_are_told_in_order(package, runner_of):
    runner = runner_of(package)
    await runner.upgrade("0002")
    found = await runner.revisions()
    assert [(each.id, each.applied) for each in found] == [
        ("0001", True),
        ("0002", True),
        ("0003", False),
    ]
    assert str(found[2]) == "0003 Add makers.label"


async def test_what_follows_runs_under_the_lock_even_if_nothing_was_to_do(
    package, runner_of, database
):
    runner = runner_of(package)
    seen = []

    async def after():
        async with database.transaction() as session:
            seen.append(await session.scalar(text("SELECT count(*) FROM makers")))

    await runner.upgrade(after=after)
    await runner.upgrade(after=after)
    assert seen == [0, 0]


async def test_many_at_once_apply_each_revision_once(database_url, models, package):
    databases = [Database(DatabaseSettings(DATABASE_URL=database_url)) for _ in range(4)]
    inside = []

    async def after():
        inside.append("in")
        await asyncio.sleep(0.02)
        assert inside.pop() == "in"
        assert inside == []

    runners = [MigrationRunner(each, [package], metadata=[models]) for each in databases]
    applied = await asyncio.gather(*(runner.upgrade(after=after) for runner in runners))
    assert sorted(applied) == [[], [], [], ALL]
    for each in databases:
        await each.dispose()


async def test_an_unknown_revision_is_told(package, runner_of):
    with pytest.raises(MigrationError, match="'0099'"):
        await runner_of(package).upgrade("0099")
    with pytest.raises(MigrationError, match="no history 'shop'"):
        await runner_of(package).upgrade(history="shop")


async def test_a_database_of_a_newer_version_is_told(database, package, runner_of):
    await runner_of(package).upgrade()
    async with database.transaction() as session:
        await session.execute(text("UPDATE mainstay_version SET version_num = '0042'"))
    with pytest.raises(MigrationError, match=r"at 0042 of mainstay.* newer version"):
        await runner_of(package).pending()


BROKEN = """
    op.create_table("half", sa.Column("id", sa.Integer(), primary_key=True), if_not_exists=True)
    op.execute("INSERT INTO half (id) VALUES (1), (1)")
"""


async def test_a_failing_revision_leaves_the_one_before(
    database, database_kind, package, runner_of, add_revisions
):
    add_revisions(package.folder, [("0004", "Fail", BROKEN, "    pass")], before="0003")
    runner = runner_of(package)
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        await runner.upgrade()
    assert await runner.current() == {"mainstay": ("0003",)}
    if database_kind != "mariadb":
        assert "half" not in await _tables(database)


async def test_a_failing_revision_frees_the_lock(package, runner_of, add_revisions):
    add_revisions(package.folder, [("0004", "Fail", BROKEN, "    pass")], before="0003")
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        await runner_of(package).upgrade()
    async with asyncio.timeout(20):
        assert await runner_of(package).upgrade("0003") == []


REMADE = """
    with op.batch_alter_table("makers", recreate="always") as batch:
        batch.alter_column("name", type_=sa.String(90))
"""


async def _fill(database: Database) -> None:
    maker, thing = new_id(), new_id()
    async with database.transaction() as session:
        moment = "'2026-01-31 09:30:00'"
        for statement in (
            f"INSERT INTO makers (id, name, created_at) VALUES ('{maker}', 'A', {moment})",
            f"INSERT INTO things (id, maker_id) VALUES ('{thing}', '{maker}')",
        ):
            await session.execute(text(statement))


async def test_a_table_made_anew_keeps_the_rows_that_refer_to_it(
    sqlite_database, models, package, add_revisions
):
    await MigrationRunner(sqlite_database, [package], metadata=[models]).upgrade()
    await _fill(sqlite_database)
    add_revisions(package.folder, [("0004", "Longer names", REMADE, "    pass")], before="0003")
    runner = MigrationRunner(sqlite_database, [package], metadata=[models])
    assert await runner.upgrade() == ["0004"]
    async with sqlite_database.transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM things")) == 1
        with pytest.raises(IntegrityError, match="FOREIGN KEY"):
            await session.execute(text(f"UPDATE things SET maker_id = '{new_id()}'"))


ORPHANS = """
    op.execute("DELETE FROM makers")
"""


async def test_sqlite_refuses_a_revision_that_leaves_rows_without_what_they_refer_to(
    sqlite_database, models, package, add_revisions
):
    runner = MigrationRunner(sqlite_database, [package], metadata=[models])
    await runner.upgrade()
    await _fill(sqlite_database)
    add_revisions(package.folder, [("0004", "Forget", ORPHANS, "    pass")], before="0003")
    again = MigrationRunner(sqlite_database, [package], metadata=[models])
    with pytest.raises(MigrationError, match=r"0004 leaves rows .* things"):
        await again.upgrade()
    async with sqlite_database.transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM makers")) == 1


@pytest.fixture
async def sqlite_database(tmp_path):
    database = Database(DatabaseSettings(DATABASE_URL=f"sqlite:///{tmp_path}/own.db"))
    yield database
    await database.dispose()


async def test_models_that_agree_have_no_differences(package, runner_of):
    runner = runner_of(package)
    await runner.upgrade()
    assert await runner.check() == []


async def test_differences_are_told_in_words(package, runner_of, models):
    runner = runner_of(package)
    await runner.upgrade()
    models.tables["makers"].append_column(Column("colour", String(20)))
    Table("boxes", models, Column("id", Id(), primary_key=True), info={"owner": "mainstay"})
    assert await runner.check() == ["makers.colour is new", "table boxes is new"]


async def test_a_foreign_table_is_no_difference_for_the_package(database, package, runner_of):
    runner = runner_of(package)
    await runner.upgrade()
    async with database.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE of_another (id INTEGER)"))
    assert await runner.check() == []


async def test_a_feature_that_is_off_is_no_difference(package, project, database, models):
    runner = MigrationRunner(database, [package, project], metadata=[models])
    await runner.upgrade()
    models.remove(models.tables["things"])
    assert await runner.check() == []
    assert await runner.write_revision("Nothing") is None


def shop_models(package_models: MetaData) -> MetaData:
    """A project's own models, apart from the package's, as SQLModel's are."""
    metadata = MetaData(naming_convention=package_models.naming_convention)
    Table(
        "orders",
        metadata,
        Column("id", Id(), primary_key=True),
        Column("maker_id", Id(), ForeignKey("makers.id"), index=True),
        Column("note", Text()),
        Column("code", String(36), unique=True),
        Column("count", Integer(), nullable=False),
        Column("small", SmallInteger()),
        Column("price", Numeric(10, 2)),
        Column("open", Boolean(), nullable=False),
        Column("scan", LargeBinary()),
        Column("big_scan", LargeBinary(2**24)),
        Column("small_scan", LargeBinary(200)),
        Column("data", JsonDocument()),
        Column("at", Timestamp()),
    )
    return metadata


async def test_a_projects_history_builds_on_the_packages(database, package, project, models):
    both = [models, shop_models(models)]
    runner = MigrationRunner(database, [package, project], metadata=both)
    assert await runner.upgrade() == ALL
    assert await runner.check() == ["index ix_orders_maker_id is new", "table orders is new"]
    file = await runner.write_revision("Create orders")
    assert file is not None
    assert file.name == "0001_create_orders.py"
    source = file.read_text()
    assert "makers" not in source.replace("makers.id", "").replace("_makers", "")
    assert "\n\nfrom mainstay.core import db\n\nrevision = " in source
    assert source.count("if_not_exists=True") == 2
    assert await runner.upgrade() == ["0001_create_orders"]
    assert await runner.check() == []
    assert await runner.write_revision("Nothing") is None
    assert await runner.current() == {"mainstay": ("0003",), "project": ("0001_create_orders",)}
    assert await runner.downgrade("base") == ["0001_create_orders"]
    assert await runner.current() == {"mainstay": ("0003",), "project": ()}
    assert await runner.upgrade() == ["0001_create_orders"]


async def test_a_column_is_added_and_taken_away(database, package, project, models):
    own = shop_models(models)
    runner = MigrationRunner(database, [package, project], metadata=[models, own])
    await runner.upgrade()
    await runner.write_revision("Create orders")
    await runner.upgrade()
    own.tables["orders"].append_column(Column("colour", String(20)))
    assert (await runner.write_revision("Add colour")).name == "0002_add_colour.py"
    assert await runner.upgrade() == ["0002_add_colour"]
    assert await runner.check() == []
    assert await runner.downgrade("-1") == ["0002_add_colour"]
    assert await runner.check() == ["orders.colour is new"]


async def test_an_empty_revision_can_be_written_by_hand(database, package, project, models):
    runner = MigrationRunner(database, [package, project], metadata=[models])
    file = await runner.write_revision("Fill the shelves", autogenerate=False)
    assert "def upgrade() -> None:" in file.read_text()
    assert await runner.upgrade() == [*ALL, "0001_fill_the_shelves"]


async def test_nothing_is_compared_while_revisions_are_pending(package, runner_of):
    with pytest.raises(MigrationError, match="0001, 0002, 0003"):
        await runner_of(package).write_revision("Too early")


async def test_revisions_of_the_package_are_numbered(package, runner_of, models):
    runner = runner_of(package)
    await runner.upgrade()
    models.tables["makers"].append_column(Column("colour", String(20)))
    file = await runner.write_revision("Add makers.colour")
    assert file.name == "0004_add_makers_colour.py"
    assert "revision = '0004'" in file.read_text()


def test_the_packages_history_is_where_it_should_be():
    history = package_history()
    assert history.folder.name == "migrations"
    assert (history.folder / "versions").is_dir()
    assert history.version_table == "mainstay_version"

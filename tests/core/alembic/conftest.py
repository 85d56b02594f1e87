"""A throw-away history and its models, on every kind of database that answers here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, ForeignKey, Index, MetaData, String, Table

from mainstay.core.alembic import History, MigrationRunner, project_history
from mainstay.core.db.base import Base
from mainstay.core.db.engine import Database
from mainstay.core.db.settings import DatabaseSettings
from mainstay.core.db.types import Id, JsonDocument, Timestamp
from mainstay.testing.databases import KINDS, Kind, fresh_database, is_required, why_unavailable

HEADER = '''"""{message}."""

import sqlalchemy as sa
from alembic import op

from mainstay.core.db import Id, JsonDocument, Timestamp

revision = {revision!r}
down_revision = {before!r}


def upgrade():
{upgrade}


def downgrade():
{downgrade}
'''
MAKERS = """
    op.create_table(
        "makers",
        sa.Column("id", Id(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("data", JsonDocument(), nullable=True),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_makers")),
        sa.UniqueConstraint("name", name=op.f("uq_makers_name")),
        if_not_exists=True,
    )
"""
THINGS = """
    op.create_table(
        "things",
        sa.Column("id", Id(), nullable=False),
        sa.Column("maker_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["maker_id"], ["makers.id"], name=op.f("fk_things_maker_id_makers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_things")),
        if_not_exists=True,
    )
    op.create_index("ix_things_maker_id", "things", ["maker_id"], if_not_exists=True)
"""
LABEL = """
    op.add_column("makers", sa.Column("label", sa.String(20), nullable=True), if_not_exists=True)
"""
REVISIONS = [
    ("0001", "Create makers", MAKERS, '    op.drop_table("makers", if_exists=True)'),
    ("0002", "Create things", THINGS, '    op.drop_table("things", if_exists=True)'),
    ("0003", "Add makers.label", LABEL, '    op.drop_column("makers", "label", if_exists=True)'),
]


def package_models() -> MetaData:
    """The models of the history, as it is at its head."""
    metadata = MetaData(naming_convention=Base.metadata.naming_convention)
    own = {"owner": "mainstay"}
    Table(
        "makers",
        metadata,
        Column("id", Id(), primary_key=True),
        Column("name", String(80), nullable=False, unique=True),
        Column("data", JsonDocument()),
        Column("created_at", Timestamp(), nullable=False),
        Column("label", String(20)),
        info=own,
    )
    things = Table(
        "things",
        metadata,
        Column("id", Id(), primary_key=True),
        Column("maker_id", Id(), ForeignKey("makers.id", ondelete="CASCADE"), nullable=False),
        info=own,
    )
    Index("ix_things_maker_id", things.c.maker_id)
    return metadata


def write(
    folder: Path, revisions: list[tuple[str, str, str, str]], before: str | None = None
) -> None:
    """Write revisions that follow each other."""
    versions = folder / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    for name, message, upgrade, downgrade in revisions:
        text = HEADER.format(
            message=message, revision=name, before=before, upgrade=upgrade, downgrade=downgrade
        )
        (versions / f"{name}.py").write_text(text)
        before = name


@pytest.fixture
def package(tmp_path: Path) -> History:
    """A history of three revisions that stands for the package's."""
    folder = tmp_path / "package"
    write(folder, REVISIONS)
    return History(
        name="mainstay",
        folder=folder,
        version_table="mainstay_version",
        owner="mainstay",
        numbered=True,
    )


@pytest.fixture
def project(tmp_path: Path) -> History:
    """A project's history, empty yet."""
    (tmp_path / "project" / "versions").mkdir(parents=True)
    return project_history(tmp_path / "project")


@pytest.fixture(params=KINDS)
def database_kind(request: pytest.FixtureRequest) -> Kind:
    reason = why_unavailable(request.param)
    if reason is not None:
        (pytest.fail if is_required(request.param) else pytest.skip)(reason)
    return request.param


@pytest.fixture
def database_url(database_kind: Kind) -> Iterator[str]:
    with fresh_database(database_kind) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(DatabaseSettings(DATABASE_URL=database_url))
    yield opened
    await opened.dispose()


@pytest.fixture
def models() -> MetaData:
    return package_models()


@pytest.fixture
def runner_of(database: Database, models: MetaData) -> Callable[..., MigrationRunner]:
    """Make a runner over some histories."""
    return lambda *histories: MigrationRunner(database, histories, metadata=[models])


@pytest.fixture
def add_revisions() -> Callable[..., None]:
    return write

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    MetaData,
    String,
    Table,
    inspect,
    select,
)
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Mapped, configure_mappers, mapped_column, relationship, selectinload

from mainstay.core.db.base import Base, BaseModel, Id, owner_of
from mainstay.core.db.engine import Database
from mainstay.kit.clock import replaced
from mainstay.kit.ids import is_id

pytestmark = pytest.mark.anyio
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Local(BaseModel):
    """Tables of this module alone."""

    __abstract__ = True
    metadata = MetaData(naming_convention=Base.metadata.naming_convention)


class SampleShelf(Local):
    __tablename__ = "shelves"
    __table_args__ = (
        CheckConstraint("name <> ''"),
        CheckConstraint("name <> '?'", name="known"),
    )

    name: Mapped[str] = mapped_column(String(80), unique=True)
    label: Mapped[str | None]
    data: Mapped[dict[str, Any] | None]
    books: Mapped[list[SampleBook]] = relationship(back_populates="shelf")


class SampleBook(Local):
    __tablename__ = "books"
    owner = "shop"

    title: Mapped[str]
    shelf_id: Mapped[str] = mapped_column(ForeignKey("shelves.id"), index=True)
    shelf: Mapped[SampleShelf] = relationship(back_populates="books")
    same_shelf: Mapped[SampleShelf] = relationship(lazy=True, viewonly=True)


@pytest.fixture
async def db(database: Database) -> Database:
    async with database.engine.begin() as connection:
        await connection.run_sync(Local.metadata.create_all)
    return database


async def test_a_row_gets_id_and_times_by_itself(db):
    with replaced(lambda: NOON):
        async with db.transaction() as session:
            shelf = SampleShelf(name="A")
            session.add(shelf)
    assert is_id(shelf.id)
    assert shelf.created_at == shelf.updated_at == NOON
    async with db.session(write=False) as session:
        again = await session.get(SampleShelf, shelf.id)
        assert (again.id, again.created_at, again.updated_at) == (shelf.id, NOON, NOON)


async def test_created_and_updated_are_one_moment_without_a_set_clock(db):
    async with db.transaction() as session:
        shelves = [SampleShelf(name=str(n)) for n in range(20)]
        session.add_all(shelves)
    assert all(shelf.created_at == shelf.updated_at for shelf in shelves)


async def test_an_update_moves_updated_at_only(db):
    with replaced(lambda: NOON):
        async with db.transaction() as session:
            shelf = SampleShelf(name="A")
            session.add(shelf)
    with replaced(lambda: NOON + timedelta(hours=1)):
        async with db.transaction() as session:
            found = await session.get(SampleShelf, shelf.id)
            found.name = "B"
    assert found.created_at == NOON
    assert found.updated_at == NOON + timedelta(hours=1)


async def test_relationships_are_loaded_only_when_asked_for(db):
    async with db.transaction() as session:
        shelf = SampleShelf(name="A")
        session.add(shelf)
        await session.flush()
        session.add(SampleBook(title="T", shelf_id=shelf.id))
    async with db.session(write=False) as session:
        found = (await session.scalars(select(SampleShelf))).one()
        with pytest.raises(InvalidRequestError, match="lazy='raise'"):
            found.books  # noqa: B018
        book = (await session.scalars(select(SampleBook))).one()
        with pytest.raises(InvalidRequestError, match="lazy='raise'"):
            book.shelf  # noqa: B018
    async with db.session(write=False) as session:
        loaded = (
            await session.scalars(select(SampleShelf).options(selectinload(SampleShelf.books)))
        ).one()
        assert [each.title for each in loaded.books] == ["T"]


def test_only_what_says_so_is_loaded_lazily():
    configure_mappers()
    assert SampleShelf.books.property.lazy == "raise"
    assert SampleBook.same_shelf.property.lazy is True


async def test_constraints_have_the_same_names_everywhere(db, database_kind):
    def names(connection):
        tables = inspect(connection)
        found = {
            "pk": tables.get_pk_constraint("books")["name"],
            "fk": [key["name"] for key in tables.get_foreign_keys("books")],
            "uq": [key["name"] for key in tables.get_unique_constraints("shelves")],
            "ix": [key["name"] for key in tables.get_indexes("books")],
            "ck": sorted(key["name"] for key in tables.get_check_constraints("shelves")),
        }
        found["ck"] = [name for name in found["ck"] if name != "data"]
        return found

    async with db.engine.connect() as connection:
        found = await connection.run_sync(names)
    if database_kind == "mariadb":
        assert found.pop("pk") is None
    else:
        assert found.pop("pk") == "pk_books"
    assert found == {
        "fk": ["fk_books_shelf_id_shelves"],
        "uq": ["uq_shelves_name"],
        "ix": ["ix_books_shelf_id"],
        "ck": ["ck_shelves_9e23d2da", "ck_shelves_known"],
    }


async def test_text_compares_exactly_in_any_table(db):
    """Also in one that a migration makes by hand, without any option."""
    plain = Table("plain", MetaData(), Column("name", String(80), unique=True))
    async with db.engine.begin() as connection:
        await connection.run_sync(plain.metadata.create_all)
        for word in ("straße", "strasse", "Straße", "e", "é", "E"):
            await connection.execute(plain.insert().values(name=word))
        for word in ("strasse", "e"):
            found = await connection.scalars(select(plain.c.name).where(plain.c.name == word))
            assert found.all() == [word]


def test_the_owner_of_a_table():
    assert owner_of(SampleBook.__table__) == "shop"
    assert owner_of(SampleShelf.__table__) == "project"
    assert owner_of(Table("loose", MetaData())) == "project"


def test_tables_of_the_package_are_its_own():
    members = {
        "__module__": "mainstay.features.parts",
        "__tablename__": "parts_of_the_package",
        "metadata": MetaData(),
        "id": mapped_column(Id(), primary_key=True),
    }
    part = type("PartOfThePackage", (Base,), members)
    assert owner_of(part.__table__) == "mainstay"


def test_a_column_or_relationship_may_be_called_owner():
    class Thing(Local):
        __tablename__ = "owned_things"

        owner: Mapped[str]

    assert owner_of(Thing.__table__) == "project"

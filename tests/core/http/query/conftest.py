"""A database of each kind, and a shop's tables to list from."""

from __future__ import annotations

import asyncio
import enum
import os
import secrets
import uuid
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeDecorator

from mainstay.core.db import base
from mainstay.core.http.query import EXACT, NULL, RANGE, TEXT, ListField, ListSpec

T = TypeVar("T")

_SERVERS = {
    "postgresql": "postgresql+asyncpg://postgres@127.0.0.1:5432",
    "mariadb": "mysql+asyncmy://root@127.0.0.1:3306",
}
_HOME = {"postgresql": "postgres", "mariadb": "mysql"}
_CREATE = {
    "postgresql": 'CREATE DATABASE "{}"',
    # The default of most servers, and blind to case and trailing spaces.
    "mariadb": "CREATE DATABASE `{}` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
}
_DROP = {"postgresql": 'DROP DATABASE "{}" WITH (FORCE)', "mariadb": "DROP DATABASE `{}`"}


class Database:
    """An open connection to a database of its own; ``run`` undoes what was done."""

    def __init__(self, kind: str, url: str) -> None:
        self.kind = kind
        self._runner = asyncio.Runner()
        self.engine = create_async_engine(url)

    def run(self, work: Callable[[AsyncConnection], Awaitable[T]], *, keep: bool = False) -> T:
        async def in_transaction() -> T:
            async with self.engine.connect() as connection:
                result = await work(connection)
                if keep:
                    await connection.commit()
                return result

        return self._runner.run(in_transaction())

    def close(self) -> None:
        self._runner.run(self.engine.dispose())
        self._runner.close()


def _administer(kind: str, statement: str) -> None:
    async def work() -> None:
        engine = create_async_engine(
            f"{_SERVERS[kind]}/{_HOME[kind]}", poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )
        async with engine.connect() as connection:
            await connection.execute(sa.text(statement))

    asyncio.run(work())


def _unreachable(kind: str, error: Exception) -> None:
    required = os.environ.get("MAINSTAY_TEST_REQUIRE", "").split(",")
    if kind in required:
        pytest.fail(f"{kind} is required and cannot be reached: {error}")
    pytest.skip(f"{kind} cannot be reached")


@pytest.fixture(scope="session", params=["sqlite", "postgresql", "mariadb"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    kind: str = request.param
    name = f"mainstay_query_{secrets.token_hex(6)}"
    if kind == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('query') / name}.db"
    else:
        try:
            _administer(kind, _CREATE[kind].format(name))
        except (OSError, sa.exc.DBAPIError) as error:
            _unreachable(kind, error)
        url = f"{_SERVERS[kind]}/{name}"
    opened = Database(kind, url)
    try:
        opened.run(lambda connection: connection.run_sync(metadata.create_all), keep=True)
        opened.run(_fill, keep=True)
        yield opened
    finally:
        opened.close()
        if kind != "sqlite":
            _administer(kind, _DROP[kind].format(name))


class State(enum.Enum):
    DRAFT = "draft"
    ON_SALE = "on_sale"
    GONE = "gone"


class Amount(TypeDecorator[Decimal]):
    """A decimal of six places; SQLite, which has none, keeps it as an integer."""

    impl = sa.Numeric(20, 6)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        return sa.BigInteger() if dialect.name == "sqlite" else self.impl_instance

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> Any:
        return int(value.scaleb(6)) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return (
            Decimal(value).scaleb(-6) if dialect.name == "sqlite" and value is not None else value
        )


# The house's base also sees to the collation of tables that are made on MariaDB.
metadata = sa.MetaData(naming_convention=base.Base.metadata.naming_convention)
moment = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql")
by_language = (
    sa.String(200)
    .with_variant(postgresql.VARCHAR(200, collation="en-x-icu"), "postgresql")
    .with_variant(mysql.VARCHAR(200, charset="utf8mb4", collation="utf8mb4_general_ci"), "mysql")
)
by_code_point = (
    sa.String(200)
    .with_variant(postgresql.VARCHAR(200, collation="C"), "postgresql")
    .with_variant(mysql.VARCHAR(200, charset="utf8mb4", collation="utf8mb4_nopad_bin"), "mysql")
)
unbounded = sa.String().with_variant(mysql.VARCHAR(255), "mysql")
categories = sa.Table(
    "categories",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("slug", sa.String(50), nullable=False),
)
goods = sa.Table(
    "goods",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("name", by_language),
    sa.Column("code", by_code_point, nullable=False),
    sa.Column("quantity", sa.Integer),
    sa.Column("views", sa.BigInteger, nullable=False),
    sa.Column("price", Amount),
    sa.Column("active", sa.Boolean),
    sa.Column("seen_at", moment),
    sa.Column("day", sa.Date),
    sa.Column("ratio", sa.Double),
    sa.Column("state", sa.String(20)),
    sa.Column("owner_id", sa.Uuid),
    sa.Column("category_id", sa.ForeignKey("categories.id")),
)
notes = sa.Table(
    "notes",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("text", unbounded),
    sa.Column("more", unbounded),
)
listing = sa.select(goods).join(categories, isouter=True)

TEXTS = (
    None,
    "",
    "a",
    "A",
    "b",
    "B",
    "z",
    "z ",
    "Z",
    "zebra",
    "é",
    "É",
    "ä",
    "ß",
    "ẞ",
    "Σίσυφος",
    "%",
    "_",
    "a%b",
    "a_b",
    "a*b",
    "[a]",
    "?",
    "^",
    "]",
    "\\",
    "'",
    "10",
    "9",
    "İx",
    "Жук",
    "жук",
    "\U0001d4b3",
    "\U0001f600",
    "\U0010ffff",
    "a\U0010ffff",
    "\uffff",
    "\ud7ff",
    "Äpfel und Birnen",
    "äPFEL",
)
CATEGORIES = ("books", "Toys", "music")


def _row(number: int) -> dict[str, Any]:
    """Give one of the goods; its fields repeat in cycles of different lengths."""
    texts, start = len(TEXTS), datetime(2024, 2, 29, 23, 59, 59, 999_998, tzinfo=UTC)
    return {
        "id": str(uuid.UUID(int=(7 << 76) | (2 << 62) | (number * 7919 % 1009))),
        "name": TEXTS[number % texts],
        "code": TEXTS[1 + number * 5 % (texts - 1)],
        "quantity": (None, 0, -1, 3, 2**31 - 1)[number % 5],
        "views": (0, 2**63 - 1, -5, 7)[number % 4],
        "price": (None, Decimal("0.100000"), Decimal("-2.5"), Decimal("99999999.999999"))[
            number % 4
        ],
        "active": (None, True, False)[number % 3],
        "seen_at": None if number % 7 == 0 else start + timedelta(microseconds=number % 4),
        "day": None if number % 6 == 0 else date(2024, 1, 1 + number % 6),
        "ratio": (None, 0.1, -1e-9, 1e300, 0.30000000000000004)[number % 5],
        "state": (None, "draft", "on_sale")[number % 3],
        "owner_id": (None, uuid.UUID(int=1), uuid.UUID(int=2**128 - 1))[number % 3],
        "category_id": (None, 1, 2, 3)[number % 4],
    }


ROWS = [_row(number) for number in range(60)]


async def _fill(connection: AsyncConnection) -> None:
    named = [{"id": number, "slug": slug} for number, slug in enumerate(CATEGORIES, start=1)]
    await connection.execute(sa.insert(categories), named)
    await connection.execute(sa.insert(goods), ROWS)


SPEC = ListSpec(
    name="Good",
    fields={
        "id": ListField(column=goods.c.id, operators=EXACT, python_type=uuid.UUID),
        "name": ListField(
            column=goods.c.name, operators=EXACT + RANGE + TEXT + NULL, sort=True, search=True
        ),
        "code": ListField(
            column=goods.c.code, operators=EXACT + RANGE + TEXT, sort=True, search=True
        ),
        "quantity": ListField(column=goods.c.quantity, operators=EXACT + RANGE + NULL, sort=True),
        "views": ListField(column=goods.c.views, operators=EXACT + RANGE, sort=True),
        "price": ListField(
            column=goods.c.price, operators=EXACT + RANGE + NULL, sort=True, python_type=Decimal
        ),
        "active": ListField(column=goods.c.active, operators=EXACT + NULL, sort=True),
        "seen_at": ListField(column=goods.c.seen_at, operators=EXACT + RANGE + NULL, sort=True),
        "day": ListField(column=goods.c.day, operators=EXACT + RANGE + NULL, sort=True),
        "ratio": ListField(column=goods.c.ratio, operators=EXACT + RANGE + NULL, sort=True),
        "state": ListField(
            column=goods.c.state, operators=EXACT + NULL, sort=True, python_type=State
        ),
        "owner_id": ListField(column=goods.c.owner_id, operators=EXACT + NULL),
        "category.slug": ListField(
            column=categories.c.slug, operators=EXACT + TEXT + NULL, sort=True, nullable=True
        ),
    },
    default_sort="-seen_at",
)


@pytest.fixture(scope="session")
def spec() -> ListSpec:
    return SPEC


@pytest.fixture(scope="session")
def shop() -> SimpleNamespace:
    """The tables, the select and the rows that ``spec`` lists, as Python has them."""
    slugs = dict(enumerate(CATEGORIES, start=1))
    rows = [row | {"category.slug": slugs.get(row["category_id"])} for row in ROWS]
    return SimpleNamespace(
        goods=goods, notes=notes, select=listing, rows=rows, texts=TEXTS, state=State
    )

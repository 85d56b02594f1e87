"""The databases of these tests: each test on every kind that answers here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mainstay.core.db.engine import Database
from mainstay.core.db.settings import DatabaseSettings
from mainstay.testing.databases import KINDS, Kind, fresh_database, is_required, why_unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


def _use(kind: Kind) -> Kind:
    reason = why_unavailable(kind)
    if reason is not None:
        (pytest.fail if is_required(kind) else pytest.skip)(reason)
    return kind


@pytest.fixture(params=KINDS)
def database_kind(request: pytest.FixtureRequest) -> Kind:
    return _use(request.param)


@pytest.fixture
def database_url(database_kind: Kind) -> Iterator[str]:
    with fresh_database(database_kind) as url:
        yield url


@pytest.fixture
def postgresql_url() -> Iterator[str]:
    with fresh_database(_use("postgresql")) as url:
        yield url


@pytest.fixture
def mariadb_url() -> Iterator[str]:
    with fresh_database(_use("mariadb")) as url:
        yield url


@pytest.fixture
def sqlite_url() -> Iterator[str]:
    with fresh_database("sqlite") as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(DatabaseSettings(DATABASE_URL=database_url))
    yield opened
    await opened.dispose()

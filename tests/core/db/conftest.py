"""The databases of these tests: each test on every kind that answers here."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from mainstay.core.db.engine import Database
from mainstay.core.db.settings import DatabaseSettings
from mainstay.core.db.url import DatabaseUrl
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


class Outage:
    """A way to a server that can be cut and opened again, as in a restart."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._listener: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def begin(self) -> None:
        """Refuse new connections, and break the open ones."""
        if self._listener is not None:
            self._listener.close()
        for writer in self._open:
            writer.transport.abort()
        await asyncio.sleep(0.05)

    async def end(self) -> None:
        """Answer again, on the same port."""
        self._listener = await asyncio.start_server(self._relay, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", self._server_port)
        self._open |= {writer, there[1]}
        await asyncio.gather(self._copy(reader, there[1]), self._copy(there[0], writer))
        self._open -= {writer, there[1]}

    @staticmethod
    async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()


@pytest.fixture(params=["postgresql", "mariadb"])
def server_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database on a server, as opposed to a file."""
    with fresh_database(_use(request.param)) as url:
        yield url


@pytest.fixture
async def outage(server_url: str) -> AsyncIterator[Outage]:
    way = Outage(DatabaseUrl.parse(server_url).hosts[0][1] or 0)
    await way.end()
    yield way
    await way.begin()


@pytest.fixture
async def behind_outage(server_url: str, outage: Outage) -> AsyncIterator[Database]:
    """The database, reached by the way that can be cut."""
    port = DatabaseUrl.parse(server_url).hosts[0][1]
    url = server_url.replace(f":{port}/", f":{outage.port}/")
    opened = Database(DatabaseSettings(DATABASE_URL=url))
    yield opened
    await opened.dispose()

"""Databases of a run: made under random names, cloned, looked into, dropped."""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg

from harness.client import BenchError

DEFAULT_URL = "postgresql://postgres@127.0.0.1:5432/postgres"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
T = TypeVar("T")

TEXT_COLUMNS = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND data_type IN ('text', 'character varying')
"""


class Cluster:
    """A PostgreSQL server on which databases can be made (``BENCH_DATABASE_URL``)."""

    def __init__(self, url: str | None = None) -> None:
        self._url = url or os.environ.get("BENCH_DATABASE_URL", DEFAULT_URL)
        self._prefix = f"bench_{secrets.token_hex(4)}"
        self._made: list[str] = []

    def create(self, name: str, *, template: str | None = None) -> str:
        """Make a database, as a copy of the one at the URL ``template`` if given.

        Returns its URL.
        """
        full = f"{self._prefix}_{name}"
        source = f' TEMPLATE "{urlsplit(template).path[1:]}"' if template else ""
        self._execute(f'CREATE DATABASE "{full}"{source}')
        self._made.append(full)
        return self._url_of(full)

    def drop_all(self) -> None:
        """Drop what was made, whoever is still connected."""
        while self._made:
            self._execute(f'DROP DATABASE IF EXISTS "{self._made.pop()}" WITH (FORCE)')

    def version(self) -> str:
        """Return the name and version of the server."""
        text: str = self._ask(lambda c: c.fetchval("SELECT version()"))
        return " ".join(text.split()[:2])

    def stored_hash(self, url: str) -> str:
        """Return one argon2 hash from whichever column of the database holds them.

        Raises:
            BenchError: There is none.
        """

        async def find(connection: Any) -> str | None:
            for table, column in await connection.fetch(TEXT_COLUMNS):
                found: str | None = await connection.fetchval(
                    f"""SELECT "{column}" FROM "{table}" WHERE "{column}" LIKE '$argon2%' LIMIT 1"""  # noqa: S608 - names from the catalogue
                )
                if found:
                    return found
            return None

        found = self._ask(find, url)
        if found is None:
            raise BenchError("no argon2 hash is stored: the time of one hash is unknown")
        return found

    def pin_backends(self, core: int) -> None:
        """Keep the server processes of this run's connections on one core.

        Does nothing where the server is another machine or not ours to pin.
        """
        if urlsplit(self._url).hostname not in LOOPBACK:
            return
        query = "SELECT pid FROM pg_stat_activity WHERE datname = ANY($1::text[])"
        for row in self._ask(lambda c: c.fetch(query, self._made)):
            with suppress(OSError):
                comm = Path(f"/proc/{row['pid']}/comm").read_text(encoding="utf-8")
                if comm.startswith("postgres"):
                    os.sched_setaffinity(row["pid"], {core})

    def _url_of(self, name: str) -> str:
        return urlsplit(self._url)._replace(path=f"/{name}").geturl()

    def _execute(self, statement: str) -> None:
        self._ask(lambda c: c.execute(statement))

    def _ask(self, question: Callable[[Any], Awaitable[T]], url: str | None = None) -> T:
        async def run() -> T:
            connection = await asyncpg.connect(url or self._url, timeout=10)
            try:
                return await question(connection)
            finally:
                await connection.close()

        try:
            return asyncio.run(run())
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise BenchError(f"PostgreSQL: {error}") from error

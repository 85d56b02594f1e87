"""The settings of the database."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from mainstay.core.db.url import EXAMPLES, DatabaseUrl
from mainstay.core.settings.faults import Fault
from mainstay.core.settings.markers import Names, Takes
from mainstay.core.settings.section import Section, Settings

DEFAULT_FILE: Final = "mainstay.db"
"""The SQLite file in the data folder that serves where no URL is set."""


def _known_url(text: str) -> str:
    DatabaseUrl.parse(text)
    return text


Url = Annotated[str, AfterValidator(_known_url), Takes(f"a URL such as {EXAMPLES}")]
"""The URL of a database; of any kind known here."""


class DatabaseSettings(Section):
    """Where the database is, and how many connections a process may open to it."""

    DATABASE_URL: Annotated[Url | None, Names("DATABASE_URL_ASYNC")] = None
    """The database; where it is not set, SQLite in a file in the data folder."""

    DATABASE_REPLICA_URL: Url | None = None
    """A read replica, for reads that say that they bear rows of a moment ago."""

    DB_POOL_SIZE: Annotated[int, Field(ge=1, le=1000)] = 20
    """How many connections a process keeps open."""

    DB_MAX_OVERFLOW: Annotated[int, Field(ge=0, le=1000)] = 10
    """How many more it opens under load."""

    DB_POOL_TIMEOUT: Annotated[float, Field(gt=0, le=600)] = 30
    """The most seconds to wait for a connection, as long as any come back; else it fails in one."""

    DB_POOL_RECYCLE: Annotated[int, Field(ge=-1)] = 3600
    """Seconds after which a connection is replaced; -1 for never."""

    DB_QUERY_TIMEOUT: Annotated[float, Field(ge=0, le=86400)] = 30
    """Seconds that a statement may run; 0 for ever."""

    DB_SLOW_QUERY_MS: Annotated[int, Field(ge=0)] = 0
    """Log statements that take at least this many milliseconds; 0 for none."""

    DB_PGBOUNCER: bool = False
    """PgBouncer in transaction mode stands before PostgreSQL."""

    def url(self, data_dir: Path) -> DatabaseUrl:
        """Give the database's URL; by default that of a file in the data folder."""
        if self.DATABASE_URL is not None:
            return DatabaseUrl.parse(self.DATABASE_URL)
        return DatabaseUrl(
            backend="sqlite",
            drivername="sqlite+aiosqlite",
            database=str(data_dir / DEFAULT_FILE),
        )

    def production_faults(self, settings: Settings) -> Iterable[Fault]:  # noqa: ARG002
        """Refuse to keep what matters in a file that nobody has named."""
        if self.DATABASE_URL is None:
            fix = "Example: postgresql://user:password@host/shop"
            yield Fault("DATABASE_URL", None, "the URL of a database", fix)

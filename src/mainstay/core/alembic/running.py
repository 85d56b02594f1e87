"""How Alembic is run on one connection and one history: transactions, foreign keys, repeats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from sqlalchemy import Column, MetaData, String, Table, inspect, select
from sqlalchemy.engine import Connection

from mainstay.core.alembic.comparing import Comparison
from mainstay.core.alembic.histories import History
from mainstay.core.alembic.repeating import make_repeatable

Steps = Callable[[Any, MigrationContext], Iterable[RevisionStep]]
"""Gives the steps to run from the present heads."""

_LONGEST_ID: Final = 32


class MigrationError(Exception):
    """A migration cannot be done; the text is for people."""


@dataclass(slots=True)
class Run:
    """One run over one history. ``applied`` collects the revisions in the order they are run."""

    history: History
    environment: EnvironmentContext
    comparison: Comparison
    applied: list[str] = field(default_factory=list)

    def migrate(self, connection: Connection, steps: Steps | None = None) -> None:
        """Run the steps, each in a transaction of its own where the database can.

        Without ``steps`` these are the ones that Alembic's own command has set.
        """
        broken = _foreign_keys_off(connection)
        self.configure(connection, steps, broken=broken)
        self.environment.run_migrations()
        connection.commit()

    def configure(
        self, connection: Connection, steps: Steps | None, *, broken: frozenset[Any] = frozenset()
    ) -> None:
        """Set Alembic up for this connection."""
        family = connection.dialect.name
        given: dict[str, Any] = {} if steps is None else {"fn": steps}
        self.environment.configure(
            connection=connection,
            version_table=self.history.version_table,
            transactional_ddl=family in {"sqlite", "postgresql"},
            transaction_per_migration=True,
            on_version_apply=self._applied(connection, broken),
            render_as_batch=family == "sqlite",
            **self.comparison.options(),
            **given,
        )
        make_repeatable(self.environment.get_context())

    def _applied(self, connection: Connection, broken: frozenset[Any]) -> Callable[..., None]:
        def note(*, step: Any, **_: Any) -> None:
            self.applied.append(step.up_revision_id)
            found = _broken_references(connection) - broken
            if found:
                tables = ", ".join(sorted({str(row[0]) for row in found}))
                which = step.up_revision_id
                msg = f"Revision {which} leaves rows without what they refer to: {tables}."
                raise MigrationError(msg)

        return note


def current_heads(connection: Connection, history: History) -> tuple[str, ...]:
    """Give the revisions at which the database is; none where it has never been migrated."""
    if not inspect(connection).has_table(history.version_table):
        return ()
    table = Table(history.version_table, MetaData(), Column("version_num", String(_LONGEST_ID)))
    return tuple(sorted(connection.scalars(select(table.c.version_num))))


def _foreign_keys_off(connection: Connection) -> frozenset[Any]:
    """Let tables be made anew on SQLite; give the references that are broken already.

    With the keys on, dropping the old table would delete the rows that refer to it. The pragma has
    no effect inside a transaction, so it goes past SQLAlchemy, which would begin one.
    """
    if connection.dialect.name != "sqlite":
        return frozenset()
    cursor = connection.connection.cursor()
    try:
        cursor.execute("PRAGMA foreign_keys=OFF")
    finally:
        cursor.close()
    broken = _broken_references(connection)
    # Alembic takes a transaction that is open already for the caller's, and commits nothing.
    connection.rollback()
    return broken


def _broken_references(connection: Connection) -> frozenset[Any]:
    if connection.dialect.name != "sqlite":
        return frozenset()
    found: Sequence[Any] = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return frozenset(tuple(row) for row in found)

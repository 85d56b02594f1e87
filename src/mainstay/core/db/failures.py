"""What a database's failure means, told alike for SQLite, PostgreSQL and MariaDB.

Every function takes any exception: SQLAlchemy's, a driver's own, or one that has nothing to do
with a database (then it is none of these).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import MetaData, Table, UniqueConstraint
from sqlalchemy.exc import DBAPIError

from mainstay.core.db.base import Base
from mainstay.core.db.codes import (
    DatabaseUnavailableError,
    Failure,
    classify,
    driver_error,
    is_of_mariadb,
)

__all__ = [
    "DatabaseUnavailableError",
    "Failure",
    "UniqueViolation",
    "classify",
    "is_bad_value",
    "is_connection_loss",
    "is_foreign_key_violation",
    "is_malformed_id",
    "is_transient",
    "is_unavailable",
    "unique_violation",
]

_TRANSIENT: Final = frozenset({Failure.CONFLICT, Failure.LOCKED, Failure.LOST})
_UNAVAILABLE: Final = _TRANSIENT | {
    Failure.UNREACHABLE,
    Failure.EXHAUSTED,
    Failure.TIMEOUT,
    Failure.FULL,
    Failure.READ_ONLY,
}
_SQLITE_COLUMNS: Final = re.compile(r"UNIQUE constraint failed: (?P<columns>[^:]+)$")
_SQLITE_INDEX: Final = re.compile(r"UNIQUE constraint failed: index '(?P<name>.+)'$")
_POSTGRESQL_KEY: Final = re.compile(r"^Key \((?P<columns>.+?)\)=\(", re.DOTALL)
_MARIADB_KEY: Final = re.compile(r"for key '(?:(?P<table>[^'.]+)\.)?(?P<name>[^'.]+)'$")
_TABLE: Final = re.compile(
    r"\s*(?:INSERT\s+(?:IGNORE\s+)?INTO|UPDATE)\s+[`\"]?(?P<table>\w+)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class UniqueViolation:
    """Which uniqueness was broken, as far as the database and the models tell; never the value."""

    constraint: str | None
    table: str | None
    columns: tuple[str, ...]


def is_transient(error: BaseException) -> bool:
    """Say whether the same work, from its start, may well succeed.

    That is a collision, a lock, or a lost connection. A connection lost *during* the commit counts
    too, though the commit may have happened: only who sent it knows, and must not repeat then.
    """
    return classify(error) in _TRANSIENT


def is_unavailable(error: BaseException) -> bool:
    """Say whether the database could not do it now, and might later: the answer is a 503."""
    return classify(error) in _UNAVAILABLE


def is_connection_loss(error: BaseException) -> bool:
    """Say whether the connection broke; what it was committing may be there, or not."""
    return classify(error) is Failure.LOST


def is_malformed_id(error: BaseException) -> bool:
    """Say whether something that is no id was to be stored, or asked for, as one: a 404."""
    return classify(error) is Failure.MALFORMED_ID


def is_bad_value(error: BaseException) -> bool:
    """Say whether a value does not fit its column (too long, out of range): a 422."""
    return classify(error) is Failure.BAD_VALUE


def is_foreign_key_violation(error: BaseException) -> bool:
    """Say whether a row that is referred to is missing, or is still referred to: a 409."""
    return classify(error) is Failure.FOREIGN_KEY


def unique_violation(
    error: BaseException, metadata: MetaData = Base.metadata
) -> UniqueViolation | None:
    """Tell which uniqueness was broken; None where it was something else.

    What the database does not say (SQLite: the constraint, MariaDB: the columns) is looked up in
    the models.
    """
    if classify(error) is not Failure.UNIQUE:
        return None
    cause = driver_error(error)
    name, table, columns = _told(cause)
    if table is None and isinstance(error, DBAPIError):
        match = _TABLE.match(error.statement or "")
        table = match["table"] if match else None
    return _completed(UniqueViolation(name, table, columns), metadata)


def _told(cause: BaseException) -> tuple[str | None, str | None, tuple[str, ...]]:
    """Read constraint, table and columns out of what the driver says."""
    if getattr(cause, "sqlstate", None) is not None and not is_of_mariadb(cause):
        return _told_by_postgresql(cause)
    text = str(cause.args[-1]) if cause.args else ""
    if match := _SQLITE_INDEX.search(text):
        return match["name"], None, ()
    if match := _SQLITE_COLUMNS.search(text):
        pairs = [part.strip().rpartition(".") for part in match["columns"].split(",")]
        return None, pairs[0][0] or None, tuple(pair[2] for pair in pairs)
    if match := _MARIADB_KEY.search(text):
        return match["name"], match["table"], ()
    return None, None, ()


def _told_by_postgresql(cause: Any) -> tuple[str | None, str | None, tuple[str, ...]]:
    match = _POSTGRESQL_KEY.match(getattr(cause, "detail", None) or "")
    columns: tuple[str, ...] = ()
    if match is not None and "(" not in match["columns"]:
        columns = tuple(part.strip().strip('"') for part in match["columns"].split(","))
    return getattr(cause, "constraint_name", None), getattr(cause, "table_name", None), columns


def _completed(told: UniqueViolation, metadata: MetaData) -> UniqueViolation:
    for table in metadata.tables.values():
        if told.table is not None and table.name != told.table:
            continue
        for name, columns in _uniques(table):
            by_name = told.constraint == name or (
                told.constraint == "PRIMARY" and told.table and columns == _primary(table)
            )
            if by_name or (told.table and told.columns and set(told.columns) == set(columns)):
                return UniqueViolation(name, table.name, told.columns or columns)
    return told


def _uniques(table: Table) -> Iterator[tuple[str | None, tuple[str, ...]]]:
    yield str(table.primary_key.name), _primary(table)
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            name = None if constraint.name is None else str(constraint.name)
            yield name, tuple(column.name for column in constraint.columns)
    for index in table.indexes:
        if index.unique:
            yield str(index.name), tuple(column.name for column in index.columns)


def _primary(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.primary_key.columns)

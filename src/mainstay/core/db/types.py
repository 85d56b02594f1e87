"""Column types that hold the same on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import CHAR, JSON, DateTime, String, TypeDecorator
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import UUID, TypeEngine

from mainstay.kit.ids import NIL_ID, canonical_id

MYSQL_FAMILY = frozenset({"mysql", "mariadb"})
"""The names of SQLAlchemy's dialects that speak to MySQL or MariaDB."""

_FIRST_MARIADB_WITH_UUID = (10, 7)


class MalformedIdError(ValueError):
    """A value that is no id was to be stored as one, or was given to ``session.get``."""


class Id(TypeDecorator[str]):
    """An id: text in Python, ``uuid`` on PostgreSQL and MariaDB, text of 36 on SQLite and MySQL.

    Values come back as canonical lower-case text, and any letter case may go in. A malformed id
    equals no row in a comparison (it is compared as the nil UUID); where it would be stored, or in
    ``session.get``, it raises `MalformedIdError` (as ``orig`` of SQLAlchemy's ``StatementError``).
    """

    impl = CHAR
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type on this database."""
        if dialect.name == "postgresql" or _has_uuid(dialect):
            return dialect.type_descriptor(UUID(as_uuid=False))
        if dialect.name in MYSQL_FAMILY:
            return dialect.type_descriptor(mysql.CHAR(36, charset="ascii", collation="ascii_bin"))
        return dialect.type_descriptor(CHAR(36))

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:  # noqa: ARG002
        """Give what turns a value into the driver's."""
        return _stored_id

    def result_processor(
        self,
        dialect: Dialect,
        coltype: object,  # noqa: ARG002
    ) -> Callable[[Any], Any] | None:
        """Give what turns a driver's value into text; nothing where it is text already."""
        return _text if dialect.name == "postgresql" else None

    def process_literal_param(self, value: str | None, dialect: Dialect) -> str:  # noqa: ARG002
        """Give the value for SQL that is written out."""
        return _stored_id(value) or ""

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> TypeEngine[Any]:  # noqa: ARG002
        """Let comparisons bear malformed ids."""
        return _COMPARED_ID


class _ComparedId(Id):
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:  # noqa: ARG002
        return _compared_id


_COMPARED_ID = _ComparedId()


class Timestamp(TypeDecorator[datetime]):
    """A moment with microseconds: aware and in UTC in Python; a naive value is taken as UTC.

    ``timestamptz`` on PostgreSQL, ``DATETIME(6)`` in UTC on MariaDB, and on SQLite text that sorts
    as the moments do (``2026-01-31 09:30:00.000000``), which its own functions understand.
    """

    impl = DateTime
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(timezone=True)

    def __repr__(self) -> str:
        return "Timestamp()"

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type on this database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))
        if dialect.name in MYSQL_FAMILY:
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(_SQLITE_MOMENT)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Give what turns a moment into the driver's value."""
        if dialect.name == "postgresql":
            return _in_utc
        return _naive_in_utc if dialect.name in MYSQL_FAMILY else _sortable

    def result_processor(
        self,
        dialect: Dialect,
        coltype: object,  # noqa: ARG002
    ) -> Callable[[Any], Any] | None:
        """Give what turns a driver's value into a moment; asyncpg gives them in UTC already."""
        if dialect.name == "postgresql":
            return None
        return _in_utc if dialect.name in MYSQL_FAMILY else _parsed

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> TypeEngine[Any]:
        """Let moments be compared as such, and intervals be added."""
        if value is None or isinstance(value, datetime):
            return self
        return self.impl_instance.coerce_compared_value(op, value)


class _SqliteMoment(String):
    """``DATETIME`` in the schema, so that tools and reflection see what it is; text in the file."""

    __visit_name__ = "DATETIME"


_SQLITE_MOMENT = _SqliteMoment(26)


class JsonDocument(TypeDecorator[Any]):
    """A JSON document: ``jsonb`` on PostgreSQL, ``JSON`` on MariaDB and SQLite; None is NULL."""

    impl = JSON
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(none_as_null=True)

    def __repr__(self) -> str:
        return "JsonDocument()"

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type on this database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.JSONB(none_as_null=True))
        return dialect.type_descriptor(JSON(none_as_null=True))

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> TypeEngine[Any]:
        """Let a member of a document be compared with a plain value."""
        return self.impl_instance.coerce_compared_value(op, value)


class Line(TypeDecorator[str]):
    """Text without a limit; on MariaDB, which wants one, of 255 characters. What ``str`` means."""

    impl = String
    cache_ok = True

    def __init__(self) -> None:
        super().__init__()

    def __repr__(self) -> str:
        return "Line()"

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type on this database."""
        return dialect.type_descriptor(String(255 if dialect.name in MYSQL_FAMILY else None))


def _has_uuid(dialect: Dialect) -> bool:
    if dialect.name not in MYSQL_FAMILY:
        return False
    version = getattr(dialect, "server_version_info", None)
    known_old = version is not None and version < _FIRST_MARIADB_WITH_UUID
    return bool(getattr(dialect, "is_mariadb", False)) and not known_old


def _stored_id(value: str | None) -> str | None:
    if value is None:
        return None
    found = canonical_id(value) if isinstance(value, str) else canonical_id(str(value))
    if found is None:
        msg = "This is not an id: a UUID of 36 characters is."
        raise MalformedIdError(msg)
    return found


def _compared_id(value: str | None) -> str | None:
    return None if value is None else canonical_id(str(value)) or NIL_ID


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _in_utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _naive_in_utc(value: datetime | None) -> datetime | None:
    if value is None or value.tzinfo is None:
        return value
    return value.astimezone(UTC).replace(tzinfo=None)


def _sortable(value: datetime | None) -> str | None:
    moment = _naive_in_utc(value)
    return None if moment is None else moment.isoformat(" ", "microseconds")


def _parsed(value: str | None) -> datetime | None:
    return None if value is None else _in_utc(datetime.fromisoformat(value))

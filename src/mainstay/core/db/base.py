"""The base of all models: naming of constraints, owner of a table, ids and timestamps.

Text on MariaDB compares case by case and accent by accent (``utf8mb4_bin``), as it does on the
other two. Where uniqueness is to be case-blind, store a second, lower-cased column (``email`` and
``email_key``) and put the unique constraint there: that holds alike on all three databases.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, MetaData, Table, event
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Mapper,
    RelationshipProperty,
    mapped_column,
)
from sqlalchemy.schema import CheckConstraint

from mainstay.core.db.types import (
    MYSQL_FAMILY,
    Id,
    JsonDocument,
    Line,
    MalformedIdError,
    Timestamp,
)
from mainstay.kit.clock import now
from mainstay.kit.ids import new_id

__all__ = [
    "Base",
    "BaseModel",
    "Id",
    "JsonDocument",
    "Line",
    "MalformedIdError",
    "Timestamp",
    "owner_of",
]

PACKAGE: Final = "mainstay"
"""The owner of the package's own tables."""

PROJECT: Final = "project"
"""The owner of every other table."""

_FIRST, _LAST = -1, 1000
_MYSQL_TABLE: Final = {"charset": "utf8mb4", "collate": "utf8mb4_bin", "engine": "InnoDB"}


def _check_name(constraint: CheckConstraint, table: Table) -> str:  # noqa: ARG001
    if isinstance(constraint.name, str):
        return constraint.name
    return sha256(str(constraint.sqltext).encode()).hexdigest()[:8]


_NAMING: Final[dict[str, Any]] = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
    # SQLAlchemy adds the table to a given name only where the token ends in "constraint_name".
    "ck": "ck_%(table_name)s_%(any_constraint_name)s",
    "any_constraint_name": _check_name,
}


class Base(DeclarativeBase):
    """The base of all tables. A constraint without a name gets one that is the same everywhere.

    ``owner = "mainstay"`` in a class, or its module, says whose history makes the table; it stands
    in ``table.info["owner"]``. A relationship is loaded only where a query says so
    (``selectinload``); touching it otherwise raises. ``lazy=True`` asks for the lazy way.
    """

    metadata = MetaData(naming_convention=_NAMING)
    type_annotation_map = {  # noqa: RUF012  (SQLAlchemy reads a plain dictionary)
        str: Line(),
        datetime: Timestamp(),
        dict[str, Any]: JsonDocument(),
        list[Any]: JsonDocument(),
    }

    @classmethod
    def __table_cls__(cls, *args: Any, **options: Any) -> Table:
        """Make the table of a class, and note its owner."""
        table = Table(*args, **options)
        declared = getattr(cls, "owner", None)
        if isinstance(declared, str):
            table.info["owner"] = declared
        elif cls.__module__.partition(".")[0] == PACKAGE:
            table.info["owner"] = PACKAGE
        return table


def _as_created(context: DefaultExecutionContext) -> datetime:
    created = context.get_current_parameters().get("created_at")  # type: ignore[no-untyped-call]
    return created if isinstance(created, datetime) else now()


class BaseModel(Base):
    """A table with ``id`` (UUIDv7, grows with time), ``created_at`` and ``updated_at``."""

    __abstract__ = True

    id: Mapped[str] = mapped_column(Id(), primary_key=True, default=new_id, sort_order=_FIRST)
    created_at: Mapped[datetime] = mapped_column(Timestamp(), default=now, sort_order=_LAST)
    updated_at: Mapped[datetime] = mapped_column(
        Timestamp(), default=_as_created, onupdate=now, sort_order=_LAST + 1
    )


def owner_of(table: Table) -> str:
    """Say whose migrations make the table: ``mainstay`` or ``project``."""
    return str(table.info.get("owner", PROJECT))


@event.listens_for(Table, "before_create")
def _compare_text_exactly(table: Table, connection: Connection, **_: Any) -> None:
    """On MariaDB, whoever creates a table (a migration, SQLModel) gets text that compares exactly.

    A listener, as options on the tables would stand in every generated migration.
    """
    family = connection.dialect.name
    if family not in MYSQL_FAMILY:
        return
    for option, value in _MYSQL_TABLE.items():
        table.dialect_kwargs.setdefault(f"{family}_{option}", value)


@event.listens_for(Base, "before_mapper_configured", propagate=True)
def _load_only_what_was_asked_for(mapper: Mapper[Any], _class: type[Any]) -> None:
    for attribute in mapper.iterate_properties:
        if isinstance(attribute, RelationshipProperty) and attribute.lazy == "select":
            attribute.lazy = "raise"
            attribute.strategy_key = (("lazy", "raise"),)

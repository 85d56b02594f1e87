"""Makes ``if_not_exists`` and ``if_exists`` hold on every database.

On MariaDB a revision is not one transaction: a kill between its DDL and the note that it is done
leaves it half done, and the next run must be able to repeat it. Revisions say so with Alembic's own
``if_not_exists``; this fills in where a database has no words for it.
"""

from __future__ import annotations

from typing import Any

from alembic.ddl.impl import DefaultImpl
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Index, inspect


def make_repeatable(context: MigrationContext) -> None:
    """Let this context look first where its database cannot say ``IF NOT EXISTS``."""
    dialect = context.dialect
    if context.as_sql:
        return
    if dialect.name == "sqlite":
        _look_before_columns(context.impl)
    elif dialect.name in {"mysql", "mariadb"} and not getattr(dialect, "is_mariadb", False):
        _look_before_columns(context.impl)
        _look_before_indexes(context.impl)


def _look_before_columns(impl: DefaultImpl) -> None:
    add, drop = impl.add_column, impl.drop_column

    def add_column(table_name: str, column: Any, **options: Any) -> None:
        unless_there = options.pop("if_not_exists", None)
        if not (
            unless_there and column.name in _columns(impl, table_name, schema=options.get("schema"))
        ):
            add(table_name, column, **options)

    def drop_column(table_name: str, column: Any, **options: Any) -> None:
        if_there = options.pop("if_exists", None)
        if not if_there or column.name in _columns(impl, table_name, schema=options.get("schema")):
            drop(table_name, column, **options)

    vars(impl).update(add_column=add_column, drop_column=drop_column)


def _look_before_indexes(impl: DefaultImpl) -> None:
    create, drop = impl.create_index, impl.drop_index

    def create_index(index: Index, **options: Any) -> None:
        unless_there = options.pop("if_not_exists", None)
        if not (unless_there and index.name in _indexes(impl, index)):
            create(index, **options)

    def drop_index(index: Index, **options: Any) -> None:
        if_there = options.pop("if_exists", None)
        if not if_there or index.name in _indexes(impl, index):
            drop(index, **options)

    vars(impl).update(create_index=create_index, drop_index=drop_index)


def _columns(impl: DefaultImpl, table: str, *, schema: str | None) -> set[str]:
    found = inspect(impl.bind).get_columns(table, schema=schema)
    return {column["name"] for column in found}


def _indexes(impl: DefaultImpl, index: Index) -> set[str | None]:
    table = index.table
    if table is None or impl.bind is None:
        return set()
    found = inspect(impl.bind).get_indexes(table.name, schema=table.schema)
    return {each["name"] for each in found}

"""Reading a page: the rows, one more to know whether there are more, and the count if wanted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from mainstay.core.errors import CursorMismatchError
from mainstay.core.http.query.cursor import Position, read_cursor, write_cursor
from mainstay.core.http.query.model import ListQuery, SortKey
from mainstay.core.http.query.page import Page, PageInfo
from mainstay.core.http.query.spec import ListSpec
from mainstay.core.http.query.sql import beyond, conditions, ordering

Executor: TypeAlias = AsyncSession | AsyncConnection
Select: TypeAlias = sa.Select[Any]
Row: TypeAlias = sa.Row[Any]


async def fetch_page(
    executor: Executor, select: Select, *, query: ListQuery, spec: ListSpec, key: bytes
) -> Page[Any]:
    """Read one page of ``select``, which holds the joins and the row rules, and no order.

    ``key`` signs cursors. An item is the entity where the select has a single column or entity,
    else a dict of its columns. Load collections with ``selectinload``.

    Raises:
        CursorMismatchError: the cursor belongs to other parameters, or its row is gone.
    """
    filtered = _filtered(select, query=query, spec=spec)
    position = None
    if query.cursor is not None:
        position = read_cursor(spec, query, key=key)
        if position.values is None:
            position = await _look_up(executor, select, query=query, spec=spec, position=position)
    window = _window(filtered, spec, query=query, position=position)
    rows = (await executor.execute(window)).all()
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    if position is not None and position.backward:
        rows = rows[::-1]
    total = _derived_total(query, len(rows), more=more)
    if total is None and _wants_total(query):
        total = await _count(executor, filtered, key=spec.bound[spec.key].column)
    info = _Ends(spec, query, key=key).info(rows, position, more=more, total=total)
    return Page(_items(rows, hidden=len(query.sort)), info)


async def count_rows(
    executor: Executor, select: Select, *, query: ListQuery, spec: ListSpec
) -> int:
    """Count the rows of ``select`` that fulfil the filter and hold the words."""
    filtered = _filtered(select, query=query, spec=spec)
    return await _count(executor, filtered, key=spec.bound[spec.key].column)


class _Ends:
    """Makes what a page says about itself, with a cursor at each end that has a way on."""

    def __init__(self, spec: ListSpec, query: ListQuery, *, key: bytes) -> None:
        self._spec = spec
        self._query = query
        self._key = key

    def info(
        self, rows: Sequence[Row], position: Position | None, *, more: bool, total: int | None
    ) -> PageInfo:
        """Describe the page; ``more`` is whether rows follow in the direction of reading."""
        query = self._query
        backward = position is not None and position.backward
        came_from_before = position is not None or bool(query.offset)
        after = bool(rows) and (backward or more)
        before = bool(rows) and (more if backward else came_from_before)
        return PageInfo(
            limit=query.limit,
            offset=None if position else query.offset or 0,
            total=total,
            has_more=after,
            next_cursor=self._cursor(rows[-1], backward=False) if after else None,
            prev_cursor=self._cursor(rows[0], backward=True) if before else None,
        )

    def _cursor(self, row: Row, *, backward: bool) -> str:
        values = row[-len(self._query.sort) :]
        return write_cursor(
            self._spec, self._query, values=values, backward=backward, key=self._key
        )


def _filtered(select: Select, *, query: ListQuery, spec: ListSpec) -> Select:
    clauses = conditions(spec, query)
    return select.where(*clauses) if clauses else select


def _window(
    filtered: Select, spec: ListSpec, *, query: ListQuery, position: Position | None
) -> Select:
    backward = position is not None and position.backward
    if position is not None and position.values is not None:
        filtered = filtered.where(
            beyond(spec, query.sort, values=position.values, backward=backward)
        )
    window = (
        filtered.add_columns(*_sort_columns(spec, query.sort))
        .order_by(*ordering(spec, query.sort, backward=backward))
        .limit(query.limit + 1)
    )
    return window.offset(query.offset) if query.offset else window


@lru_cache(maxsize=256)
def _sort_columns(spec: ListSpec, sort: tuple[SortKey, ...]) -> tuple[sa.Label[Any], ...]:
    return tuple(
        spec.bound[key.field].column.label(f"mainstay_sort_{index}")
        for index, key in enumerate(sort)
    )


async def _look_up(
    executor: Executor, select: Select, *, query: ListQuery, spec: ListSpec, position: Position
) -> Position:
    """Read the sort values of a row that a cursor names by its key alone."""
    column = spec.bound[spec.key]
    statement = select.where(
        column.column == sa.literal(position.key, column.column.type)
    ).with_only_columns(*_sort_columns(spec, query.sort), maintain_column_froms=True)
    row = (await executor.execute(statement)).first()
    if row is None:
        raise CursorMismatchError("The row that the cursor stands on is gone. Start again.")
    return Position(position.backward, position.key, tuple(row))


def _wants_total(query: ListQuery) -> bool:
    return query.cursor is None if query.total is None else query.total


def _derived_total(query: ListQuery, rows: int, *, more: bool) -> int | None:
    """Give the total where the page itself tells it: it is the last one and not beyond the end."""
    offset = query.offset or 0
    if query.cursor is not None or more or (offset and not rows) or not _wants_total(query):
        return None
    return offset + rows


async def _count(executor: Executor, filtered: Select, *, key: sa.ColumnElement[Any]) -> int:
    keys = filtered.with_only_columns(key, maintain_column_froms=True)
    counted = sa.select(sa.func.count()).select_from(keys.order_by(None).subquery())
    return int((await executor.execute(counted)).scalar_one())


def _items(rows: Sequence[Row], *, hidden: int) -> list[Any]:
    if not rows:
        return []
    width = len(rows[0]) - hidden
    if width == 1:
        return [row[0] for row in rows]
    names = tuple(rows[0]._fields[:width])
    return [dict(zip(names, row, strict=False)) for row in rows]

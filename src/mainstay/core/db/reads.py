"""Reads that requests make all the time: one SELECT, compiled once, on the shortest way there is.

The plain way (Core on the read engine) is always there and gives the same rows. It serves where a
driver has no direct way, where that is not open at the moment, and where ``plain=True`` asks for
it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from sqlalchemy import ARRAY, Select, any_, bindparam, func, select
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import operators
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import String, TypeDecorator, TypeEngine

from mainstay.core.db.direct import NoDirectWayError

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from mainstay.core.db.engine import Database

_Process = Callable[[Any], Any]


class PreparedRead:
    """One SELECT with ``bindparam`` for what changes. Its rows are named tuples.

    It is fresh (never cached, never from a replica) and in no transaction. On SQLite it runs inside
    the event loop, so it is for reads that find their few rows by an index.
    """

    def __init__(self, database: Database, statement: Select[Any], *, plain: bool = False) -> None:
        self._database = database
        self._statement = statement
        self._compiled: _Compiled | None = None
        self._plain = plain or database.direct is None
        self._row = _row_type(statement)

    async def all(self, **values: Any) -> list[Any]:
        """Give all rows for these values of the statement's parameters."""
        direct = self._database.direct
        if self._plain or direct is None:
            return await self._all_plainly(values)
        compiled = self._compiled or self._compile()
        started = perf_counter()
        try:
            rows = await direct.fetch(compiled.text, compiled.bound(values))
        except NoDirectWayError:
            return await self._all_plainly(values)
        self._database.meter.note(compiled.text, perf_counter() - started)
        return compiled.finished(rows, self._row)

    async def first(self, **values: Any) -> Any | None:
        """Give the first row, or None."""
        rows = await self.all(**values)
        return rows[0] if rows else None

    def _compile(self) -> _Compiled:
        self._compiled = _Compiled(self._statement, self._database.engine.dialect)
        return self._compiled

    async def _all_plainly(self, values: Mapping[str, Any]) -> list[Any]:
        async with self._database.read_engine.connect() as connection:
            result = await connection.execute(self._statement, dict(values))
            return [self._row(*row) for row in result]


class KeyedRead:
    """Rows by their key, one at a time or many at once; for `BatchedReader` too.

    ``key`` is a column of the statement. A key that no row has is None, or left out.
    """

    def __init__(
        self,
        database: Database,
        statement: Select[Any],
        key: ColumnElement[Any],
        *,
        plain: bool = False,
    ) -> None:
        compared: TypeEngine[Any] = key.type.coerce_compared_value(operators.eq, "")
        one = statement.where(key == bindparam("key", type_=compared))
        many = statement.where(_among(key, compared, backend=database.url.backend))
        self._one = PreparedRead(database, one, plain=plain)
        expands = database.url.backend == "mysql"
        self._many = PreparedRead(database, many, plain=plain or expands)
        self._as_json = database.url.backend == "sqlite"
        self._place = list(statement.selected_columns).index(key)

    async def get(self, key: str) -> Any | None:
        """Give the row with that key."""
        return await self._one.first(key=key)

    async def get_many(self, keys: Sequence[str]) -> dict[str, Any]:
        """Give the rows with these keys, by key."""
        rows = await self._many.all(keys=list(keys))
        return {row[self._place]: row for row in rows}


def _among(key: ColumnElement[Any], compared: TypeEngine[Any], *, backend: str) -> Any:
    """Compare with a list that is one parameter, so that its length does not change the SQL."""
    if backend == "postgresql":
        return key == any_(bindparam("keys", type_=ARRAY(compared)))
    if backend == "sqlite":
        values = func.json_each(bindparam("keys", type_=_JsonList())).table_valued("value")
        return key.in_(select(values.c.value))
    return key.in_(bindparam("keys", type_=compared, expanding=True))


class _JsonList(TypeDecorator[Any]):
    impl = String
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else orjson.dumps(value).decode()


class _Compiled:
    """A statement as its driver takes it, with what converts values on their way in and out."""

    __slots__ = ("_fixed", "_inward", "_outward", "text")

    def __init__(self, statement: Select[Any], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        if not isinstance(compiled, SQLCompiler) or compiled.post_compile_params:
            msg = "A prepared read takes no parameter that stands for several."
            raise TypeError(msg)
        self.text = compiled.string
        self._fixed = dict(compiled.params)
        types = {name: bind.type for bind, name in compiled.bind_names.items()}
        self._inward = [
            (name, _inward(types[name], dialect)) for name in compiled.positiontup or ()
        ]
        self._outward = [
            (place, process)
            for place, column in enumerate(statement.selected_columns)
            if (process := _outward(column.type, dialect)) is not None
        ]

    def bound(self, values: Mapping[str, Any]) -> list[Any]:
        """Give the values in the order in which the statement takes them."""
        given = {**self._fixed, **values}
        return [
            given[name] if process is None else process(given[name])
            for name, process in self._inward
        ]

    def finished(self, rows: Sequence[Sequence[Any]], row_type: Any) -> list[Any]:
        """Give the rows with their values as SQLAlchemy would."""
        outward = self._outward
        finished = []
        for row in rows:
            cells = list(row)
            for place, process in outward:
                cells[place] = process(cells[place])
            finished.append(row_type(*cells))
        return finished


def _inward(kind: TypeEngine[Any], dialect: Dialect) -> _Process | None:
    own = kind if isinstance(kind, TypeDecorator) else kind.dialect_impl(dialect)
    return own.bind_processor(dialect)


def _outward(kind: TypeEngine[Any], dialect: Dialect) -> _Process | None:
    own = kind if isinstance(kind, TypeDecorator) else kind.dialect_impl(dialect)
    return own.result_processor(dialect, None)


def _row_type(statement: Select[Any]) -> Any:
    return NamedTuple("Row", [(str(column.key), Any) for column in statement.selected_columns])

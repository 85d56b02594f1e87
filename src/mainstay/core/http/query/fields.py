"""Fields of a list: what each may be used for, read from its column and its type."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator, TypeEngine

from mainstay.core.db.types import Id
from mainstay.core.http.query.constructs import Exact, Ordinal
from mainstay.core.http.query.model import EXACT, NULL, RANGE, TEXT, Operator
from mainstay.core.http.query.times import DateKind, DateTimeKind
from mainstay.core.http.query.values import (
    BoolKind,
    ChoiceKind,
    DecimalKind,
    FloatKind,
    IdKind,
    IntKind,
    Kind,
    TextKind,
)

RESERVED: Final = frozenset({"limit", "offset", "cursor", "total", "sort", "q", "fields", "expand"})
"""Names that no field may have (nor ``and``, ``or``, ``not``)."""

LONGEST_SORTED: Final = 255
"""Characters of a text that may be sorted by."""

_LOGIC: Final = frozenset({"and", "or", "not"})
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*(\.[a-z][a-z0-9]*(_[a-z0-9]+)*)*")
_DOUBLE_BITS: Final = 25
_OPERATORS: Final[dict[type[Kind], tuple[Operator, ...]]] = {
    TextKind: EXACT + RANGE + TEXT + NULL,
    IdKind: EXACT + NULL,
    ChoiceKind: EXACT + NULL,
}


@dataclass(frozen=True, kw_only=True)
class ListField:
    """What one field of a list may be used for.

    ``column`` is a column, a model's attribute or any SQL expression (for ``category.slug``: a
    column of a table that the select joins). ``python_type`` is said where the column's own type
    does not say it (``UUID`` for ids kept as text, an ``Enum`` for its values kept as text).
    ``nullable`` is read from the column; say True for a column of an outer join.
    """

    column: sa.SQLColumnExpression[Any]
    operators: tuple[Operator, ...] = ()
    sort: bool = False
    search: bool = False
    python_type: type | None = None
    nullable: bool | None = None
    description: str = ""

    @classmethod
    def full(
        cls, column: sa.SQLColumnExpression[Any], *, python_type: type | None = None
    ) -> ListField:
        """Allow all that the column's type has: every operator, and sorting if it can be sorted.

        Raises:
            TypeError: it has a type that lists cannot filter by.
        """
        element = _element(column)
        operators = _operators(_kind(element.type, str(column), wanted=python_type))
        if not getattr(element, "nullable", True):
            operators = tuple(name for name in operators if name not in NULL)
        sort = _order_fault(_stored(element.type)) is None
        return cls(column=column, operators=operators, sort=sort, python_type=python_type)


@dataclass(frozen=True, eq=False)
class BoundField:
    """A field made ready.

    ``exact`` is its column for equality, ``ordinal`` for ranges and order. ``order_fault`` says
    why it cannot be sorted by, if so.
    """

    name: str
    declared: ListField
    column: sa.ColumnElement[Any]
    kind: Kind
    nullable: bool
    exact: sa.ColumnElement[Any]
    ordinal: sa.ColumnElement[Any]
    order_fault: str | None

    def value(self, value: Any) -> sa.BindParameter[Any]:
        """Give a bound parameter for a parsed value."""
        return sa.literal(self.kind.bind(value), self.column.type)


def _integer(stored: TypeEngine[Any]) -> IntKind:
    """Take numbers that the column can hold; PostgreSQL's driver refuses others."""
    bits = 32
    if isinstance(stored, (sa.SmallInteger, sa.BigInteger)):
        bits = 16 if isinstance(stored, sa.SmallInteger) else 64
    return IntKind(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _decimal(stored: TypeEngine[Any]) -> DecimalKind:
    """Take numbers that the column can hold; PostgreSQL would round or refuse others."""
    if isinstance(stored, sa.Numeric) and stored.precision is not None:
        places = stored.scale or 0
        return DecimalKind(digits=max(1, stored.precision - places), places=places)
    return DecimalKind()


def _choice(stored: sa.Enum) -> ChoiceKind:
    if stored.enum_class is None:
        return ChoiceKind({value: value for value in stored.enums})
    return ChoiceKind({member.value: member for member in stored.enum_class})


_FROM_STORED: Final[dict[type, Callable[[TypeEngine[Any]], Kind]]] = {
    str: lambda _: TextKind(),
    bool: lambda _: BoolKind(),
    int: _integer,
    Decimal: _decimal,
    float: lambda _: FloatKind(),
    datetime: lambda stored: DateTimeKind(naive=not getattr(stored, "timezone", True)),
    date: lambda _: DateKind(),
}


def bind_field(name: str, declared: ListField) -> BoundField:
    """Make a field ready.

    Raises:
        ValueError: the declaration contradicts itself.
        TypeError: it has a type that lists cannot filter by.
    """
    if not _NAME.fullmatch(name) or name in RESERVED or _LOGIC & set(name.split(".")):
        msg = f"{name!r} cannot be the name of a list's field."
        raise ValueError(msg)
    column = _element(declared.column)
    kind, stored = _kind(column.type, name, wanted=declared.python_type), _stored(column.type)
    textual = isinstance(stored, sa.String) and isinstance(kind, (TextKind, ChoiceKind))
    _check_use(name, declared, kind=kind)
    order_fault = _order_fault(stored)
    if declared.sort and order_fault:
        msg = f"The list field {name!r} cannot be sorted by: {order_fault}."
        raise ValueError(msg)
    nullable = declared.nullable
    return BoundField(
        name=name,
        declared=declared,
        column=column,
        kind=kind,
        nullable=getattr(column, "nullable", True) if nullable is None else nullable,
        exact=Exact(column) if isinstance(kind, TextKind) else column,
        ordinal=Ordinal(column) if textual else column,
        order_fault=order_fault,
    )


def _element(column: Any) -> sa.ColumnElement[Any]:
    """Give a model's attribute as the column it stands for, and anything else as it is."""
    found: sa.ColumnElement[Any] = getattr(column, "__clause_element__", lambda: column)()
    return found


def _stored(declared: TypeEngine[Any]) -> TypeEngine[Any]:
    while isinstance(declared, TypeDecorator):
        declared = declared.impl_instance
    return declared


def _python_type(declared: TypeEngine[Any]) -> type:
    for candidate in (declared, _stored(declared)):
        try:
            found = candidate.python_type
        except NotImplementedError:
            continue
        if found is not object:
            return found
    return object


def _kind(declared: TypeEngine[Any], name: str, *, wanted: type | None) -> Kind:
    stored, own = _stored(declared), _python_type(declared)
    target = wanted or own
    if target is UUID or isinstance(declared, Id) or isinstance(stored, sa.Uuid):
        return IdKind(native=own is UUID)
    if isinstance(stored, sa.Enum):
        return _choice(stored)
    if issubclass(target, Enum):
        members = {member.value: member for member in target}
        return ChoiceKind(members, stored=None if own is target else attrgetter("value"))
    if target in _FROM_STORED:
        return _FROM_STORED[target](stored)
    msg = f"The list field {name!r} has a type that lists do not know."
    raise TypeError(msg)


def _operators(kind: Kind) -> tuple[Operator, ...]:
    return _OPERATORS.get(type(kind), EXACT + RANGE + NULL)


def _check_use(name: str, declared: ListField, *, kind: Kind) -> None:
    allowed = _operators(kind)
    wrong = [operator for operator in declared.operators if operator not in allowed]
    if wrong:
        msg = f"The list field {name!r} cannot have the operators {', '.join(wrong)}."
        raise ValueError(msg)
    if declared.search and not isinstance(kind, TextKind):
        msg = f"The list field {name!r} is no text, so it cannot be searched."
        raise ValueError(msg)


def _order_fault(stored: TypeEngine[Any]) -> str | None:
    """Say why a column of this type cannot be sorted by; None if it can.

    An Enum is ordered by name here and by position there; MariaDB compares no single-precision
    number with the same one read before, and sorts by the first 1,024 bytes of a text.
    """
    if isinstance(stored, sa.Enum):
        return "keep the Enum as text"
    if isinstance(stored, sa.Text) or (
        isinstance(stored, sa.String) and (stored.length or 0) > LONGEST_SORTED
    ):
        return f"a text must be of at most {LONGEST_SORTED} characters"
    if isinstance(stored, sa.Float) and not isinstance(stored, sa.Double):
        return None if (stored.precision or 0) >= _DOUBLE_BITS else "use Double"
    return None

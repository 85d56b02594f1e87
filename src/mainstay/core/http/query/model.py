"""What a list request says once it is parsed: conditions, words, order, part of the list."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

Operator: TypeAlias = Literal[
    "eq",
    "ne",
    "gt",
    "gte",
    "lt",
    "lte",
    "in",
    "notin",
    "contains",
    "icontains",
    "startswith",
    "isnull",
]

EXACT: Final[tuple[Operator, ...]] = ("eq", "ne", "in", "notin")
RANGE: Final[tuple[Operator, ...]] = ("gt", "gte", "lt", "lte")
TEXT: Final[tuple[Operator, ...]] = ("contains", "icontains", "startswith")
NULL: Final[tuple[Operator, ...]] = ("isnull",)

MAX_OFFSET: Final = 10_000
"""Rows that may be skipped by ``offset``; beyond, a cursor is the way."""

MAX_LIST: Final = 100
"""Values that ``in`` and ``notin`` take."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison. ``value`` is parsed; a tuple for ``in`` and ``notin``, a bool for ``isnull``.

    An empty ``in`` is true of no row, an empty ``notin`` of every row.
    """

    field: str
    operator: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class AllOf:
    """True where every part is; at least one part."""

    parts: tuple[Where, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True where at least one part is; at least one part."""

    parts: tuple[Where, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The exact complement: true of every row of which the part is not true."""

    part: Where


Where: TypeAlias = Condition | AllOf | AnyOf | Not


@dataclass(frozen=True, slots=True)
class SortKey:
    """A field to sort by."""

    field: str
    descending: bool = False


@dataclass(frozen=True)
class ListQuery:
    """A parsed list request.

    ``sort`` ends with the tie-breaker, so it orders every row. ``offset`` is None where the client
    sent none; ``offset`` and ``cursor`` are never both set. ``total`` is None where the client
    left the choice to us.
    """

    sort: tuple[SortKey, ...]
    limit: int
    where: Where | None = None
    words: tuple[str, ...] = ()
    offset: int | None = None
    cursor: str | None = None
    total: bool | None = None

    @cached_property
    def fingerprint(self) -> bytes:
        """The hash that binds a cursor: filter, words and sort, however ANDs were ordered."""
        parts = [
            None if self.where is None else _canonical(self.where),
            sorted(self.words),
            [[key.field, key.descending] for key in self.sort],
        ]
        return hashlib.sha256(_dump(parts).encode()).digest()


def conjunction(parts: list[Where]) -> Where | None:
    """Join conditions that all must hold; None if there are none."""
    if len(parts) < 2:  # noqa: PLR2004
        return parts[0] if parts else None
    return AllOf(tuple(parts))


def _canonical(node: Where) -> list[Any]:
    match node:
        case Condition(field, operator, tuple() as values):
            return [field, operator, sorted({_dump(value) for value in values})]
        case Condition(field, operator, value):
            return [field, operator, value]
        case Not(part):
            return ["not", _canonical(part)]
        case AllOf(parts) | AnyOf(parts):
            name = "and" if isinstance(node, AllOf) else "or"
            return [name, *sorted((_canonical(part) for part in parts), key=_dump)]


def _dump(value: object) -> str:
    return json.dumps(value, default=_plain, separators=(",", ":"))


def _plain(value: object) -> object:
    match value:
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case Enum():
            return value.value
    msg = f"{type(value).__name__} is no value of a condition."
    raise TypeError(msg)

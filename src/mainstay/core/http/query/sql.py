"""List requests as SQL: conditions, order, and the condition of standing after a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from mainstay.core.http.query.constructs import (
    Contains,
    ContainsCaseBlind,
    Needle,
    NullsFirst,
    NullsLast,
)
from mainstay.core.http.query.fields import BoundField
from mainstay.core.http.query.model import AllOf, AnyOf, Condition, ListQuery, Not, SortKey, Where
from mainstay.core.http.query.spec import ListSpec

Clause: TypeAlias = sa.ColumnElement[bool]

_LAST_CODE_POINT: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)


def conditions(spec: ListSpec, query: ListQuery) -> list[Clause]:
    """Give what rows must fulfil: the filter's conditions, and one for each word of ``q``."""
    clauses = [] if query.where is None else [_compile(spec, query.where)]
    clauses.extend(_word(spec, word) for word in query.words)
    return clauses


@lru_cache(maxsize=256)
def ordering(
    spec: ListSpec, sort: tuple[SortKey, ...], *, backward: bool = False
) -> tuple[sa.ColumnElement[Any], ...]:
    """Give the keys of ORDER BY; NULLs are the greatest values. ``backward`` turns all round."""
    return tuple(
        _order(spec.bound[key.field], descending=key.descending != backward) for key in sort
    )


def beyond(
    spec: ListSpec, sort: Sequence[SortKey], *, values: Sequence[Any], backward: bool
) -> Clause:
    """Give the condition of standing after (``backward``: before) the row with these sort values.

    Each key gives ``k >= v AND (k > v OR rest)``, so that an index on the first key bounds the
    scan. ``values`` are as columns take them, None for NULL; the last key is never NULL.
    """
    clause: Clause | None = None
    for key, value in zip(reversed(sort), reversed(values), strict=True):
        known = spec.bound[key.field]
        descending = key.descending != backward
        after = _after(known, value, descending=descending)
        if clause is None:
            clause = after
            continue
        tied = clause if after is None else sa.or_(after, clause)
        reached = _reached(known, value, descending=descending)
        clause = tied if reached is None else sa.and_(reached, tied)
    if clause is None:
        msg = "There is nothing to stand after without a sort key."
        raise ValueError(msg)
    return clause


def _order(known: BoundField, *, descending: bool) -> sa.ColumnElement[Any]:
    if known.nullable:
        return NullsFirst(known.ordinal) if descending else NullsLast(known.ordinal)
    return known.ordinal.desc() if descending else known.ordinal.asc()


def _after(known: BoundField, value: Any, *, descending: bool) -> Clause | None:
    """Give the condition of being strictly after ``value``; None if nothing is."""
    column = known.ordinal
    if value is None:
        return known.column.is_not(None) if descending else None
    bound = sa.literal(value, known.column.type)
    if descending:
        return column < bound
    greater = column > bound
    return sa.or_(greater, known.column.is_(None)) if known.nullable else greater


def _reached(known: BoundField, value: Any, *, descending: bool) -> Clause | None:
    """Give the condition of being at ``value`` or after it; None if everything is."""
    column = known.ordinal
    if value is None:
        return None if descending else known.column.is_(None)
    bound = sa.literal(value, known.column.type)
    if descending:
        return column <= bound
    reached = column >= bound
    return sa.or_(reached, known.column.is_(None)) if known.nullable else reached


def _compile(spec: ListSpec, node: Where) -> Clause:
    match node:
        case Condition(field, operator, value):
            return _OPERATORS[operator](spec.bound[field], value)
        case AllOf(parts):
            return sa.and_(*(_compile(spec, part) for part in parts))
        case AnyOf(parts):
            return sa.or_(*(_compile(spec, part) for part in parts))
        case Not(part):
            # NOT alone would leave out the rows where a NULL makes the part unknown.
            return _compile(spec, part).self_group().is_not(sa.true())


def _word(spec: ListSpec, word: str) -> Clause:
    needle = sa.literal(word, Needle())
    return sa.or_(*(ContainsCaseBlind(known.column, needle) for known in spec.searched))


def _equal(known: BoundField, value: Any) -> Clause:
    return known.exact == known.value(value)


def _unequal(known: BoundField, value: Any) -> Clause:
    return _or_null(known, known.exact != known.value(value))


def _in(known: BoundField, values: tuple[Any, ...]) -> Clause:
    if not values:
        return sa.false()
    return known.exact.in_(_several(known, values))


def _not_in(known: BoundField, values: tuple[Any, ...]) -> Clause:
    if not values:
        return sa.true()
    return _or_null(known, known.exact.not_in(_several(known, values)))


def _several(known: BoundField, values: tuple[Any, ...]) -> sa.BindParameter[Any]:
    bound = [known.kind.bind(value) for value in values]
    return sa.bindparam(None, bound, type_=known.column.type, unique=True, expanding=True)


def _or_null(known: BoundField, clause: Clause) -> Clause:
    return sa.or_(clause, known.column.is_(None)) if known.nullable else clause


def _is_null(known: BoundField, value: bool) -> Clause:  # noqa: FBT001
    return known.column.is_(None) if value else known.column.is_not(None)


def _starts_with(known: BoundField, prefix: str) -> Clause:
    """A range, so that an index serves it."""
    if not prefix:
        return known.column.is_not(None)
    reached = known.ordinal >= known.value(prefix)
    end = _end_of_prefix(prefix)
    return reached if end is None else sa.and_(reached, known.ordinal < known.value(end))


def _end_of_prefix(prefix: str) -> str | None:
    """Give the least text that is greater than all texts with the prefix; None if there is none."""
    kept = prefix.rstrip(chr(_LAST_CODE_POINT))
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    if following in _SURROGATES:
        following = _SURROGATES.stop
    return kept[:-1] + chr(following)


def _holds(known: BoundField, value: str) -> Clause:
    return Contains(known.column, known.value(value))


def _holds_case_blind(known: BoundField, value: str) -> Clause:
    return ContainsCaseBlind(known.column, sa.literal(value, Needle()))


_OPERATORS: Final[dict[str, Callable[[BoundField, Any], Clause]]] = {
    "eq": _equal,
    "ne": _unequal,
    "gt": lambda known, value: known.ordinal > known.value(value),
    "gte": lambda known, value: known.ordinal >= known.value(value),
    "lt": lambda known, value: known.ordinal < known.value(value),
    "lte": lambda known, value: known.ordinal <= known.value(value),
    "in": _in,
    "notin": _not_in,
    "contains": _holds,
    "icontains": _holds_case_blind,
    "startswith": _starts_with,
    "isnull": _is_null,
}

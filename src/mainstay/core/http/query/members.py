"""What a query string and a search body have in common: conditions, order, words, limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from mainstay.core.errors import (
    FieldError,
    OffsetTooLargeError,
    PaginationConflictError,
    SortFieldUnknownError,
)
from mainstay.core.http.query.faults import Faults, ValueFaultError
from mainstay.core.http.query.fields import BoundField
from mainstay.core.http.query.model import (
    MAX_LIST,
    MAX_OFFSET,
    Condition,
    ListQuery,
    Operator,
    SortKey,
    Where,
)
from mainstay.core.http.query.spec import ListSpec
from mainstay.core.http.query.values import BoolKind, IntKind, Kind, OpaqueKind, TextKind

MAX_SORT_KEYS: Final = 8
MAX_WORDS: Final = 10
MAX_SEARCH: Final = 200
"""Characters of ``q``."""

_BOOL: Final = BoolKind()


class Reader(Protocol):
    """The difference between the two: how values are written, and how places are named."""

    def place(self, name: str) -> Mapping[str, str]:
        """Give ``parameter`` or ``pointer`` of a member."""

    def value(self, kind: Kind, raw: Any) -> Any:
        """Parse one value."""

    def several(self, raw: Any) -> list[Any]:
        """Take a list apart, without parsing its values."""


def common_names(spec: ListSpec) -> tuple[str, ...]:
    """Give the names of the members besides the filters."""
    names = ("limit", "offset", "cursor", "total", "sort")
    return (*names, "q") if spec.searched else names


def condition(known: BoundField, operator: Operator, *, raw: Any, reader: Reader) -> Condition:
    """Parse the value of one comparison; a malformed id becomes one that equals no row's.

    Raises:
        ValueFaultError: the value does not fit.
    """
    if operator == "isnull":
        return Condition(known.name, operator, reader.value(_BOOL, raw))
    if operator in {"in", "notin"}:
        parsed = [reader.value(known.kind, item) for item in _bounded(reader.several(raw))]
        return Condition(known.name, operator, tuple(v for v in parsed if v is not None))
    value = reader.value(known.kind, raw)
    if value is None:
        return Condition(known.name, "in" if operator == "eq" else "notin", ())
    return Condition(known.name, operator, value)


def list_query(
    spec: ListSpec, given: Mapping[str, Any], *, where: Where | None, faults: Faults, reader: Reader
) -> ListQuery:
    """Read the members besides the filters; what is wrong goes to ``faults``.

    Raises:
        PaginationConflictError: both ``offset`` and ``cursor`` were sent.
    """
    if "offset" in given and "cursor" in given:
        raise _conflict(reader)
    values: dict[str, Any] = {}
    for name, kind in (("limit", spec.limits), *_KINDS):
        if name in given:
            try:
                value = reader.value(kind, given[name])
                values[name] = _REFINED[name](spec, value) if name in _REFINED else value
            except ValueFaultError as fault:
                faults.add(reader.place(name), fault)
    return ListQuery(
        sort=values.get("sort", spec.default_order),
        limit=values.get("limit", spec.default_limit),
        where=where,
        words=values.get("q", ()),
        offset=values.get("offset"),
        cursor=values.get("cursor"),
        total=values.get("total"),
    )


def _conflict(reader: Reader) -> PaginationConflictError:
    detail = "Send either offset or cursor."
    errors = [
        FieldError(
            detail=detail,
            code=PaginationConflictError.code,
            parameter=place.get("parameter"),
            pointer=place.get("pointer"),
        )
        for place in map(reader.place, ("offset", "cursor"))
    ]
    return PaginationConflictError(detail, errors=errors)


def _bounded(items: list[Any]) -> list[Any]:
    if not items:
        raise ValueFaultError("too_short", "Give at least one value.", min_length=1)
    if len(items) > MAX_LIST:
        raise ValueFaultError("too_long", f"Give at most {MAX_LIST} values.", max_length=MAX_LIST)
    return items


def _offset(_: ListSpec, value: int) -> int:
    if value > MAX_OFFSET:
        code, detail = OffsetTooLargeError.code, f"Must be {MAX_OFFSET} or less; use cursor beyond."
        raise ValueFaultError(code, detail, le=MAX_OFFSET)
    return value


def _words(_: ListSpec, text: str) -> tuple[str, ...]:
    if len(text) > MAX_SEARCH:
        detail = f"Must be {MAX_SEARCH} characters or less."
        raise ValueFaultError("string_too_long", detail, max_length=MAX_SEARCH)
    words = tuple(dict.fromkeys(text.split()))
    if len(words) > MAX_WORDS:
        raise ValueFaultError("too_long", f"Give at most {MAX_WORDS} words.", max_length=MAX_WORDS)
    return words


def _sort(spec: ListSpec, text: str) -> tuple[SortKey, ...]:
    parts = text.split(",")
    if len(parts) > MAX_SORT_KEYS:
        detail = f"Sort by at most {MAX_SORT_KEYS} fields."
        raise ValueFaultError("too_long", detail, max_length=MAX_SORT_KEYS)
    keys = []
    for part in parts:
        known = spec.names.get(part.removeprefix("-"))
        if known is None or not known.declared.sort:
            allowed = list(spec.sortable)
            detail = f"Sort by one of: {', '.join(allowed)}." if allowed else "This has one order."
            raise ValueFaultError(SortFieldUnknownError.code, detail, allowed=allowed)
        keys.append(SortKey(known.name, part.startswith("-")))
    return spec.complete(keys)


_KINDS: Final[tuple[tuple[str, Kind], ...]] = (
    ("offset", IntKind(0, 2**63 - 1)),
    ("cursor", OpaqueKind()),
    ("total", _BOOL),
    ("sort", TextKind()),
    ("q", TextKind()),
)
_REFINED: Final[Mapping[str, Callable[[ListSpec, Any], Any]]] = {
    "offset": _offset,
    "sort": _sort,
    "q": _words,
}

"""From a query string to a ``ListQuery``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl

from mainstay.core.errors import BadRequestError
from mainstay.core.http.query.faults import Faults, ValueFaultError
from mainstay.core.http.query.members import common_names, condition, list_query
from mainstay.core.http.query.model import ListQuery, Where, conjunction
from mainstay.core.http.query.spec import ListSpec
from mainstay.core.http.query.values import Kind

MAX_PARAMETERS: Final = 100

_CACHED: Final = 256
_LONGEST_CACHED: Final = 512
_LONGEST_PLACE: Final = 100


def parser(spec: ListSpec) -> Callable[[bytes], ListQuery]:
    """Give the parser of a list's query strings; it remembers the short ones it has seen.

    It raises what ``parse_query`` raises.
    """

    @lru_cache(maxsize=_CACHED)
    def remembered(raw: bytes) -> ListQuery:
        return parse_query(spec, raw)

    def parse(raw: bytes) -> ListQuery:
        return remembered(raw) if len(raw) <= _LONGEST_CACHED else parse_query(spec, raw)

    return parse


def parse_query(spec: ListSpec, raw: bytes) -> ListQuery:
    """Parse a query string (without ``?``).

    Raises:
        BadRequestError: it is no percent-encoded UTF-8, or has more than 100 parameters.
        PaginationConflictError: both ``offset`` and ``cursor`` were sent.
        ValidationFailedError: parameters are wrong; each of them is named.
    """
    faults, reader = Faults(), _Text()
    names = common_names(spec)
    common: dict[str, str] = {}
    parts: list[Where] = []
    for name, text in _parameters(raw, faults=faults, reader=reader).items():
        if name in spec.filters:
            known, operator = spec.filters[name]
            try:
                parts.append(condition(known, operator, raw=text, reader=reader))
            except ValueFaultError as fault:
                faults.add(reader.place(name), fault)
        elif name in names:
            common[name] = text
        elif name not in spec.also:
            faults.unknown(reader.place(name), name, known=_candidates(spec, name, common=names))
    query = list_query(spec, common, where=conjunction(parts), faults=faults, reader=reader)
    faults.raise_any()
    return query


def _candidates(spec: ListSpec, name: str, *, common: Iterable[str]) -> Iterable[str]:
    """Give what an unknown parameter may have meant: with a known field, its own operators."""
    field, has_operator, _ = name.partition("__")
    if has_operator and field in spec.names:
        return (known for known in spec.filters if known.partition("__")[0] == field)
    return (*common, *spec.filters, *spec.also)


class _Text:
    """Reads the texts of a query string."""

    def place(self, name: str) -> Mapping[str, str]:
        return {"parameter": name[:_LONGEST_PLACE]}

    def value(self, kind: Kind, raw: str) -> Any:
        return kind.parse(raw)

    def several(self, raw: str) -> list[str]:
        return raw.split(",") if raw else []


def _parameters(raw: bytes, *, faults: Faults, reader: _Text) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError:
        detail = f"Send at most {MAX_PARAMETERS} parameters, in percent-encoded UTF-8."
        raise BadRequestError(detail) from None
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                faults.add(reader.place(name), ValueFaultError("duplicate", "Give this once."))
            seen.add(name)
    return parameters

"""From the JSON body of a search to a ``ListQuery``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from mainstay.core.errors import UnknownFieldError
from mainstay.core.http.query.faults import Faults, ValueFaultError
from mainstay.core.http.query.fields import BoundField
from mainstay.core.http.query.members import common_names, condition, list_query
from mainstay.core.http.query.model import (
    AllOf,
    AnyOf,
    ListQuery,
    Not,
    Where,
    conjunction,
)
from mainstay.core.http.query.spec import ListSpec
from mainstay.core.http.query.values import Kind

MAX_DEPTH: Final = 8
"""How deep ``and``, ``or`` and ``not`` may be nested."""

MAX_CONDITIONS: Final = 100
"""How many conditions a search may have."""

_LONGEST_PLACE: Final = 100


def parse_search(spec: ListSpec, body: object) -> ListQuery:
    """Parse a search body that is JSON already; null for a member is the same as leaving it out.

    In ``where``, keys beside each other are ANDed and null stands for IS NULL.

    Raises:
        PaginationConflictError: both ``offset`` and ``cursor`` were sent.
        ValidationFailedError: members are wrong; each of them has its JSON pointer.
    """
    faults, reader = Faults(), _Json()
    if not isinstance(body, dict):
        faults.add({"pointer": "#"}, _wrong_object(body))
        faults.raise_any()
        return ListQuery(spec.default_order, spec.default_limit)
    given = {name: value for name, value in body.items() if value is not None}
    where = None
    if "where" in given:
        where = _Tree(spec, faults).root(given.pop("where"), "#/where")
    names = common_names(spec)
    for name in given.keys() - set(names):
        faults.unknown(reader.place(name), name, known=["where", *names])
    query = list_query(spec, given, where=where, faults=faults, reader=reader)
    faults.raise_any()
    return query


class _Json:
    """Reads the members of a JSON body."""

    def place(self, name: str) -> Mapping[str, str]:
        return {"pointer": _under("#", name)}

    def value(self, kind: Kind, raw: object) -> Any:
        return kind.parse_json(raw)

    def several(self, raw: object) -> list[Any]:
        if not isinstance(raw, list):
            raise ValueFaultError("list_type", "Must be an array.")
        return raw


class _Tree:
    """Parses ``where``, within bounds."""

    def __init__(self, spec: ListSpec, faults: Faults) -> None:
        self._spec = spec
        self._faults = faults
        self._left = MAX_CONDITIONS
        self._reader = _Json()

    def root(self, node: object, pointer: str) -> Where | None:
        """Parse the whole; None if it holds no condition."""
        return None if node == {} else self._object(node, pointer, depth=0)

    def _object(self, node: object, pointer: str, *, depth: int) -> Where | None:
        """Parse an object of conditions; None if something is wrong with it."""
        if not isinstance(node, dict) or not node or depth > MAX_DEPTH:
            self._fault(pointer, _wrong_object(node))
            return None
        parts: list[Where] = []
        for name, value in node.items():
            if self._stopped():
                break
            parts.extend(self._member(name, value, pointer=_under(pointer, name), depth=depth))
        return conjunction(parts)

    def _member(self, name: str, value: object, *, pointer: str, depth: int) -> Iterable[Where]:
        if name == "not":
            part = self._object(value, pointer, depth=depth + 1)
            return () if part is None else (Not(part),)
        if name in {"and", "or"}:
            parts = self._objects(value, pointer, depth=depth + 1)
            if len(parts) > 1:
                return (AllOf(parts) if name == "and" else AnyOf(parts),)
            return parts
        known = self._spec.names.get(name)
        if known is None or not known.declared.operators:
            names = [n for n, field in self._spec.names.items() if field.declared.operators]
            self._faults.unknown({"pointer": pointer}, name, known=[*names, "and", "or", "not"])
            return ()
        if isinstance(value, dict):
            return self._comparisons(known, value, pointer=pointer)
        return self._comparison(known, "eq", value=value, pointer=pointer)

    def _objects(self, nodes: object, pointer: str, *, depth: int) -> tuple[Where, ...]:
        if not isinstance(nodes, list):
            self._fault(pointer, ValueFaultError("list_type", "Must be an array."))
            return ()
        if not nodes:
            self._fault(pointer, _empty())
        parts = []
        for index, node in enumerate(nodes):
            if self._stopped():
                break
            part = self._object(node, f"{pointer}/{index}", depth=depth)
            if part is not None:
                parts.append(part)
        return tuple(parts)

    def _comparisons(
        self, known: BoundField, comparisons: dict[str, object], *, pointer: str
    ) -> list[Where]:
        if not comparisons:
            self._fault(pointer, _empty())
        parts: list[Where] = []
        for operator, value in comparisons.items():
            if self._stopped():
                break
            found = self._comparison(
                known, operator, value=value, pointer=_under(pointer, operator)
            )
            parts.extend(found)
        return parts

    def _comparison(
        self, known: BoundField, operator: str, *, value: object, pointer: str
    ) -> Iterable[Where]:
        self._left -= 1
        if self._stopped():
            detail = f"Give at most {MAX_CONDITIONS} conditions."
            fault = ValueFaultError("too_long", detail, max_length=MAX_CONDITIONS)
            self._fault("#/where", fault)
            return ()
        sought, raw = _without_null(operator, value)
        allowed = {name: name for name in known.declared.operators}
        if sought not in allowed:
            detail = f"Compare this by: {', '.join(allowed)}."
            self._fault(pointer, ValueFaultError(UnknownFieldError.code, detail))
            return ()
        try:
            return (condition(known, allowed[sought], raw=raw, reader=self._reader),)
        except ValueFaultError as fault:
            self._fault(pointer, fault)
            return ()

    def _stopped(self) -> bool:
        return self._left < 0 or self._faults.full

    def _fault(self, pointer: str, fault: ValueFaultError) -> None:
        self._faults.add({"pointer": pointer}, fault)


def _without_null(operator: str, value: object) -> tuple[str, object]:
    if value is None and operator in {"eq", "ne"}:
        return "isnull", operator == "eq"
    return operator, value


def _under(pointer: str, name: str) -> str:
    """Give the JSON pointer of a member (RFC 6901)."""
    return f"{pointer}/{name[:_LONGEST_PLACE].replace('~', '~0').replace('/', '~1')}"


def _wrong_object(node: object) -> ValueFaultError:
    if not isinstance(node, dict):
        return ValueFaultError("dict_type", "Must be an object.")
    if not node:
        return _empty()
    return ValueFaultError("too_deep", f"Nest at most {MAX_DEPTH} deep.", max_depth=MAX_DEPTH)


def _empty() -> ValueFaultError:
    return ValueFaultError("too_short", "Give at least one condition.", min_length=1)

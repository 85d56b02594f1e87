"""The declaration of a resource's list: which fields it filters, sorts and searches by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from mainstay.core.http.query.fields import BoundField, ListField, bind_field
from mainstay.core.http.query.model import Operator, SortKey
from mainstay.core.http.query.values import IntKind


@dataclass(frozen=True, kw_only=True, eq=False)
class ListSpec:
    """A resource's list, declared once and checked when it is made.

    ``name`` is the resource's (``User``); it names schemas and binds cursors. ``key`` is the field
    of the primary key, which breaks ties. ``also`` names further query parameters of the route,
    which are left to it. ``camel`` documents names in camelCase; snake_case is accepted besides.

    Raises:
        ValueError: the declaration contradicts itself.
        TypeError: a field has a type that lists cannot filter by.
    """

    name: str
    fields: Mapping[str, ListField]
    key: str = "id"
    default_sort: str = ""
    default_limit: int = 25
    max_limit: int = 100
    also: frozenset[str] = frozenset()
    camel: bool = False
    bound: Mapping[str, BoundField] = field(init=False)

    def __post_init__(self) -> None:
        bound = {name: bind_field(name, declared) for name, declared in self.fields.items()}
        object.__setattr__(self, "bound", bound)
        if self.key not in bound or bound[self.key].nullable:
            msg = f"The list of {self.name} needs its key {self.key!r} among its fields, NOT NULL."
            raise ValueError(msg)
        if not 1 <= self.default_limit <= self.max_limit:
            msg = f"The list of {self.name} needs 1 <= default_limit <= max_limit."
            raise ValueError(msg)
        _ = self.default_order

    @cached_property
    def names(self) -> dict[str, BoundField]:
        """The fields by every name that is accepted for them."""
        accepted = {self.public(name): known for name, known in self.bound.items()}
        return accepted | dict(self.bound)

    @cached_property
    def filters(self) -> dict[str, tuple[BoundField, Operator]]:
        """What each filter parameter means, by every name that is accepted for it."""
        return {
            name if operator == "eq" else f"{name}__{operator}": (known, operator)
            for name, known in self.names.items()
            for operator in known.declared.operators
        }

    @cached_property
    def sortable(self) -> tuple[str, ...]:
        """The fields that may be sorted by, as documented."""
        return tuple(self.public(name) for name, f in self.fields.items() if f.sort)

    @cached_property
    def searched(self) -> tuple[BoundField, ...]:
        """The fields that ``q`` looks into."""
        return tuple(known for known in self.bound.values() if known.declared.search)

    @cached_property
    def limits(self) -> IntKind:
        """What ``limit`` may be."""
        return IntKind(1, self.max_limit)

    @cached_property
    def default_order(self) -> tuple[SortKey, ...]:
        """The order where the client asks for none, with the tie-breaker."""
        keys = []
        for part in filter(None, self.default_sort.split(",")):
            key = SortKey(part.removeprefix("-"), part.startswith("-"))
            if key.field not in self.bound or self.bound[key.field].order_fault:
                msg = f"The list of {self.name} cannot be sorted by {key.field!r} as its default."
                raise ValueError(msg)
            keys.append(key)
        return self.complete(keys)

    def public(self, name: str) -> str:
        """Give a field's documented name."""
        if not self.camel:
            return name
        return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)

    def complete(self, keys: list[SortKey]) -> tuple[SortKey, ...]:
        """Add the tie-breaker, in the direction of the last key; drop what can decide nothing."""
        kept: dict[str, SortKey] = {}
        for key in keys:
            kept.setdefault(key.field, key)
            if key.field == self.key:
                break
        else:
            kept.setdefault(self.key, SortKey(self.key, bool(keys) and keys[-1].descending))
        return tuple(kept.values())

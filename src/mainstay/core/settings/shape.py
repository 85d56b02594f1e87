"""What a field's annotation says about reading, describing and hiding its value."""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from datetime import timedelta
from enum import Enum
from functools import cache
from pathlib import PurePath
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    is_typeddict,
)

from pydantic import BaseModel, Secret, SecretBytes, SecretStr
from pydantic.fields import FieldInfo

from mainstay.core.settings.describing import describe
from mainstay.core.settings.markers import Names, Shown, Takes
from mainstay.core.settings.masking import MASK, mask_url, named_as_secret, show
from mainstay.core.settings.splitting import parse_json, split_list

Reading = Literal["text", "scalar", "choice", "list", "json"]
"""How a field reads text: as it is, without blanks at its ends, by its choices, or as JSON."""

_Marker = TypeVar("_Marker")
_FILE_ENDINGS: Final = ("URL", "KEY", "PASSWORD", "SECRET", "TOKEN", "DSN")


@dataclass(frozen=True, slots=True)
class Shape:
    """A field as settings see it.

    ``names`` holds its own name, then the further ones; ``ruled`` says that ``takes`` was written
    by hand and needs no word of a validator beside it.
    """

    names: tuple[str, ...]
    reading: Reading
    optional: bool
    secret: bool
    choices: tuple[Any, ...]
    takes: str
    ruled: bool
    as_text: Callable[[Any], str] | None

    @property
    def name(self) -> str:
        """The canonical name."""
        return self.names[0]

    @property
    def empty_is_unset(self) -> bool:
        """Say whether an empty variable counts as none."""
        return self.optional or self.reading != "text"

    @property
    def from_file(self) -> bool:
        """Say whether ``<NAME>_FILE`` may name a file that holds the value."""
        return self.secret or self.name.endswith(_FILE_ENDINGS)

    def decode(self, text: str) -> Any:
        """Turn the text of a variable into what the field's validators take.

        Raises:
            ValueError: it should be JSON and is not.
        """
        if self.reading == "text":
            return text
        if self.reading == "list":
            return split_list(text)
        text = text.strip()
        if self.reading == "json":
            return parse_json(text)
        matching = (c for c in self.choices if str(c).casefold() == text.casefold())
        return next(matching, text)

    def show(self, value: Any) -> str:
        """Give a value as it would be set, a secret masked; nothing for None or an empty list."""
        if self.secret:
            return MASK if value else ""
        return self.as_text(value) if self.as_text and value is not None else show(value)

    def public(self, text: str) -> str:
        """Give raw text of this field, masked."""
        return MASK if self.secret else mask_url(text)


@cache
def shapes(model: type[BaseModel]) -> Mapping[str, Shape]:
    """Give the shape of each field of a section, in the order of declaration."""
    model.model_rebuild()
    return {name: _shape(name, field) for name, field in model.model_fields.items()}


def _shape(name: str, field: FieldInfo) -> Shape:
    base, metadata, optional = _unwrap(field.annotation, list(field.metadata))
    secret = _has_secret(base) or (named_as_secret(name) and _may_be_secret(base))
    said = _last(Takes, metadata)
    shown = _last(Shown, metadata)
    more = [further for marker in _all(Names, metadata) for further in marker.names]
    reading = _reading(base)
    return Shape(
        names=tuple(dict.fromkeys([name, *more])),
        reading=reading,
        optional=optional,
        secret=secret,
        choices=get_args(base) if reading == "choice" else (),
        takes=said.text if said else describe(base, metadata),
        ruled=said is not None,
        as_text=shown.as_text if shown else None,
    )


def _unwrap(annotation: Any, metadata: list[Any]) -> tuple[Any, list[Any], bool]:
    """Take ``Annotated``, type aliases and ``| None`` off; nearer metadata comes first."""
    optional = False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            metadata = [*_flat(annotation.__metadata__), *metadata]
            annotation = annotation.__origin__
        elif hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        elif origin in {Union, types.UnionType}:
            members = [arg for arg in get_args(annotation) if arg is not type(None)]
            optional = optional or len(members) < len(get_args(annotation))
            if len(members) != 1:
                return annotation, metadata, optional
            annotation = members[0]
        else:
            return annotation, metadata, optional


def _flat(metadata: Iterable[Any]) -> Iterator[Any]:
    for item in metadata:
        yield from item.metadata if isinstance(item, FieldInfo) else (item,)


def _reading(base: Any) -> Reading:
    origin = get_origin(base) or base
    if origin is Literal:
        return "choice"
    if origin is Any or any(_is_text(member) for member in _members(base)):
        return "text"
    if _is_structured(origin):
        return "json"
    if isinstance(origin, type) and issubclass(origin, Collection) and not issubclass(origin, Enum):
        items = [_unwrap(arg, [])[0] for arg in get_args(base) if arg is not Ellipsis]
        nested = any(_is_structured(get_origin(item) or item) for item in items)
        return "json" if nested else "list"
    return "scalar"


def _members(base: Any) -> Iterator[Any]:
    is_union = get_origin(base) in {Union, types.UnionType}
    for member in get_args(base) if is_union else (base,):
        yield _unwrap(member, [])[0]


def _is_text(base: Any) -> bool:
    is_enum = isinstance(base, type) and issubclass(base, Enum)
    texts = (str, bytes, SecretStr, SecretBytes)
    return isinstance(base, type) and issubclass(base, texts) and not is_enum


def _is_structured(origin: Any) -> bool:
    if not isinstance(origin, type):
        return False
    known = (BaseModel, Mapping)
    return issubclass(origin, known) or is_dataclass(origin) or is_typeddict(origin)


def _may_be_secret(base: Any) -> bool:
    """Numbers, choices and paths are none, however they are named."""
    plain = (int, float, timedelta, Enum, PurePath)
    is_plain = isinstance(base, type) and issubclass(base, plain)
    return not is_plain and _reading(base) != "choice"


def _has_secret(annotation: Any, seen: frozenset[Any] = frozenset()) -> bool:
    base, _, _ = _unwrap(annotation, [])
    origin = get_origin(base) or base
    if isinstance(origin, type) and issubclass(origin, (Secret, SecretStr, SecretBytes)):
        return True
    inner: list[Any] = list(get_args(base)) if get_origin(base) is not Literal else []
    if isinstance(base, type) and issubclass(base, BaseModel) and base not in seen:
        seen |= {base}
        inner += [field.annotation for field in base.model_fields.values()]
    return any(_has_secret(item, seen) for item in inner)


def _all(kind: type[_Marker], metadata: list[Any]) -> list[_Marker]:
    return [item for item in metadata if isinstance(item, kind)]


def _last(kind: type[_Marker], metadata: list[Any]) -> _Marker | None:
    return next(iter(reversed(_all(kind, metadata))), None)

"""What a field takes, in words, from its type and its limits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from pathlib import PurePath
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr

from mainstay.core.settings.markers import Takes

ANYTHING: Final = "a valid value"
"""Said of a type that there are no words for."""

_WORDS: Final[Sequence[tuple[tuple[type, ...], str]]] = (
    ((bool,), "true or false"),
    ((int,), "a whole number"),
    ((float,), "a number"),
    ((timedelta,), "a duration such as 00:05:00 or PT5M"),
    ((PurePath,), "a path"),
    ((str, bytes, SecretStr, SecretBytes), "text"),
    ((BaseModel, Mapping), "a JSON object"),
)
_LIMITS: Final[Mapping[str, str]] = {
    "ge": "of at least {}",
    "gt": "above {}",
    "le": "of at most {}",
    "lt": "below {}",
    "min_length": "of length {} or more",
    "max_length": "of length {} or less",
    "pattern": "that matches {}",
}
"""The limits of annotated-types and pydantic, by the attribute that holds them."""


def describe(base: Any, metadata: Sequence[Any]) -> str:
    """Complete "PORT got 'x', takes ..."; ``base`` is without ``Annotated`` and ``| None``."""
    origin = get_origin(base) or base
    if origin is Literal:
        return either(get_args(base))
    if not isinstance(origin, type):
        return ANYTHING
    if issubclass(origin, Enum):
        return either([member.value for member in origin])
    for kinds, words in _WORDS:
        if issubclass(origin, kinds):
            return words + _limits(metadata)
    if issubclass(origin, Collection):
        return _list(base, metadata)
    return ANYTHING


def either(choices: Sequence[Any]) -> str:
    """Give ``a, b or c``."""
    *first, last = [str(choice) for choice in choices]
    return f"{', '.join(first)} or {last}" if first else last


def _list(base: Any, metadata: Sequence[Any]) -> str:
    item = next(iter(get_args(base)), str)
    inner = getattr(item, "__metadata__", ())
    said = next((marker.text for marker in inner if isinstance(marker, Takes)), None)
    words = said or describe(getattr(item, "__origin__", item), inner)
    if words == "a JSON object":
        return "a JSON list of objects" + _limits(metadata)
    each = "" if words in {"text", ANYTHING} else f", each {words}"
    return f"a comma separated or JSON list{_limits(metadata)}{each}"


def _limits(metadata: Sequence[Any]) -> str:
    found = {
        kind: getattr(item, kind) for item in metadata for kind in _LIMITS if hasattr(item, kind)
    }
    if found.keys() >= {"ge", "le"}:
        return f" from {found['ge']} to {found['le']}"
    said = [words.format(found[kind]) for kind, words in _LIMITS.items() if kind in found]
    return f" {' and '.join(said)}" if said else ""

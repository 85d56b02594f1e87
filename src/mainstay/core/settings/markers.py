"""What a field may say about itself inside ``Annotated``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]*")
"""The shape of a setting's name."""


@dataclass(frozen=True, slots=True, init=False)
class Names:
    """Further names under which a setting is read, after its own: ``Names("API_V1_STR")``.

    Raises:
        ValueError: a name is not in upper case.
    """

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        for name in names:
            if not VARIABLE.fullmatch(name):
                msg = f"{name!r} cannot be the name of a setting: use upper case, as in API_V1_STR."
                raise ValueError(msg)
        object.__setattr__(self, "names", names)


@dataclass(frozen=True, slots=True)
class Takes:
    """What a field takes, for its faults: completes "PORT got 'x', takes ..."."""

    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """How a field's value is written where ``str`` is not how it would be set."""

    as_text: Callable[[Any], str]

"""What happens to users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mainstay.core.events import Event


@dataclass(frozen=True, kw_only=True)
class UserCreated(Event):
    """An account was made; ``how`` is register, admin, setup or command."""

    name: ClassVar[str] = "user.created"

    how: str


@dataclass(frozen=True, kw_only=True)
class UserUpdated(Event):
    """Fields of an account were changed; their names, not their values."""

    name: ClassVar[str] = "user.updated"

    fields: tuple[str, ...]

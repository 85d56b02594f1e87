"""What happens to users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mainstay.core.events import Event


@dataclass(frozen=True, kw_only=True)
class UserCreated(Event):
    """An account was made; ``how`` is register, admin, setup, settings or command."""

    name: ClassVar[str] = "user.created"

    how: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class UserUpdated(Event):
    """Fields of an account were changed; their names, not their values."""

    name: ClassVar[str] = "user.updated"

    fields: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class UserDeactivated(Event):
    """An account was put out of use; its sessions end in the same transaction."""

    name: ClassVar[str] = "user.deactivated"


@dataclass(frozen=True, kw_only=True)
class UserActivated(Event):
    """An account was put back into use."""

    name: ClassVar[str] = "user.activated"


@dataclass(frozen=True, kw_only=True)
class UserDeleted(Event):
    """An account is deleted; subscribers in the transaction still find its row."""

    name: ClassVar[str] = "user.deleted"

"""What happens to sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mainstay.core.events import Event


@dataclass(frozen=True, kw_only=True)
class SessionStarted(Event):
    """Somebody signed in."""

    name: ClassVar[str] = "session.started"

    session_id: str


@dataclass(frozen=True, kw_only=True)
class SessionRefreshed(Event):
    """A refresh token was spent for new tokens."""

    name: ClassVar[str] = "session.refreshed"

    session_id: str


@dataclass(frozen=True, kw_only=True)
class RefreshRefused(Event):
    """A refresh token did not hold; ``reason`` is for the audit trail and is never answered."""

    name: ClassVar[str] = "session.refresh_refused"
    outcome: ClassVar[str] = "failure"

    reason: str
    session_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class SessionsRevoked(Event):
    """Sessions of a user were ended; ``because`` is logout, password_changed and so on."""

    name: ClassVar[str] = "session.revoked"

    session_ids: tuple[str, ...]
    because: str


@dataclass(frozen=True, kw_only=True)
class EverybodySignedOut(Event):
    """The sessions of all users were ended: so many, and maybe ``kept`` not."""

    name: ClassVar[str] = "session.all_revoked"

    revoked: int
    kept: str | None = None


@dataclass(frozen=True, kw_only=True)
class RefreshTokenReused(Event):
    """A spent refresh token came again after its grace window; the session was ended."""

    name: ClassVar[str] = "session.refresh_reused"
    outcome: ClassVar[str] = "failure"

    session_id: str

"""The bodies of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import StringConstraints

from mainstay.core.http.schema import Input, Output, UtcTime
from mainstay.features.sessions.device import describe_device

if TYPE_CHECKING:
    from mainstay.features.sessions.models import SessionRow


class RefreshBody(Input):
    """A refresh token."""

    refresh_token: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class LogoutEverywhereBody(Input):
    """Which sessions to end."""

    keep_current: bool = False


class Revoked(Output):
    """How many sessions were ended."""

    revoked: int


class SessionRead(Output):
    """One of the caller's sessions."""

    id: str
    device: str
    ip: str | None
    created_at: UtcTime
    last_seen_at: UtcTime
    expires_at: UtcTime
    current: bool


def show_session(row: SessionRow, current_id: str | None) -> SessionRead:
    """Give the outside form of a session."""
    return SessionRead(
        id=row.id,
        device=describe_device(row.user_agent),
        ip=row.ip,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        expires_at=row.expires_at,
        current=row.id == current_id,
    )

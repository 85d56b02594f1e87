"""Where an action comes from: request, job or command line; read by audit, mail and logs."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Origin:
    """The source of what happens now. ``actor_id`` is filled once the caller is known."""

    request_id: str
    channel: str = "api"
    ip: str | None = None
    user_agent: str | None = None
    actor_id: str | None = None
    session_id: str | None = None


_current: ContextVar[Origin | None] = ContextVar("mainstay_origin", default=None)

SYSTEM = Origin(request_id="system", channel="system")


def current_origin() -> Origin:
    """Give the origin of the running request, job or command; the system's own if there is none."""
    return _current.get() or SYSTEM


set_origin = _current.set
reset_origin = _current.reset

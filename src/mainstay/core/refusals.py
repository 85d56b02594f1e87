"""Refusals by a rule of the service, such as rank: noted for the audit trail as they are raised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mainstay.core.events import Event, outlive

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.errors import ProblemError


@dataclass(frozen=True, kw_only=True)
class ActionRefused(Event):
    """A signed-in caller was refused an action; ``reason`` is the problem's code."""

    name: ClassVar[str] = "action.refused"
    outcome: ClassVar[str] = "failure"

    action: str
    reason: str


def refused(
    session: AsyncSession, error: ProblemError, *, action: str, target_id: str | None = None
) -> ProblemError:
    """Note a refusal, which outlives the transaction that it undoes, and give the error to raise.

    ``action`` is the permission that the action goes by, such as ``users:delete``.
    """
    outlive(session, ActionRefused(action=action, reason=error.code, target_id=target_id))
    return error

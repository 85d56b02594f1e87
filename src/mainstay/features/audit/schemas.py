"""What the API tells of the audit trail."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from mainstay.core.http.query import page_model
from mainstay.core.http.schema import Output, UtcTime


class AuditEntry(Output):
    """One thing that somebody did, or was refused."""

    id: str
    action: str = Field(description="What happened, such as `user.updated`.")
    actor: str | None = Field(validation_alias="actor_id", description="The id of who did it.")
    target: str | None = Field(
        validation_alias="target_id", description="The id of what it was done to."
    )
    data: dict[str, Any] = Field(description="The event's own values; never a secret.")
    outcome: str = Field(description="`success` or `failure`.")
    ip: str | None = Field(description="The address that the request came from.")
    request_id: str = Field(description="The request, as its `X-Request-ID` names it.")
    created_at: UtcTime


class Activity(Output):
    """One thing that happened to the caller's own account."""

    id: str
    action: str
    outcome: str
    ip: str | None
    user_agent: str | None
    created_at: UtcTime


ActivityPage = page_model("ActivityPage", Activity)
"""A page of the caller's own security events."""

AuditEntryPage = page_model("AuditEntryPage", AuditEntry)
"""A page of entries."""

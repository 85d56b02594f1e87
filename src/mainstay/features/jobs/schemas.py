"""What jobs look like outside. Payloads and results are not shown: they may hold secrets."""

from __future__ import annotations

from pydantic import Field

from mainstay.core.http.schema import Output, UtcTime
from mainstay.features.jobs.models import JobState


class JobRead(Output):
    """A job, as administrators see it."""

    id: str
    name: str
    state: JobState
    attempts: int = Field(description="Attempts so far, one that runs included.")
    max_attempts: int = Field(description="Attempts after which it has failed.")
    unique_key: str | None = Field(description="No second job with this key waits or runs.")
    progress: int | None = Field(description="Percent, where the job says it.")
    last_error: str | None = Field(description="Why the last attempt failed, without secrets.")
    request_id: str = Field(description="The request that wrote it.")
    run_at: UtcTime = Field(description="When the next attempt is due.")
    created_at: UtcTime
    updated_at: UtcTime
    finished_at: UtcTime | None

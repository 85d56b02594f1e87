"""What the health paths tell."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mainstay.core.http.schema import Output


class HealthStatus(Output):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str = Field(description="The product's version.")


class LivenessStatus(Output):
    """The process answers; nothing else is asked."""

    status: Literal["up"] = "up"


class ReadinessStatus(Output):
    """Whether the application may be sent requests."""

    status: Literal["up", "down"]
    down: tuple[str, ...] | None = Field(None, description="What keeps it from serving.")
    degraded: tuple[str, ...] | None = Field(None, description="What fails besides.")


class PartStatus(Output):
    """Whether a part answers."""

    status: Literal["up", "down"]
    latency_ms: float | None = Field(None, description="How long its answer took.")
    backend: str | None = Field(None, description="`memory` for a cache in the process.")

"""FastAPI's own telemetry: whether anybody listens to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI


def is_observed(app: FastAPI) -> bool:
    """Say whether telemetry is configured, as it is when the application begins to serve.

    FastAPI asks this in every request, which costs a tenth of a small answer. Where its private
    name for it has gone, the answer is yes, and FastAPI goes on asking.
    """
    native = getattr(app, "_native_telemetry", None)
    enabled = getattr(native, "enabled", None)
    return bool(enabled()) if callable(enabled) else True

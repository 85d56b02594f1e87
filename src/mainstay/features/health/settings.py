"""The settings of the health paths."""

from __future__ import annotations

from mainstay.core.settings import Section


class HealthSettings(Section):
    """What readiness depends on."""

    READINESS_REQUIRES: tuple[str, ...] = ()
    """Parts whose failure makes readiness red, besides the database; otherwise they degrade it."""

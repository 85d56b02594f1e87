"""The settings of jobs."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from mainstay.core.settings import Section, Takes


def _not_yet(value: str | None) -> str | None:
    if value is not None:
        msg = "jobs go by the database alone"
        raise ValueError(msg)
    return value


class JobsSettings(Section):
    """What carries jobs to the processes that run them."""

    JOBS_URL: Annotated[
        str | None,
        AfterValidator(_not_yet),
        Takes("nothing yet: all processes find their jobs in the application's database"),
    ] = None
    """Kept for a broker to come; unset: jobs run in the application's processes."""

"""The list of jobs: what it can be filtered and sorted by."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from mainstay.core.http.query import EXACT, NULL, RANGE, TEXT, ListField, ListSpec, page_model
from mainstay.features.jobs.models import JobRow, JobState
from mainstay.features.jobs.schemas import JobRead

JOBS: Final = ListSpec(
    name="Job",
    fields={
        "id": ListField(column=JobRow.id, operators=EXACT, python_type=UUID),
        "name": ListField(column=JobRow.name, operators=(*EXACT, *TEXT), sort=True, search=True),
        "state": ListField(column=JobRow.state, operators=EXACT, python_type=JobState),
        "attempts": ListField(column=JobRow.attempts, operators=RANGE),
        "request_id": ListField(column=JobRow.request_id, operators=EXACT),
        "run_at": ListField(column=JobRow.run_at, operators=RANGE, sort=True),
        "created_at": ListField(column=JobRow.created_at, operators=RANGE, sort=True),
        "finished_at": ListField(column=JobRow.finished_at, operators=(*RANGE, *NULL), sort=True),
    },
    default_sort="-created_at",
)

JobPage: Final = page_model("JobPage", JobRead)

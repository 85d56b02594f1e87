"""Jobs: work that leaves the request, kept in the database until it is done."""

from mainstay.features.jobs.describing import describe
from mainstay.features.jobs.feature import feature
from mainstay.features.jobs.kinds import UnknownJobError
from mainstay.features.jobs.models import JobRow, JobState
from mainstay.features.jobs.runner import JobRunner
from mainstay.features.jobs.wiring import report_progress, run_due_jobs

__all__ = [
    "JobRow",
    "JobRunner",
    "JobState",
    "UnknownJobError",
    "describe",
    "feature",
    "report_progress",
    "run_due_jobs",
]

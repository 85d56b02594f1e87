"""What the jobs feature brings."""

from __future__ import annotations

from typing import Final

from mainstay.core.feature import Feature, Mount, Permission
from mainstay.core.jobs import JobQueue
from mainstay.core.ports import Provide
from mainstay.features.jobs.events import JobCancelled, JobRetried
from mainstay.features.jobs.housekeeping import HOUSEKEEPING
from mainstay.features.jobs.kinds import JobKinds
from mainstay.features.jobs.models import JobRow
from mainstay.features.jobs.router import router
from mainstay.features.jobs.runner import JobRunner
from mainstay.features.jobs.service import DatabaseJobQueue, JobService
from mainstay.features.jobs.settings import JobsSettings
from mainstay.features.jobs.wiring import make_queue, make_runner, make_service, running

feature: Final = Feature(
    name="jobs",
    settings=(JobsSettings,),
    models=(JobRow,),
    routers=(Mount(router=router),),
    permissions=(
        Permission(name="jobs:read", description="See jobs."),
        Permission(name="jobs:manage", description="Retry and cancel jobs."),
    ),
    provides=(
        Provide(JobKinds, JobKinds.of),
        Provide(DatabaseJobQueue, make_queue),
        Provide(JobQueue, lambda ports: ports[DatabaseJobQueue]),
        Provide(JobRunner, make_runner),
        Provide(JobService, make_service),
    ),
    events=(JobRetried, JobCancelled),
    lifespan=running,
    jobs=HOUSEKEEPING,
)

"""The HTTP surface of jobs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import select

from mainstay.core.auth import has_permissions
from mainstay.core.http.deps import Session, port
from mainstay.core.http.lists import answer_page
from mainstay.core.http.query import ListQuery
from mainstay.core.http.query.routes import list_openapi, list_parameters
from mainstay.features.jobs.listing import JOBS, JobPage
from mainstay.features.jobs.models import JobRow
from mainstay.features.jobs.schemas import JobRead
from mainstay.features.jobs.service import JobService

router = APIRouter(prefix="/jobs", tags=["jobs"])

Jobs = Annotated[JobService, port(JobService)]
READ = Depends(has_permissions("jobs:read"))
MANAGE = Depends(has_permissions("jobs:manage"))


@router.get("", response_model=JobPage, openapi_extra=list_openapi(JOBS), dependencies=[READ])
async def list_(
    query: Annotated[ListQuery, list_parameters(JOBS)], request: Request, session: Session
) -> Any:
    """List jobs; filters, sort, search and pages as for every list."""
    return await answer_page(request, session, select(JobRow), query=query, spec=JOBS)


@router.get("/{job_id}", response_model=JobRead, dependencies=[READ])
async def get(job_id: str, session: Session, jobs: Jobs) -> Any:
    """Show one job."""
    return await jobs.get(session, job_id)


@router.post("/{job_id}/retry", response_model=JobRead, dependencies=[MANAGE])
async def retry(job_id: str, session: Session, jobs: Jobs) -> Any:
    """Queue a failed or cancelled job again, with all its attempts before it."""
    return await jobs.retry(session, job_id)


@router.delete("/{job_id}", status_code=204, dependencies=[MANAGE])
async def cancel(job_id: str, session: Session, jobs: Jobs) -> None:
    """Cancel a waiting or running job; what a running one has changed is undone."""
    await jobs.cancel(session, job_id)

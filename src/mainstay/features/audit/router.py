"""Reading the audit trail. There is no way to change it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from mainstay.core.auth import Principal, get_current_user, has_permissions
from mainstay.core.http.deps import Session
from mainstay.core.http.lists import answer_page
from mainstay.core.http.query import ListQuery
from mainstay.core.http.query.routes import list_openapi, list_parameters
from mainstay.features.audit import repository
from mainstay.features.audit.models import AuditLog
from mainstay.features.audit.repository import ACTIVITY, AUDIT_LOGS
from mainstay.features.audit.schemas import ActivityPage, AuditEntry, AuditEntryPage

READ = "audit:read"

activity_router = APIRouter(tags=["auth"])
router = APIRouter(tags=["audit"], dependencies=[Depends(has_permissions(READ))])


@router.get("/logs", response_model=AuditEntryPage, openapi_extra=list_openapi(AUDIT_LOGS))
async def list_(
    request: Request,
    query: Annotated[ListQuery, list_parameters(AUDIT_LOGS)],
    *,
    session: Session,
) -> Any:
    """List what happened, the newest first."""
    entries = repository.entries()
    return await answer_page(request, session, entries, query=query, spec=AUDIT_LOGS)


@router.get("/logs/{entry_id}", response_model=AuditEntry)
async def get(entry_id: str, session: Session) -> AuditLog:
    """Read one entry."""
    return await repository.get(session, entry_id)


@activity_router.get("/activity", response_model=ActivityPage, openapi_extra=list_openapi(ACTIVITY))
async def activity(
    request: Request,
    query: Annotated[ListQuery, list_parameters(ACTIVITY)],
    *,
    principal: Annotated[Principal, Depends(get_current_user)],
    session: Session,
) -> Any:
    """List the caller's own security events, the newest first."""
    own = repository.activity_of(principal.id)
    return await answer_page(request, session, own, query=query, spec=ACTIVITY)

"""The HTTP surface of roles and permissions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response, status
from sqlalchemy import select

from mainstay.core.auth import Principal, has_permissions
from mainstay.core.http.conditional import check_if_match, tag_answer
from mainstay.core.http.deps import Session, port
from mainstay.core.http.lists import answer_page
from mainstay.core.http.query import ListQuery, Page
from mainstay.core.http.query.routes import list_openapi, list_parameters
from mainstay.features.rbac.administration import MANAGE, RoleAdministration
from mainstay.features.rbac.listing import PERMISSIONS, ROLES, PermissionPage, RolePage
from mainstay.features.rbac.models import DeclaredPermission, Role
from mainstay.features.rbac.schemas import PermissionsBody, RoleBody, RolePatch, RoleRead

router = APIRouter(prefix="/rbac", tags=["rbac"])

READ = Depends(has_permissions("roles:read"))
Manager = Annotated[Principal, Depends(has_permissions(MANAGE))]
Roles = Annotated[RoleAdministration, port(RoleAdministration)]


@router.get(
    "/permissions",
    response_model=PermissionPage,
    openapi_extra=list_openapi(PERMISSIONS),
    dependencies=[READ],
)
async def list_permissions(
    query: Annotated[ListQuery, list_parameters(PERMISSIONS)], request: Request, session: Session
) -> Any:
    """List what can be permitted, as the features declare it."""
    declared = select(DeclaredPermission)
    return await answer_page(request, session, declared, query=query, spec=PERMISSIONS)


@router.get(
    "/roles", response_model=RolePage, openapi_extra=list_openapi(ROLES), dependencies=[READ]
)
async def list_roles(
    query: Annotated[ListQuery, list_parameters(ROLES)],
    request: Request,
    session: Session,
    roles: Roles,
) -> Any:
    """List roles, and what they permit; the lowest rank comes first."""
    page = await answer_page(request, session, select(Role), query=query, spec=ROLES)
    return Page(await roles.views(session, page.items), page.page)


@router.post("/roles", status_code=status.HTTP_201_CREATED, response_model=RoleRead)
async def create_role(
    body: RoleBody,
    *,
    request: Request,
    response: Response,
    principal: Manager,
    session: Session,
    roles: Roles,
) -> Any:
    """Make a role below one's own, of permissions that one has."""
    role = await roles.create(session, body.model_dump(), by=principal)
    response.headers["Location"] = f"{request.scope['path'].rstrip('/')}/{role.id}"
    tag_answer(request, role.version)
    return await roles.view(session, role)


@router.get("/roles/{role_id}", response_model=RoleRead, dependencies=[READ])
async def get_role(role_id: str, request: Request, session: Session, roles: Roles) -> Any:
    """Show one role."""
    role = await roles.get(session, role_id)
    if tag_answer(request, role.version):
        return Response(status_code=304)
    return await roles.view(session, role)


@router.put("/roles/{role_id}", response_model=RoleRead)
async def replace_role(
    role_id: str,
    body: RoleBody,
    *,
    request: Request,
    principal: Manager,
    session: Session,
    roles: Roles,
) -> Any:
    """Replace a role's name, description and permissions, and its rank where that is sent."""
    role = await roles.open(session, role_id, by=principal)
    check_if_match(request, role.version)
    await roles.update(session, role, body.changes(), by=principal)
    tag_answer(request, role.version)
    return await roles.view(session, role)


@router.patch("/roles/{role_id}", response_model=RoleRead)
async def update_role(
    role_id: str,
    body: RolePatch,
    *,
    request: Request,
    principal: Manager,
    session: Session,
    roles: Roles,
) -> Any:
    """Change a role; what is absent stays (RFC 7396)."""
    role = await roles.open(session, role_id, by=principal)
    check_if_match(request, role.version)
    await roles.update(session, role, body.changes(), by=principal)
    tag_answer(request, role.version)
    return await roles.view(session, role)


@router.put("/roles/{role_id}/permissions", response_model=RoleRead)
async def set_permissions(
    role_id: str,
    body: PermissionsBody,
    *,
    request: Request,
    principal: Manager,
    session: Session,
    roles: Roles,
) -> Any:
    """Replace what a role permits; it holds from the next request of its holders on."""
    role = await roles.open(session, role_id, by=principal)
    check_if_match(request, role.version)
    await roles.update(session, role, body.model_dump(), by=principal)
    tag_answer(request, role.version)
    return await roles.view(session, role)


@router.delete("/roles/{role_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_role(
    role_id: str, request: Request, principal: Manager, session: Session, roles: Roles
) -> None:
    """Delete a role and take it from all who have it."""
    role = await roles.open(session, role_id, by=principal)
    check_if_match(request, role.version)
    await roles.delete(session, role)

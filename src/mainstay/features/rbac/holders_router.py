"""The HTTP surface of who has which roles, under roles and under users."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from mainstay.core.auth import Principal, has_permissions
from mainstay.core.http.conditional import check_if_match, tag_answer
from mainstay.core.http.deps import Session, port
from mainstay.core.http.lists import answer_page
from mainstay.core.http.query import ListQuery, Page
from mainstay.core.http.query.routes import list_openapi, list_parameters
from mainstay.features.rbac import repository
from mainstay.features.rbac.administration import RoleAdministration
from mainstay.features.rbac.assigning import RoleAssignment
from mainstay.features.rbac.schemas import RoleNameBody, RoleNamesBody
from mainstay.features.rbac.service import ASSIGN
from mainstay.features.users import USERS, UserPage, UserRead, UserService, require_permission

holders_router = APIRouter()

Reader = Annotated[Principal, Depends(has_permissions("roles:read"))]
Assigner = Annotated[Principal, Depends(has_permissions(ASSIGN))]
Roles = Annotated[RoleAdministration, port(RoleAdministration)]
Assignment = Annotated[RoleAssignment, port(RoleAssignment)]
Users = Annotated[UserService, port(UserService)]
Query = Annotated[ListQuery, list_parameters(USERS)]


@holders_router.get(
    "/rbac/roles/{role_id}/users",
    tags=["rbac"],
    response_model=UserPage,
    openapi_extra=list_openapi(USERS),
)
async def list_holders(
    role_id: str,
    query: Query,
    *,
    request: Request,
    principal: Reader,
    session: Session,
    roles: Roles,
    users: Users,
) -> Any:
    """List the users who have a role; seeing them takes users:read as well."""
    role = await roles.get(session, role_id)
    require_permission(session, "users:read", by=principal, target_id=role.id)
    holders = repository.users_with(role.id)
    page = await answer_page(request, session, holders, query=query, spec=USERS)
    return Page(await users.views(session, page.items), page.page)


@holders_router.get(
    "/users/role/{role}",
    tags=["users"],
    response_model=UserPage,
    openapi_extra=list_openapi(USERS),
    dependencies=[Depends(has_permissions("users:read"))],
)
async def list_by_role(
    role: str, query: Query, *, request: Request, session: Session, roles: Roles, users: Users
) -> Any:
    """List the users who have the role of this name."""
    holders = repository.users_with((await roles.find(session, role)).id)
    page = await answer_page(request, session, holders, query=query, spec=USERS)
    return Page(await users.views(session, page.items), page.page)


@holders_router.put(
    "/users/update/{user_id}/role",
    tags=["users"],
    response_model=UserRead,
    deprecated=True,
    operation_id="users.set_role_also",
)
@holders_router.put("/users/{user_id}/role", tags=["users"], response_model=UserRead)
async def set_role(
    user_id: str,
    body: RoleNameBody,
    *,
    request: Request,
    principal: Assigner,
    session: Session,
    users: Users,
    assignment: Assignment,
) -> Any:
    """Replace all roles of a user with one."""
    user = await assignment.open(session, user_id, by=principal)
    check_if_match(request, user.version)
    await assignment.assign(session, user, [body.role], by=principal, pointer="#/role")
    tag_answer(request, user.version)
    return await users.view(session, user)


@holders_router.put("/rbac/users/{user_id}/roles", tags=["rbac"], response_model=UserRead)
async def set_roles(
    user_id: str,
    body: RoleNamesBody,
    *,
    request: Request,
    principal: Assigner,
    session: Session,
    users: Users,
    assignment: Assignment,
) -> Any:
    """Replace all roles of a user."""
    user = await assignment.open(session, user_id, by=principal)
    check_if_match(request, user.version)
    await assignment.assign(session, user, body.roles, by=principal, pointer="#/roles/{}")
    tag_answer(request, user.version)
    return await users.view(session, user)

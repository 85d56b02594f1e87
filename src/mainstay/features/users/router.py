"""The HTTP surface of users."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import select

from mainstay.core.auth import Principal, get_current_user, has_permissions
from mainstay.core.http.conditional import check_if_match, tag_answer
from mainstay.core.http.deps import Session, port
from mainstay.core.http.lists import answer_page
from mainstay.core.http.query import ListQuery, Page
from mainstay.core.http.query.routes import list_openapi, list_parameters
from mainstay.features.users.account import answer_account
from mainstay.features.users.listing import USERS, UserPage
from mainstay.features.users.models import User
from mainstay.features.users.schemas import ProfilePatch, UserRead
from mainstay.features.users.service import UserService

router = APIRouter(prefix="/users", tags=["users"])

Caller = Annotated[Principal, Depends(get_current_user)]
SelfOrReader = Annotated[Principal, Depends(has_permissions("users:read:self"))]
Users = Annotated[UserService, port(UserService)]


@router.get("/me", response_model=UserRead)
async def me(request: Request, principal: Caller) -> Any:
    """Show the caller."""
    return await answer_account(request, principal)


@router.patch("/me", response_model=UserRead)
async def update_me(
    body: ProfilePatch, request: Request, principal: Caller, session: Session, users: Users
) -> Any:
    """Change the caller's profile; what is absent stays, null clears (RFC 7396)."""
    user = await users.get(session, principal.id, principal)
    check_if_match(request, user.version)
    await users.change(session, user, body.changes())
    tag_answer(request, user.version)
    return await users.view(session, user)


@router.get(
    "",
    response_model=UserPage,
    openapi_extra=list_openapi(USERS),
    dependencies=[Depends(has_permissions("users:read"))],
)
async def list_(
    query: Annotated[ListQuery, list_parameters(USERS)],
    request: Request,
    session: Session,
    users: Users,
) -> Any:
    """List users; filters, sort, search and pages as for every list."""
    page = await answer_page(request, session, select(User), query=query, spec=USERS)
    return Page(await users.views(session, page.items), page.page)


@router.get("/{user_id}", response_model=UserRead)
async def get(
    user_id: str, request: Request, principal: SelfOrReader, session: Session, users: Users
) -> Any:
    """Show one user: oneself, or with users:read anybody."""
    user = await users.get(session, user_id, principal)
    if tag_answer(request, user.version):
        return Response(status_code=304)
    return await users.view(session, user)

"""The HTTP surface of users."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response, status
from sqlalchemy import select

from mainstay.core.auth import Principal, get_current_user, has_permissions
from mainstay.core.http.conditional import check_if_match, tag_answer
from mainstay.core.http.deps import Session, port
from mainstay.core.http.lists import answer_page
from mainstay.core.http.query import ListQuery, Page
from mainstay.core.http.query.routes import list_openapi, list_parameters
from mainstay.features.users.account import answer_account
from mainstay.features.users.administration import UserAdministration
from mainstay.features.users.listing import USERS, UserPage
from mainstay.features.users.models import User
from mainstay.features.users.schemas import ProfilePatch, UserCreate, UserPatch, UserRead
from mainstay.features.users.service import UserService

router = APIRouter(prefix="/users", tags=["users"])

Caller = Annotated[Principal, Depends(get_current_user)]
Creator = Annotated[Principal, Depends(has_permissions("users:create"))]
SelfOrReader = Annotated[Principal, Depends(has_permissions("users:read:self"))]
SelfOrUpdater = Annotated[Principal, Depends(has_permissions("users:update:self"))]
SelfOrDeleter = Annotated[Principal, Depends(has_permissions("users:delete:self"))]
Updater = Annotated[Principal, Depends(has_permissions("users:update"))]
Users = Annotated[UserService, port(UserService)]
Administration = Annotated[UserAdministration, port(UserAdministration)]


def also(operation_id: str) -> dict[str, Any]:
    """Give the options of a second path of an operation, which stays for those who know it."""
    return {"deprecated": True, "operation_id": operation_id}


@router.get("/me", response_model=UserRead)
async def me(request: Request, principal: Caller) -> Any:
    """Show the caller."""
    return await answer_account(request, principal)


@router.patch("/me", response_model=UserRead)
async def update_me(
    body: ProfilePatch,
    *,
    request: Request,
    principal: Caller,
    session: Session,
    users: Users,
    administration: Administration,
) -> Any:
    """Change the caller's profile; what is absent stays, null clears (RFC 7396)."""
    user = await administration.open(session, principal.id, by=principal, permission="users:update")
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


@router.post("", status_code=status.HTTP_201_CREATED, response_model=UserRead)
async def create(
    body: UserCreate,
    *,
    request: Request,
    response: Response,
    principal: Creator,
    session: Session,
    users: Users,
    administration: Administration,
) -> Any:
    """Make a user, and mail them an invitation to set a password."""
    user = await administration.create(session, body, by=principal)
    response.headers["Location"] = f"{request.scope['path'].rstrip('/')}/{user.id}"
    tag_answer(request, user.version)
    return await users.view(session, user)


@router.get("/get/{user_id}", response_model=UserRead, **also("users.get_also"))
@router.get("/{user_id}", response_model=UserRead)
async def get(
    user_id: str, request: Request, principal: SelfOrReader, session: Session, users: Users
) -> Any:
    """Show one user: oneself, or with users:read anybody."""
    user = await users.get(session, user_id, principal)
    if tag_answer(request, user.version):
        return Response(status_code=304)
    return await users.view(session, user)


@router.put("/update/{user_id}", response_model=UserRead, **also("users.update_also"))
@router.put("/{user_id}", response_model=UserRead, operation_id="users.put")
@router.patch("/{user_id}", response_model=UserRead)
async def update(
    user_id: str,
    body: UserPatch,
    *,
    request: Request,
    principal: SelfOrUpdater,
    session: Session,
    users: Users,
    administration: Administration,
) -> Any:
    """Change a user: oneself, or with users:update anybody; what is absent stays (RFC 7396)."""
    changes = body.changes()
    user = await administration.open(
        session,
        user_id,
        by=principal,
        permission="users:update",
        standing="is_active" in changes,
    )
    check_if_match(request, user.version)
    await administration.update(session, user, changes, by=principal)
    tag_answer(request, user.version)
    return await users.view(session, user)


@router.delete("/delete/{user_id}", status_code=204, **also("users.delete_also"))
@router.delete("/{user_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete(
    user_id: str,
    request: Request,
    principal: SelfOrDeleter,
    session: Session,
    administration: Administration,
) -> None:
    """Delete a user: oneself, after a recent sign-in, or with users:delete anybody."""
    user = await administration.open(
        session, user_id, by=principal, permission="users:delete", standing=True
    )
    check_if_match(request, user.version)
    await administration.delete(session, user, by=principal)


@router.post("/{user_id}/deactivate", response_model=UserRead)
async def deactivate(
    user_id: str,
    *,
    request: Request,
    principal: Updater,
    session: Session,
    users: Users,
    administration: Administration,
) -> Any:
    """Put a user out of use; all their sessions end at once."""
    user = await administration.open(
        session, user_id, by=principal, permission="users:update", standing=True
    )
    check_if_match(request, user.version)
    await administration.deactivate(session, user, by=principal)
    tag_answer(request, user.version)
    return await users.view(session, user)


@router.post("/{user_id}/activate", response_model=UserRead)
async def activate(
    user_id: str,
    *,
    request: Request,
    principal: Updater,
    session: Session,
    users: Users,
    administration: Administration,
) -> Any:
    """Put a user back into use."""
    user = await administration.open(session, user_id, by=principal, permission="users:update")
    check_if_match(request, user.version)
    await administration.activate(session, user)
    tag_answer(request, user.version)
    return await users.view(session, user)

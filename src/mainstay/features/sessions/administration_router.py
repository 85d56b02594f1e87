"""What administrators do about the sessions of others."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends

from mainstay.core.auth import Principal, has_permissions, has_role
from mainstay.core.http.deps import Session, port
from mainstay.core.roles import HIGHEST_ROLE
from mainstay.features.sessions.schemas import LogoutEverywhereBody, Revoked
from mainstay.features.sessions.service import SessionService
from mainstay.features.users import UserAdministration

administration_router = APIRouter(prefix="/users", tags=["users"])

UPDATE = "users:update"
Sessions = Annotated[SessionService, port(SessionService)]


@administration_router.post("/logout-everywhere")
async def logout_everybody(
    principal: Annotated[Principal, Depends(has_role(HIGHEST_ROLE))],
    session: Session,
    sessions: Sessions,
    body: Annotated[LogoutEverywhereBody | None, Body()] = None,
) -> Revoked:
    """End the sessions of all users, or all but the caller's present one."""
    keep = principal.session_id if body is not None and body.keep_current else None
    return Revoked(revoked=await sessions.end_everybodys(session, keep=keep))


@administration_router.post("/{user_id}/logout-everywhere")
async def logout_user(
    user_id: str,
    principal: Annotated[Principal, Depends(has_permissions(UPDATE))],
    session: Session,
    sessions: Sessions,
    administration: Annotated[UserAdministration, port(UserAdministration)],
) -> Revoked:
    """End all sessions of a user."""
    user = await administration.open(session, user_id, by=principal, permission=UPDATE)
    return Revoked(revoked=await sessions.end_all(session, user.id, because="administrator"))

"""The HTTP surface of sessions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response, status

from mainstay.core.auth import Principal, get_current_user, public
from mainstay.core.http.deps import Session, port
from mainstay.core.http.lists import answer_page
from mainstay.core.http.query import ListQuery
from mainstay.core.http.query.routes import list_openapi, list_parameters
from mainstay.core.tokens import KeyRing
from mainstay.features.auth import Tokens
from mainstay.features.sessions.listing import SESSIONS, SessionPage
from mainstay.features.sessions.repository import live_of_user
from mainstay.features.sessions.rotation import Rotation
from mainstay.features.sessions.schemas import (
    LogoutEverywhereBody,
    RefreshBody,
    Revoked,
    show_session,
)
from mainstay.features.sessions.service import SessionService

router = APIRouter(prefix="/auth", tags=["auth"])
keys_router = APIRouter(prefix="/.well-known", tags=["auth"])

Caller = Annotated[Principal, Depends(get_current_user)]
Sessions = Annotated[SessionService, port(SessionService)]


@router.post("/refresh", dependencies=[Depends(public)])
async def refresh(
    body: RefreshBody, rotation: Annotated[Rotation, port(Rotation)], response: Response
) -> Tokens:
    """Spend a refresh token for new tokens."""
    response.headers["Cache-Control"] = "no-store"
    return await rotation.refresh(body.refresh_token)


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT)
async def logout(principal: Caller, session: Session, sessions: Sessions) -> None:
    """End this session; its tokens are worth nothing from now on."""
    if principal.session_id is not None:
        await sessions.end(session, principal.session_id, principal.id)


@router.post("/logout-everywhere")
async def logout_everywhere(
    principal: Caller,
    session: Session,
    sessions: Sessions,
    body: Annotated[LogoutEverywhereBody | None, Body()] = None,
) -> Revoked:
    """End all of the caller's sessions, or all others."""
    keep = principal.session_id if body is not None and body.keep_current else None
    ended = await sessions.end_all(session, principal.id, because="logout_everywhere", keep=keep)
    return Revoked(revoked=ended)


@router.get("/sessions", response_model=SessionPage, openapi_extra=list_openapi(SESSIONS))
async def list_sessions(
    query: Annotated[ListQuery, list_parameters(SESSIONS)],
    request: Request,
    principal: Caller,
    session: Session,
) -> Any:
    """List the caller's sessions, the newest first."""
    own = live_of_user(principal.id)
    page = await answer_page(request, session, own, query=query, spec=SESSIONS)
    return page.map(lambda row: show_session(row, principal.session_id))


@router.delete("/sessions/{session_id}", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_session(
    session_id: str, principal: Caller, session: Session, sessions: Sessions
) -> None:
    """End one of the caller's sessions."""
    await sessions.end(session, session_id, principal.id)


@keys_router.get("/jwks.json", dependencies=[Depends(public)])
async def jwks(keys: Annotated[KeyRing, port(KeyRing)]) -> dict[str, list[dict[str, object]]]:
    """Show the public keys that verify access tokens (RFC 7517); none for a symmetric one."""
    return keys.jwks()

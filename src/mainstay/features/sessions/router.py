"""The HTTP surface of sessions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Response, status

from mainstay.core.auth import Principal, get_current_user, public
from mainstay.core.http.deps import Session, port
from mainstay.core.tokens import KeyRing
from mainstay.features.auth import Tokens
from mainstay.features.sessions.rotation import Rotation
from mainstay.features.sessions.schemas import (
    LogoutEverywhereBody,
    RefreshBody,
    Revoked,
    SessionList,
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


@router.get("/sessions")
async def list_sessions(principal: Caller, session: Session, sessions: Sessions) -> SessionList:
    """List the caller's sessions, the newest first."""
    rows = await sessions.live(session, principal.id)
    return SessionList(items=[show_session(row, principal.session_id) for row in rows])


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

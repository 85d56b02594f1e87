"""What administrators do about the sign-in of others."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from mainstay.core.auth import Principal, has_permissions
from mainstay.core.http.deps import Session, port
from mainstay.features.auth.throttle import Throttle
from mainstay.features.users import UserAdministration, UserRead, UserService

administration_router = APIRouter(prefix="/users", tags=["users"])

UPDATE = "users:update"


@administration_router.post("/{user_id}/unlock", response_model=UserRead)
async def unlock(
    user_id: str,
    *,
    principal: Annotated[Principal, Depends(has_permissions(UPDATE))],
    session: Session,
    users: Annotated[UserService, port(UserService)],
    administration: Annotated[UserAdministration, port(UserAdministration)],
    throttle: Annotated[Throttle, port(Throttle)],
) -> Any:
    """Let somebody try again who is locked out after wrong passwords."""
    user = await administration.open(session, user_id, by=principal, permission=UPDATE)
    await throttle.unlock(session, user.id)
    return await users.view(session, user)

"""The caller's own account: shown from what was read with the session, without a second look.

This is the most frequent answer of all, so that it is written straight from the row. The plain
way, through the service and the schema, gives the same; a test holds them together.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson
from starlette.responses import Response

from mainstay.core.errors import NotFoundError
from mainstay.core.http.conditional import tag_answer
from mainstay.core.http.context import context_of, ports_of
from mainstay.features.users.repository import by_id
from mainstay.features.users.schemas import UserRead
from mainstay.features.users.service import UserService

if TYPE_CHECKING:
    from starlette.requests import Request

    from mainstay.core.principal import Principal

_COLUMNS: Final = tuple(name for name in UserRead.model_fields if name not in {"role", "roles"})


def _plain(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


async def answer_account(request: Request, principal: Principal) -> Response | UserRead:
    """Answer with the caller's account, and its ETag."""
    row = principal.account
    if row is None:
        return await _read(request, principal)
    if tag_answer(request, row.version):
        return Response(status_code=304)
    shown = {name: _plain(getattr(row, name)) for name in _COLUMNS}
    shown["role"], shown["roles"] = principal.role, principal.roles
    body = orjson.dumps(shown, option=orjson.OPT_UTC_Z)
    return Response(body, media_type="application/json")


async def _read(request: Request, principal: Principal) -> Response | UserRead:
    session = context_of(request.scope).unit.session
    user = await by_id(session, principal.id)
    if user is None:
        raise NotFoundError
    if tag_answer(request, user.version):
        return Response(status_code=304)
    users: UserService = ports_of(request.scope)[UserService]
    return await users.view(session, user)

"""What an endpoint asks for: the session, a port, a setting."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from mainstay.core.http.context import context_of, ports_of

T = TypeVar("T")


async def get_session(connection: HTTPConnection) -> AsyncSession:
    """Give the request's one session. The edge commits it before the answer leaves."""
    return context_of(connection.scope).unit.session


Session = Annotated[AsyncSession, Depends(get_session)]
"""The request's session, as an annotation."""


def port(wanted: type[T]) -> Any:
    """Make what ``Annotated`` needs to ask for the instance of a port."""

    async def give(connection: HTTPConnection) -> Any:
        return ports_of(connection.scope)[wanted]

    return Depends(give)

"""Answering a list: one page, with its ``Link`` header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mainstay.core.http.context import context_of, ports_of
from mainstay.core.http.query import ListQuery, ListSpec, Page, fetch_page, link_header
from mainstay.core.tokens import KeyRing

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.ext.asyncio import AsyncSession
    from starlette.requests import Request

CURSOR_PURPOSE: Final = "list cursors"


async def answer_page(
    request: Request,
    session: AsyncSession,
    select: Select[Any],
    *,
    query: ListQuery,
    spec: ListSpec,
) -> Page[Any]:
    """Read a page of the select and put the ``Link`` header (RFC 8288) on the answer."""
    key = ports_of(request.scope)[KeyRing].derive(CURSOR_PURPOSE)
    page = await fetch_page(session, select, query=query, spec=spec, key=key)
    raw_path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    target = raw_path.decode("utf-8", "replace")
    if raw := request.scope["query_string"]:
        target += "?" + raw.decode("utf-8", "replace")
    link = link_header(target, query=query, page=page.page)
    if link:
        context_of(request.scope).extra_headers.append((b"link", link.encode("latin-1")))
    return page

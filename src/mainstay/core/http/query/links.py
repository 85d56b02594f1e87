"""The ``Link`` header of a page (RFC 8288): ``next``, ``prev`` and ``first``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, unquote_plus

from mainstay.core.http.query.model import MAX_OFFSET, ListQuery
from mainstay.core.http.query.page import PageInfo

_SAFE: Final = "!$%&'()*+,-./:;=?@[]_~"


def link_header(url: str, *, query: ListQuery, page: PageInfo) -> str:
    """Make the header's value from the request's URL, absolute or relative, with its query string.

    A client that moves by ``offset`` is given offsets as far as they go; all others are given
    cursors. The other parameters stay as they are.
    """
    path, _, raw = url.partition("?")
    kept = [part for part in raw.partition("#")[0].split("&") if part and not _moves(part)]

    def link(rel: str, *moves: str) -> str:
        target = "?".join(filter(None, (path, "&".join([*kept, *moves]))))
        return f'<{quote(target, safe=_SAFE)}>; rel="{rel}"'

    return ", ".join(link(rel, *moves) for rel, moves in _relations(query, page))


def _moves(part: str) -> bool:
    return unquote_plus(part.partition("=")[0]) in {"cursor", "offset"}


def _relations(query: ListQuery, page: PageInfo) -> Iterator[tuple[str, tuple[str, ...]]]:
    offset = query.offset
    if offset is not None and page.has_more and offset + query.limit <= MAX_OFFSET:
        yield "next", (f"offset={offset + query.limit}",)
    elif page.next_cursor is not None:
        yield "next", (f"cursor={page.next_cursor}",)
    if offset:
        yield "prev", (f"offset={max(0, offset - query.limit)}",)
    elif page.prev_cursor is not None:
        yield "prev", (f"cursor={page.prev_cursor}",)
    yield "first", ()

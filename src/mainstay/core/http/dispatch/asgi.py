"""The ASGI side of the index."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from mainstay.core.errors import MethodNotAllowedError, NotFoundError
from mainstay.core.http._fastapi import (
    Internals,
    UnknownFastAPIError,
    Watch,
    has_last_resort,
    leaves,
)
from mainstay.core.http.dispatch.head import serve_head
from mainstay.core.http.dispatch.index import Index, Known

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger(__name__)


class RouteIndex:
    """Serves an application by index; what is no plain API route goes to the router itself.

    It is an ASGI app for the place of ``app.router``. Routes added later are noticed; once the
    lifespan has started through it, only those added to the application itself are, or what
    ``rebuild`` takes in.
    """

    def __init__(self, app: FastAPI) -> None:
        self._router = app.router
        self._router.redirect_slashes = False
        self._stock: ASGIApp = self._router.middleware_stack
        self._serving = False
        self._watch: Watch | None = None
        self._internals: Internals | None = None
        self._index: Index | None = None
        self._disabled = False

    @property
    def indexed(self) -> bool:
        """Whether the index serves; otherwise the plain router does."""
        return self._current() is not None

    def rebuild(self) -> None:
        """Build the index anew from the present routes."""
        try:
            if self._stock != self._router.app:
                msg = "the router has middleware of its own"
                raise UnknownFastAPIError(msg)  # noqa: TRY301
            self._internals = Internals.load()
            self._watch = Watch(self._router)
            last_resort = has_last_resort(self._router)
            self._index = Index(leaves(self._router), last_resort=last_resort)
        except UnknownFastAPIError as error:
            self._index, self._disabled = None, True
            _log.warning("routes are served without an index: %s", error)

    def _current(self) -> Index | None:
        if self._disabled:
            return None
        watch = self._watch
        if watch is None or (watch.grown() if self._serving else watch.changed()):
            self.rebuild()
        return self._index

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection.

        Raises:
            NotFoundError: no route takes the path.
            MethodNotAllowedError: no route takes the path with this method.
        """
        if scope["type"] != "http":
            await self._other(scope, receive, send)
            return
        index, internals = self._current(), self._internals
        if index is None or internals is None:
            await self._stock(scope, receive, send)
            return
        if "router" not in scope:
            scope["router"] = self._router
        path = internals.route_path(scope) if scope.get("root_path") else scope["path"]
        params: dict[str, Any] = {}
        entry = index.fixed(path, scope["method"])
        if entry is None:
            found = None if scope["method"] == "TRACE" else index.find(scope, path)
            if found is None:
                await self._refuse(index.known(scope, path), scope, receive, send)
                return
            entry, params, scope["path"] = found
        target = entry.leaf.target
        if target is None:
            await self._stock(scope, receive, send)
            return
        internals.select(scope, target, params)
        if scope["method"] == "HEAD":
            await serve_head(target.app, scope, receive, send)
        else:
            await target.app(scope, receive, send)

    async def _refuse(self, known: Known, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "TRACE":
            raise MethodNotAllowedError(headers={"Allow": _allow(known)})
        if known.methods:
            if self._internals is not None and known.first is not None:
                target = known.first.entry.leaf.target
                if target is not None:
                    self._internals.select(scope, target, known.first.params)
            if scope["method"] != "OPTIONS":
                raise MethodNotAllowedError(headers={"Allow": _allow(known)})
            headers = [(b"allow", _allow(known).encode("ascii"))]
            await send({"type": "http.response.start", "status": 204, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        elif known.unclear or (self._index is not None and self._index.last_resort):
            await self._stock(scope, receive, send)
        else:
            raise NotFoundError

    async def _other(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._stock(scope, receive, send)
            return

        async def watch(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self.rebuild()
                self._serving = True
            await send(message)

        try:
            await self._stock(scope, receive, watch)
        finally:
            self._serving = False


def _allow(known: Known) -> str:
    return ", ".join(sorted(known.methods))

"""The FastAPI application with our edge around it and our route index inside."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from mainstay.core.errors import ProblemError
from mainstay.core.http.access import forget_no_ops
from mainstay.core.http.dispatch import RouteIndex
from mainstay.core.http.problems import answer
from mainstay.core.http.telemetry import is_observed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

Layer = "Callable[[ASGIApp], ASGIApp]"


class Application(FastAPI):
    """FastAPI whose own error and body-limit layers are replaced by the edge.

    ``layers`` wrap the application, the first outermost; what a project adds by
    ``add_middleware`` runs inside of them.
    """

    def __init__(
        self, *, layers: Sequence[Callable[[ASGIApp], ASGIApp]] = (), **options: Any
    ) -> None:
        super().__init__(**options)
        self.layers = list(layers)
        self._observed = True
        for kind in (HTTPException, RequestValidationError, ProblemError):
            self.exception_handlers[kind] = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, without FastAPI's look for telemetry where there is none."""
        stack = self.middleware_stack
        if stack is None or self._observed or scope["type"] == "lifespan":
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        await stack(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """Build the layers; called by Starlette at the first request."""
        self._observed = is_observed(self)
        forget_no_ops(self)
        app: ASGIApp = Innermost(self, RouteIndex(self))
        for cls, args, kwargs in reversed(self.user_middleware):
            app = cls(app, *args, **kwargs)
        for layer in reversed(self.layers):
            app = layer(app)
        return app

    def own_handlers(self) -> dict[Any, Callable[..., Any]]:
        """Give the exception handlers that are not ours."""
        return {k: v for k, v in self.exception_handlers.items() if v is not answer}


class Innermost:
    """Gives FastAPI's routes what its own inner layers would: handlers and a file stack."""

    def __init__(self, app: Application, routes: ASGIApp) -> None:
        self._routes = routes
        by_class: dict[Any, Any] = {}
        by_status: dict[int, Any] = {}
        for kind, handler in app.exception_handlers.items():
            if isinstance(kind, int):
                by_status[kind] = handler
            elif kind is not Exception:
                by_class[kind] = handler
        self._handlers = by_class, by_status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._routes(scope, receive, send)
            return
        scope["starlette.exception_handlers"] = self._handlers
        async with AsyncExitStack() as stack:
            scope["fastapi_middleware_astack"] = stack
            await self._routes(scope, receive, send)

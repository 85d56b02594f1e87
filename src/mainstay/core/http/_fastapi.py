"""The one module that leans on FastAPI's private routing names (known for fastapi 0.165).

What meets a name that is not there raises UnknownFastAPIError; the dispatch then serves through
the plain router.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fastapi import routing
from fastapi.routing import APIRoute, APIRouter, APIWebSocketRoute, iter_route_contexts
from starlette.routing import Match, Mount, Route, Router, WebSocketRoute, compile_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fastapi.routing import RouteContext
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Scope

_NAMES: Final = (
    "_FASTAPI_EFFECTIVE_ROUTE_CONTEXT_KEY",
    "_FASTAPI_SCOPE_KEY",
    "_IncludedRouter",
    "_apply_router_form_limits",
    "_get_fastapi_scope",
    "_route_selected",
    "get_route_path",
)
_VERSION: Final = attrgetter("_routes_version")
_SCOPE_KEY: Final = getattr(routing, "_FASTAPI_SCOPE_KEY", "fastapi")
_CONTEXT_KEY: Final = getattr(
    routing, "_FASTAPI_EFFECTIVE_ROUTE_CONTEXT_KEY", "effective_route_context"
)


class UnknownFastAPIError(Exception):
    """This FastAPI is built otherwise than the index of routes expects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A plain API route, ready to be called: every prefix, dependency and limit is in ``app``."""

    app: ASGIApp
    endpoint: Callable[..., Any]
    route: APIRoute
    context: Any
    path_format: str
    form_limits: Mapping[str, object]


class Leaf(NamedTuple):
    """One route in the order of declaration.

    ``path`` is the full pattern, None where only ``matches`` knows; ``methods`` is None where any
    method may do. Without a ``target`` only the plain router can serve it.
    """

    path: str | None
    methods: frozenset[str] | None
    matches: Callable[[Scope], tuple[Match, Scope]]
    target: Target | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Internals:
    """FastAPI's private functions and keys, looked up once."""

    route_path: Callable[[Scope], str]
    _apply_form_limits: Callable[[Scope, Any], None]
    _fastapi_scope: Callable[[Scope], dict[str, Any]]
    _route_selected: Callable[..., None]

    @classmethod
    def load(cls) -> Internals:
        """Look the names up.

        Raises:
            UnknownFastAPIError: some of them are missing.
        """
        missing = [name for name in _NAMES if not hasattr(routing, name)]
        if missing:
            msg = f"fastapi.routing has no {', '.join(missing)}"
            raise UnknownFastAPIError(msg)
        names: dict[str, Any] = vars(routing)
        return cls(
            route_path=names["get_route_path"],
            _apply_form_limits=names["_apply_router_form_limits"],
            _fastapi_scope=names["_get_fastapi_scope"],
            _route_selected=names["_route_selected"],
        )

    def select(self, scope: Scope, target: Target, params: dict[str, Any]) -> None:
        """Note in the scope which route answers, as FastAPI does on its way to it."""
        scope["endpoint"] = target.endpoint
        scope["route"] = target.route
        outer = scope.get("path_params")
        scope["path_params"] = {**outer, **params} if outer else params
        if target.form_limits:
            self._apply_form_limits(scope, target.form_limits)
        if target.context is not None:
            self._fastapi_scope(scope)[_CONTEXT_KEY] = target.context
        if "fastapi.telemetry" in scope:
            self._route_selected(scope=scope, path=target.path_format)


def route_template(scope: Scope) -> str | None:
    """Give the full path template of the route that was selected (``/users/{id}``), if any."""
    route = scope.get("route")
    context = scope.get(_SCOPE_KEY, {}).get(_CONTEXT_KEY)
    if context is not None and getattr(context, "original_route", None) is route:
        route = context
    return getattr(route, "path_format", None)


class Watch:
    """Notices routes that come to a router, or to any below it, after this was made.

    Raises:
        UnknownFastAPIError: it cannot be told.
    """

    def __init__(self, router: APIRouter) -> None:
        self._routes = router.routes
        try:
            self._routers = list(_routers(router))
            self._known = self._count()
        except AttributeError as error:
            raise UnknownFastAPIError(str(error)) from error

    def grown(self) -> bool:
        """Whether the router itself has other routes than before; cheap."""
        return len(self._routes) != self._known[0]

    def changed(self) -> bool:
        """Whether any of the routers has new routes."""
        return self._count() != self._known

    def _count(self) -> tuple[int, int]:
        return len(self._routes), sum(map(_VERSION, self._routers))


def _routers(router: APIRouter) -> Iterator[APIRouter]:
    yield router
    for route in router.routes:
        included = _included(route)
        if included is not None:
            yield from _routers(included.original_router)


def has_last_resort(router: APIRouter) -> bool:
    """Whether the router has something for paths that no route takes (a frontend, a default).

    Raises:
        UnknownFastAPIError: it cannot be told.
    """
    try:
        low = next(router._iter_low_priority_routes(), None)  # noqa: SLF001
    except AttributeError as error:
        raise UnknownFastAPIError(str(error)) from error
    return low is not None or router.default != router.not_found


def leaves(router: APIRouter) -> list[Leaf]:
    """Give all routes that may answer HTTP, in the order of declaration.

    Raises:
        UnknownFastAPIError: the tree of routers is not built as expected.
    """
    try:
        if not _is_plain(router):
            msg = f"{type(router).__qualname__} overrides the router"
            raise UnknownFastAPIError(msg)
        return [leaf for route in router.routes for leaf in _below(route, router)]
    except AttributeError as error:
        raise UnknownFastAPIError(str(error)) from error


def _is_plain(router: APIRouter) -> bool:
    kind = type(router)
    return (
        kind.app is APIRouter.app
        and kind.handle is APIRouter.handle
        and kind.matches is APIRouter.matches
        and kind.__call__ is Router.__call__
    )


def _included(route: BaseRoute) -> Any:
    """Give the route if it stands for an included router, else None."""
    return route if isinstance(route, routing._IncludedRouter) else None  # noqa: SLF001


def _below(top: BaseRoute, router: APIRouter) -> Iterator[Leaf]:
    included = _included(top)
    if included is not None and not all(map(_is_plain, _routers(included.original_router))):
        yield Leaf(None, None, top.matches, None)
        return
    walk = _with_limits([top], router.form_limits)
    for context in iter_route_contexts([top]):
        limits = next(limits for route, limits in walk if route is context.original_route)
        leaf = _leaf(context, top, limits)
        if leaf is not None:
            yield leaf


def _with_limits(
    routes: Sequence[BaseRoute], limits: Mapping[str, object]
) -> Iterator[tuple[BaseRoute, Mapping[str, object]]]:
    """Walk as the public iteration does; it tells all of a route but its routers' form limits."""
    for route in routes:
        included = _included(route)
        if included is None:
            yield route, limits
        else:
            own = included.include_context.form_limits
            yield from _with_limits(included.original_router.routes, {**limits, **own})


def _leaf(context: RouteContext, top: BaseRoute, limits: Mapping[str, object]) -> Leaf | None:
    route = context.original_route
    match_with = type(route).matches
    if match_with in (WebSocketRoute.matches, APIWebSocketRoute.matches):
        return None
    if isinstance(route, APIRoute):
        if match_with is APIRoute.matches and type(route).handle is APIRoute.handle:
            path = _usual_path(context, context.path)
            if path is not None:
                methods = frozenset(context.methods or ()) or None
                return Leaf(path, methods, top.matches, _target(context, route, limits))
        return Leaf(None, None, top.matches, None)
    matches: Callable[[Scope], tuple[Match, Scope]] = context.matches
    if match_with is Route.matches:
        methods = frozenset(context.methods) if context.methods else None
        return Leaf(_usual_path(context, context.path), methods, matches, None)
    if match_with is Mount.matches:
        path = _usual_path(context, (context.path or "") + "/{path:path}")
        return Leaf(path, None, matches, None)
    return Leaf(None, None, matches, None)


def _usual_path(context: RouteContext, path: str | None) -> str | None:
    """Give the path, if the route matches by it and nothing else."""
    if path is None or not path.startswith("/"):
        return None
    return path if context.path_regex == compile_path(path)[0] else None


def _target(context: RouteContext, route: APIRoute, limits: Mapping[str, object]) -> Target:
    return Target(
        app=context.app,
        endpoint=context.endpoint or route.endpoint,
        route=route,
        context=context._route_context,  # noqa: SLF001
        path_format=context.path_format or route.path_format,
        form_limits=limits,
    )

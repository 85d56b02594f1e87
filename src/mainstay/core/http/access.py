"""Every route says who may call it, and names only permissions that a feature declares."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from fastapi.routing import APIRoute, iter_route_contexts

from mainstay.core.auth import access_of, remember_access
from mainstay.core.registry import AssemblyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

    from mainstay.core.auth import Access
    from mainstay.core.registry import Registry


def routes_with_access(app: FastAPI) -> Iterator[tuple[str, frozenset[str], Access]]:
    """Yield path, methods and access of every API route."""
    for context in iter_route_contexts(app.router.routes):
        if isinstance(context.original_route, APIRoute):
            path, methods = context.path or "", frozenset(context.methods or ())
            yield path, methods, access_of(context.dependant)


def forget_no_ops(app: FastAPI) -> None:
    """Take ``public`` out of the routes' dependencies once it has said what it has to say.

    It does nothing, and solving it costs as much as a third of a small answer. What the route
    declared is remembered.
    """
    for context in iter_route_contexts(app.router.routes):
        if isinstance(context.original_route, APIRoute):
            remember_access(context.dependant)


def check_routes(app: FastAPI, registry: Registry) -> None:
    """Refuse undeclared routes, undeclared permissions, and two routes of one method and path.

    Raises:
        AssemblyError: with the route and what to add to it.
    """
    declared = {permission.name for permission in registry.permissions}
    seen: set[tuple[str, str]] = set()
    for path, methods, access in routes_with_access(app):
        where = f"{'/'.join(sorted(methods))} {path}"
        if not access.declared:
            msg = (
                f"{where} does not say who may call it. Add has_permissions(...), has_role(...), "
                "get_current_user or public to its dependencies."
            )
            raise AssemblyError(msg)
        for name in access.permissions:
            if name not in declared:
                near = get_close_matches(name, declared, 1)
                hint = f' Did you mean "{near[0]}"?' if near else ""
                msg = f'{where} asks for the permission "{name}", which no feature declares.{hint}'
                raise AssemblyError(msg)
        for method in methods:
            if (method, path) in seen:
                msg = f"Two routes answer {method} {path}. Change the path of one of them."
                raise AssemblyError(msg)
            seen.add((method, path))

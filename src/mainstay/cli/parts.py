"""Lists of an application's parts, each with the feature that owns it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from fastapi.routing import APIRoute, iter_route_contexts

from mainstay.core.assembly import assembly_of
from mainstay.core.auth import access_of
from mainstay.core.settings import ApplicationSettings
from mainstay.features.ratelimit.paths import Paths
from mainstay.features.ratelimit.settings import RateLimitSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mainstay.core.auth import Access
    from mainstay.core.http.application import Application
    from mainstay.core.settings import Settings

Part = dict[str, Any]
CORE: Final = "core"
"""The owner of what no feature brings."""

PROJECT: Final = "project"
"""The owner of a route that was added to the application itself."""


def features(app: Application) -> list[Part]:
    """List the features in the order in which they are put together."""
    counts = ("routers", "permissions", "models", "jobs", "settings", "checks")
    return [
        {"name": feature.name, "requires": list(feature.requires)}
        | {name: len(getattr(feature, name)) for name in counts}
        for feature in assembly_of(app).registry.features
    ]


def routes(app: Application) -> list[Part]:
    """List the routes of the API: a part for each method."""
    return list(_routes(app))


def _routes(app: Application) -> Iterator[Part]:
    owners, limit = _route_owners(app), _limits(assembly_of(app).settings)
    for context in iter_route_contexts(app.router.routes):
        route = context.original_route
        if not isinstance(route, APIRoute):
            continue
        access = access_of(context.dependant)
        for method in sorted(context.methods or ()):
            path = context.path or ""
            yield {
                "method": method,
                "path": path,
                "access": _access(access, own=_is_own(route)),
                "signed_in": access.signed_in,
                "permissions": list(access.permissions),
                "role": access.role,
                "limit": limit(method, path, access=access),
                "operation": context.operation_id or context.unique_id,
                "owner": owners.get(id(route), CORE if _is_own(route) else PROJECT),
            }


def permissions(app: Application) -> list[Part]:
    """List the declared permissions."""
    return [
        {
            "name": permission.name,
            "lowest_role": permission.lowest_role,
            "description": permission.description,
            "owner": feature.name,
        }
        for feature in assembly_of(app).registry.features
        for permission in feature.permissions
    ]


def settings(app: Application) -> list[Part]:
    """List the settings; values are the business of `config`."""
    assembly = assembly_of(app)
    owners = {s: f.name for f in assembly.registry.features for s in f.settings}
    by_section = {kind.title(): owner for kind, owner in owners.items()}
    return [
        {
            "name": entry.name,
            "section": entry.section,
            "aliases": list(entry.aliases),
            "description": entry.description,
            "owner": by_section.get(entry.section, CORE),
        }
        for entry in assembly.settings.entries()
    ]


def middleware(app: Application) -> list[Part]:
    """List the layers that features put around the application, by phase."""
    return [
        {
            "phase": layer.phase,
            "factory": f"{layer.factory.__module__}.{layer.factory.__qualname__}",
            "owner": feature.name,
        }
        for feature in assembly_of(app).registry.features
        for layer in feature.middleware
    ]


def jobs(app: Application) -> list[Part]:
    """List the kinds of jobs."""
    return [
        {
            "name": job.name,
            "every": None if job.every is None else _duration(job.every),
            "attempts": job.max_attempts,
            "timeout": job.timeout,
            "owner": feature.name,
        }
        for feature in assembly_of(app).registry.features
        for job in feature.jobs
    ]


def health(app: Application) -> list[Part]:
    """List what readiness looks at."""
    own = [{"name": name, "critical": True, "owner": CORE} for name in ("database", "migrations")]
    return own + [
        {"name": check.name, "critical": check.critical, "owner": feature.name}
        for feature in assembly_of(app).registry.features
        for check in feature.health
    ]


LISTS: Final[dict[str, tuple[Callable[[Application], list[Part]], tuple[str, ...]]]] = {
    "features": (features, ("name", "requires", "routers", "permissions", "models", "jobs")),
    "routes": (routes, ("method", "path", "access", "owner")),
    "permissions": (permissions, ("name", "lowest_role", "owner", "description")),
    "settings": (settings, ("name", "owner", "section", "aliases")),
    "middleware": (middleware, ("phase", "factory", "owner")),
    "jobs": (jobs, ("name", "every", "attempts", "owner")),
    "health": (health, ("name", "critical", "owner")),
}
"""How each kind is listed, and which members a table shows."""


def _is_own(route: APIRoute) -> bool:
    """Say whether the package brings a route; pages of documentation are of no feature."""
    return route.endpoint.__module__.startswith("mainstay.")


def _access(access: Access, *, own: bool) -> str:
    asked = [*access.permissions, *([f"role:{access.role}"] if access.role else [])]
    if asked:
        return " | ".join(asked)
    if access.signed_in:
        return "signed in"
    return "public" if access.declared or own else "UNDECLARED"


def _route_owners(app: Application) -> dict[int, str]:
    """Name the feature of each route object that a feature's router holds."""
    return {
        id(context.original_route): feature.name
        for feature in assembly_of(app).registry.features
        for mount in feature.routers
        for context in iter_route_contexts(mount.router.routes)
    }


def _limits(loaded: Settings) -> Callable[..., str | None]:
    if RateLimitSettings not in loaded or not loaded[RateLimitSettings].RATE_LIMIT_ENABLED:
        return lambda *_, **__: None
    own = loaded[RateLimitSettings]
    paths = Paths(loaded[ApplicationSettings].API_V1_PREFIX)

    def limit(method: str, path: str, *, access: Access) -> str | None:
        if paths.is_free(path):
            return None
        if method == "POST" and paths.takes_credentials(path):
            return own.RATE_LIMIT_AUTH_ENDPOINTS
        return own.RATE_LIMIT_AUTHENTICATED if access.signed_in else own.RATE_LIMIT_UNAUTHENTICATED

    return limit


def _duration(every: timedelta) -> str:
    seconds = int(every.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"

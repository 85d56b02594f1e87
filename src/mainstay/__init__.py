"""Mainstay: the backend that Python people start their product on.

All public names are importable from here. They are loaded when they are first asked for, so that
the command line's help needs no framework.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mainstay.kit.version import VERSION

if TYPE_CHECKING:
    from mainstay.app import create_app
    from mainstay.core.auth import HasPermissions as PermissionChecker
    from mainstay.core.auth import HasRole as RoleChecker
    from mainstay.core.auth import (
        Principal,
        PrincipalResolver,
        get_current_user,
        has_permissions,
        has_role,
        optional_user,
        public,
    )
    from mainstay.core.bus import Bus
    from mainstay.core.checks import Check, Finding
    from mainstay.core.db import Base, BaseModel, Id, JsonDocument, Timestamp
    from mainstay.core.errors import (
        AlreadyExistsError,
        BadRequestError,
        ConflictError,
        DependencyUnavailableError,
        FieldError,
        GoneError,
        NotAuthenticatedError,
        NotFoundError,
        PermissionDeniedError,
        PreconditionFailedError,
        ProblemError,
        RateLimitedError,
        UnsupportedMediaTypeError,
        ValidationFailedError,
    )
    from mainstay.core.events import Event, Subscriber, publish
    from mainstay.core.feature import Feature, HealthCheck, Middleware, Mount, Permission
    from mainstay.core.http.deps import Session, get_session, port
    from mainstay.core.http.deps import get_session as get_async_db
    from mainstay.core.http.deps import get_session as get_db
    from mainstay.core.http.schema import Input, Output
    from mainstay.core.jobs import Job, JobQueue, JobRun
    from mainstay.core.mail import Mailer
    from mainstay.core.ports import Ports, Provide
    from mainstay.core.ratelimit import RateLimiter
    from mainstay.core.settings import Names, Section, Settings

__version__ = VERSION

_HOMES = {
    "mainstay.app": ("create_app",),
    "mainstay.core.auth": (
        "Principal",
        "PrincipalResolver",
        "get_current_user",
        "has_permissions",
        "has_role",
        "optional_user",
        "public",
    ),
    "mainstay.core.bus": ("Bus",),
    "mainstay.core.checks": ("Check", "Finding"),
    "mainstay.core.db": ("Base", "BaseModel", "Id", "JsonDocument", "Timestamp"),
    "mainstay.core.errors": (
        "AlreadyExistsError",
        "BadRequestError",
        "ConflictError",
        "DependencyUnavailableError",
        "FieldError",
        "GoneError",
        "NotAuthenticatedError",
        "NotFoundError",
        "PermissionDeniedError",
        "PreconditionFailedError",
        "ProblemError",
        "RateLimitedError",
        "UnsupportedMediaTypeError",
        "ValidationFailedError",
    ),
    "mainstay.core.events": ("Event", "Subscriber", "publish"),
    "mainstay.core.feature": (
        "Feature",
        "HealthCheck",
        "Middleware",
        "Mount",
        "Permission",
    ),
    "mainstay.core.http.deps": ("Session", "get_session", "port"),
    "mainstay.core.http.schema": ("Input", "Output"),
    "mainstay.core.jobs": ("Job", "JobQueue", "JobRun"),
    "mainstay.core.mail": ("Mailer",),
    "mainstay.core.ports": ("Ports", "Provide"),
    "mainstay.core.ratelimit": ("RateLimiter",),
    "mainstay.core.settings": ("Names", "Section", "Settings"),
}
_ALIASES = {
    "PermissionChecker": ("mainstay.core.auth", "HasPermissions"),
    "RoleChecker": ("mainstay.core.auth", "HasRole"),
    "get_async_db": ("mainstay.core.http.deps", "get_session"),
    "get_db": ("mainstay.core.http.deps", "get_session"),
}
_SOURCES = {name: (home, name) for home, names in _HOMES.items() for name in names} | _ALIASES

__all__ = [
    "AlreadyExistsError",
    "BadRequestError",
    "Base",
    "BaseModel",
    "Bus",
    "Check",
    "ConflictError",
    "DependencyUnavailableError",
    "Event",
    "Feature",
    "FieldError",
    "Finding",
    "GoneError",
    "HealthCheck",
    "Id",
    "Input",
    "Job",
    "JobQueue",
    "JobRun",
    "JsonDocument",
    "Mailer",
    "Middleware",
    "Mount",
    "Names",
    "NotAuthenticatedError",
    "NotFoundError",
    "Output",
    "Permission",
    "PermissionChecker",
    "PermissionDeniedError",
    "Ports",
    "PreconditionFailedError",
    "Principal",
    "PrincipalResolver",
    "ProblemError",
    "Provide",
    "RateLimitedError",
    "RateLimiter",
    "RoleChecker",
    "Section",
    "Session",
    "Settings",
    "Subscriber",
    "Timestamp",
    "UnsupportedMediaTypeError",
    "ValidationFailedError",
    "__version__",
    "create_app",
    "get_async_db",
    "get_current_user",
    "get_db",
    "get_session",
    "has_permissions",
    "has_role",
    "optional_user",
    "port",
    "public",
    "publish",
]


def __getattr__(name: str) -> Any:
    try:
        home, attribute = _SOURCES[name]
    except KeyError:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg) from None
    value = getattr(import_module(home), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

"""A feature says everything it brings in one place; built-ins and a project's own alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from fastapi import APIRouter
    from sqlalchemy.ext.asyncio import AsyncSession
    from starlette.types import ASGIApp

    from mainstay.core.checks import Check
    from mainstay.core.db import Base
    from mainstay.core.errors import ProblemError
    from mainstay.core.events import Event, Subscriber
    from mainstay.core.jobs import Job
    from mainstay.core.ports import Ports, Provide
    from mainstay.core.settings import Section

Phase = Literal["edge", "security", "inner"]
"""When a middleware runs: before anything is trusted, before routing is allowed, last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """A permission that a feature declares: ``<resource>:<action>`` or with ``:self``.

    ``lowest_role`` is the built-in role that has it by default, with all that rank above it.
    """

    name: str
    description: str
    lowest_role: Literal["user", "moderator", "admin", "superadmin"] = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A router and where it stands: under the API prefix, or at the root, or both."""

    router: APIRouter
    prefix: str = ""
    at: Literal["api", "root", "both"] = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Middleware:
    """A pure ASGI layer: ``factory(app, ports)`` wraps the next one."""

    phase: Phase
    factory: Callable[[ASGIApp, Ports], ASGIApp]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """A part whose state readiness reports. ``probe(ports)`` raises when the part is down.

    A ``critical`` part that is down makes readiness red; another only adds ``degraded``.
    """

    name: str
    probe: Callable[[Ports], Awaitable[None]]
    critical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """All that a feature brings. ``name`` is unique; ``requires`` names other features.

    ``needs`` lists ports without which it cannot work; the registry refuses to assemble without.
    ``after_migrate(session, ports)`` brings rows in line with the code, under the migration lock.
    """

    name: str
    requires: tuple[str, ...] = ()
    needs: tuple[type[Any], ...] = ()
    settings: tuple[type[Section], ...] = ()
    models: tuple[type[Base], ...] = ()
    routers: tuple[Mount, ...] = ()
    permissions: tuple[Permission, ...] = ()
    provides: tuple[Provide[Any], ...] = ()
    errors: tuple[type[ProblemError], ...] = ()
    events: tuple[type[Event], ...] = ()
    middleware: tuple[Middleware, ...] = ()
    subscribers: tuple[Subscriber, ...] = ()
    lifespan: Callable[[Ports], AbstractAsyncContextManager[None]] | None = None
    jobs: tuple[Job, ...] = ()
    health: tuple[HealthCheck, ...] = ()
    checks: tuple[Check, ...] = ()
    after_migrate: Callable[[AsyncSession, Ports], Awaitable[None]] | None = None

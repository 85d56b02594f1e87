"""create_app(): the one place that knows FastAPI's application and the features."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mainstay.core.alembic import MigrationRunner, package_history
from mainstay.core.assembly import Assembly, Lifecycle
from mainstay.core.bus import Bus, LocalBus
from mainstay.core.db.engine import Database
from mainstay.core.db.settings import DatabaseSettings
from mainstay.core.db.unit import Units
from mainstay.core.events import EventHub
from mainstay.core.feature import Feature
from mainstay.core.http.access import check_routes
from mainstay.core.http.application import Application
from mainstay.core.http.cors import Cors
from mainstay.core.http.docs_pages import mount_docs
from mainstay.core.http.edge import Edge, EdgeParts
from mainstay.core.http.failures import Failures
from mainstay.core.http.guards import Hosts
from mainstay.core.http.idempotency import Idempotency
from mainstay.core.http.openapi import OpenAPIOptions, install_openapi, operation_id
from mainstay.core.http.proxy import Proxies
from mainstay.core.jobs import JobQueue
from mainstay.core.lifespan import lifespan_of
from mainstay.core.logging import AccessLog, configure
from mainstay.core.ports import Ports
from mainstay.core.registry import AssemblyError, Registry, assemble
from mainstay.core.settings import (
    ApplicationSettings,
    Settings,
    ensure_secret_key,
    load,
    new_secret,
    require_startable,
)
from mainstay.core.settings.server import ServerSettings
from mainstay.core.tokens import KeyRing
from mainstay.core.tokens.settings import SigningSettings, ring_of
from mainstay.features import BUILT_IN
from mainstay.kit.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from starlette.types import ASGIApp

    from mainstay.core.settings import Section

_TAGS: Final = {
    "auth": "Signing up, signing in, sessions, passwords and addresses.",
    "users": "Accounts and their profiles.",
    "rbac": "Roles and permissions.",
    "audit": "What happened, by whom.",
    "jobs": "Work that runs behind requests.",
    "setup": "The first administrator.",
    "health": "Whether the server is alive and ready.",
}
_PHASES: Final = ("edge", "security", "inner")
_GIVEN: Final[tuple[type[Any], ...]] = (
    Application,
    Bus,
    Database,
    EventHub,
    KeyRing,
    Lifecycle,
    MigrationRunner,
    Registry,
    Settings,
    Units,
)


def create_app(
    features: Sequence[Feature | str] = (),
    *,
    disable: Collection[str] = (),
    settings: Sequence[type[Section]] = (),
    environ: Mapping[str, str] | None = None,
    env_file: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    inspecting: bool = False,
) -> Application:
    """Put an application together from the built-in features and the project's own.

    Args:
        features: the project's features, as records or as modules that hold a ``feature``.
        disable: names of built-in features to leave out entirely.
        settings: further sections of settings, beside those of the features.
        environ: what to read settings from in place of the process's environment.
        env_file: what to read in place of ``.env`` in the working directory.
        overrides: settings that win over every other source.
        inspecting: put it together to be looked at, not served: weak settings are accepted, and
            the keys are made up.

    Raises:
        AssemblyError: the features do not fit together.
        SettingsError: settings are wrong, or too weak for production; all faults at once.
    """
    built_in = [f"mainstay.features.{name}" for name in BUILT_IN if name not in disable]
    registry = assemble(
        [_resolve(given) for given in (*built_in, *features)],
        disable=disable,
        known=BUILT_IN,
        given_ports=_GIVEN,
    )
    sections: list[type[Section]] = [
        ApplicationSettings,
        ServerSettings,
        SigningSettings,
        DatabaseSettings,
    ]
    sections += settings
    sections += [section for feature in registry.features for section in feature.settings]
    loaded = load(
        list(dict.fromkeys(sections)),
        environ=environ,
        env_file=env_file or Path(".env"),
        overrides=overrides,
    )
    if inspecting:
        keys = KeyRing.from_secret(new_secret().encode())
    else:
        require_startable(loaded)
        loaded = ensure_secret_key(loaded)
        keys = ring_of(loaded)
    application = loaded[ApplicationSettings]
    configure(level=application.LOG_LEVEL, json=application.LOG_FORMAT == "json")
    assembly = _connect(registry, loaded, keys)
    app = _application(assembly)
    _add_routes(app, registry, loaded)
    return app


def _resolve(given: Feature | str) -> Feature:
    """Give the feature that a module holds, as ``feature`` or in its submodule of that name."""
    if isinstance(given, Feature):
        return given
    found = getattr(import_module(given), "feature", None)
    if not isinstance(found, Feature):
        found = getattr(import_module(f"{given}.feature"), "feature", None)
    if not isinstance(found, Feature):
        msg = f'The module "{given}" holds no feature. Add `feature = Feature(name=...)` to it.'
        raise AssemblyError(msg)
    return found


def _connect(registry: Registry, settings: Settings, keys: KeyRing) -> Assembly:
    """Build the ports; nothing is opened yet."""
    ports = Ports(provision for feature in registry.features for provision in feature.provides)
    database = Database(settings[DatabaseSettings], data_dir=settings[ApplicationSettings].data_dir)
    events = EventHub((s for f in registry.features for s in f.subscribers), ports)
    assembly = Assembly(
        settings=settings,
        registry=registry,
        ports=ports,
        database=database,
        units=Units(database, events),
        events=events,
    )
    ports.add(Settings, settings)
    ports.add(Registry, registry)
    ports.add(Database, database)
    ports.add(EventHub, events)
    ports.add(Units, assembly.units)
    ports.add(Lifecycle, assembly.lifecycle)
    ports.add(Bus, LocalBus())
    ports.add(KeyRing, keys)
    ports.add(MigrationRunner, MigrationRunner(database, [package_history()]))
    events.use_queue(ports.get(JobQueue))
    return assembly


def _application(assembly: Assembly) -> Application:
    settings = assembly.settings[ApplicationSettings]
    access_log = AccessLog(json=settings.LOG_FORMAT == "json")
    app = Application(
        title=settings.PROJECT_NAME,
        version=settings.VERSION or VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
        lifespan=lifespan_of(assembly, access_log),
        layers=_layers(assembly),
    )
    app.state.mainstay = assembly
    assembly.ports.add(Application, app)
    app.layers.insert(0, partial(Edge, parts=_edge_parts(app, assembly, access_log)))
    return app


def _layers(assembly: Assembly) -> list[Callable[[ASGIApp], ASGIApp]]:
    declared = [m for feature in assembly.registry.features for m in feature.middleware]
    declared.sort(key=lambda middleware: _PHASES.index(middleware.phase))
    return [partial(_wrap, middleware.factory, assembly.ports) for middleware in declared]


def _wrap(factory: Callable[[ASGIApp, Ports], ASGIApp], ports: Ports, app: ASGIApp) -> ASGIApp:
    return factory(app, ports)


def _edge_parts(app: Application, assembly: Assembly, access_log: AccessLog) -> EdgeParts:
    settings = assembly.settings[ApplicationSettings]
    return EdgeParts(
        units=assembly.units,
        failures=Failures(app.own_handlers, development=settings.is_development or settings.DEBUG),
        idempotency=Idempotency(assembly.units),
        proxies=Proxies(settings.TRUSTED_PROXIES),
        hosts=Hosts(settings.ALLOWED_HOSTS),
        cors=Cors(settings.CORS_ORIGINS),
        access_log=access_log,
        max_body_size=settings.MAX_BODY_SIZE,
        https=(settings.PUBLIC_URL or "").startswith("https://"),
        unguarded=frozenset({"/livez", "/readyz", "/up", "/health/liveness", "/health/readiness"}),
    )


def _add_routes(app: Application, registry: Registry, settings: Settings) -> None:
    application = settings[ApplicationSettings]
    for feature in registry.features:
        for mount in feature.routers:
            if mount.at != "root":
                prefix = application.API_V1_PREFIX + mount.prefix
                app.include_router(mount.router, prefix=prefix)
            if mount.at != "api":
                app.include_router(
                    mount.router, prefix=mount.prefix, include_in_schema=mount.at == "root"
                )
    check_routes(app, registry)
    options = OpenAPIOptions(
        api_prefix=application.API_V1_PREFIX, public_url=application.PUBLIC_URL, tags=_TAGS
    )
    install_openapi(app, options)
    mount_docs(app, title=application.PROJECT_NAME, mode=application.API_DOCS)

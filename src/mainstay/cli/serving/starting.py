"""What has to be right before a process serves, and what it says once it does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mainstay.cli.console import CommandError, say
from mainstay.cli.project import Project, load_app
from mainstay.cli.serving.welcome import base_address, welcome
from mainstay.cli.work import require_database
from mainstay.core.assembly import assembly_of
from mainstay.core.checks.runner import boot_findings
from mainstay.core.logging import get_logger
from mainstay.core.migrating import migrate
from mainstay.core.settings import ApplicationSettings, SettingsError, load
from mainstay.kit.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mainstay.core.assembly import Assembly
    from mainstay.core.checks.report import Result
    from mainstay.core.http.application import Application

_log = get_logger("mainstay.server")
_GAP = 4
Row = tuple[str, str]
"""A reason not to start, and what to do about it."""


def startable_app(project: Project | None) -> Application:
    """Give the application, ready to be served.

    Raises:
        CommandError: it must not be, with every reason and its fix: weak settings in production,
            several processes.
        SettingsError: settings are wrong, so that nothing else can be said.
    """
    rows = _worker_rows()
    environment: str | None = None
    try:
        app = load_app(project, inspecting=False)
    except SettingsError as error:
        if error.environment is None:
            raise
        environment = error.environment
        weak = [(fault.sentence, fault.fix) for fault in error.faults]
        further = _boot_rows(project, error) if environment == "production" else []
        rows = [*weak, *rows, *further]
    if rows:
        raise CommandError(refusal(rows, environment))
    return app


def refusal(rows: Sequence[Row], environment: str | None) -> str:
    """Say why the server does not start: a heading, and a line a reason with the fix beside."""
    where = f" in {environment}" if environment else ""
    width = max(len(sentence) for sentence, _ in rows) + _GAP
    lines = [f"  {sentence:<{width}}{fix}".rstrip() for sentence, fix in rows]
    return "\n".join([f"Mainstay will not start{where}:", *lines])


async def prepare(assembly: Assembly) -> None:
    """See that the database is there and, in production, that nothing forbids a start.

    In development the application's own lifespan migrates.

    Raises:
        CommandError: the database cannot be reached, or the boot checks fail.
    """
    application = assembly.settings[ApplicationSettings]
    await require_database(assembly)
    if not application.is_production:
        return
    if application.RUN_MIGRATIONS:
        await migrate(assembly)
    rows = _rows(await boot_findings(assembly.ports))
    if rows:
        await assembly.database.dispose()
        raise CommandError(refusal(rows, application.ENVIRONMENT))


async def announce(app: Application, assembly: Assembly, *, reload: bool, again: bool) -> None:
    """Say that requests are answered: at length to a developer, in one log line elsewhere."""
    application = assembly.settings[ApplicationSettings]
    for notice in assembly.settings.notices:
        _log.warning("settings.notice", text=notice)
    if not application.is_development:
        address = base_address(application.HOST, application.PORT)
        _log.info("server.started", address=address, version=VERSION)
    elif again:
        say("Reloaded.")
    else:
        await welcome(app, assembly, reload=reload)


def _worker_rows() -> list[Row]:
    """Refuse several processes: nothing carries limits and revocations between them yet."""
    application = load([ApplicationSettings])[ApplicationSettings]
    number = application.WEB_CONCURRENCY
    if number == 1:
        return []
    reason = f"WEB_CONCURRENCY is {number}, and more than one process needs Redis."
    fix = (
        "Set WEB_CONCURRENCY=1: sharing limits, revocations and messages through REDIS_URL is not "
        "in this version yet."
    )
    return [(reason, fix)]


def _boot_rows(project: Project | None, error: SettingsError) -> list[Row]:
    """Give what the boot checks find besides, so that one reading of the refusal is enough."""
    app = load_app(project)
    names = {fault.name for fault in error.faults}

    async def look() -> tuple[Result, ...]:
        assembly = assembly_of(app)
        try:
            return await boot_findings(assembly.ports)
        finally:
            await assembly.database.dispose()

    found = asyncio.run(look())
    # Without its URL another database would be looked at.
    kept = [r for r in found if "DATABASE_URL" not in names or not r.check.id.startswith("D")]
    return [row for row in _rows(kept) if not any(name in " ".join(row) for name in names)]


def _rows(results: Iterable[Result]) -> list[Row]:
    return [(r.message, r.fix[:1].upper() + r.fix[1:]) for r in results]

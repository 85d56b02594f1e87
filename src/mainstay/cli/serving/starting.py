"""What has to be right before a process serves, and what it says once it does."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from mainstay.cli.console import CommandError, say
from mainstay.cli.project import Project, load_app
from mainstay.cli.serving.welcome import base_address, welcome
from mainstay.cli.work import require_database
from mainstay.core.assembly import assembly_of
from mainstay.core.checks.runner import all_checks, boot_findings
from mainstay.core.checks.silence import skipped_ids
from mainstay.core.logging import get_logger
from mainstay.core.migrating import migrate
from mainstay.core.settings import ApplicationSettings, SettingsError, load
from mainstay.kit.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mainstay.core.assembly import Assembly
    from mainstay.core.checks import Finding
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
    rows = [(r.message, _sentence(r.fix)) for r in await boot_findings(assembly.ports)]
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
    assembly = assembly_of(load_app(project))
    names = {fault.name for fault in error.faults}
    found = asyncio.run(_findings(assembly, database="DATABASE_URL" not in names))
    rows = [(finding.message, _sentence(finding.fix)) for finding in found]
    return [row for row in rows if not any(name in " ".join(row) for name in names)]


async def _findings(assembly: Assembly, *, database: bool) -> list[Finding]:
    """Run the boot checks; those of the database only where that is the right one."""
    skipped = skipped_ids(os.environ)
    found = []
    try:
        for check in all_checks(assembly.ports):
            if check.boot and check.id not in skipped and (database or check.id[0] != "D"):
                with suppress(Exception):  # it is looked at again at the next start
                    found.append(await check.run(assembly.ports))
    finally:
        await assembly.database.dispose()
    return [finding for finding in found if finding is not None]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]

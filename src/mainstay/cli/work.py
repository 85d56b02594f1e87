"""An application's parts in the hands of a command: opened, named in failures, closed again."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from mainstay.cli.console import CommandError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from mainstay.cli.project import Project
    from mainstay.core.assembly import Assembly
    from mainstay.core.http.application import Application

T = TypeVar("T")


def with_assembly(app: Application, work: Callable[[Assembly], Awaitable[T]]) -> T:
    """Run work on an application's parts, in an event loop of its own.

    Raises:
        CommandError: the database cannot be reached; the text names it, without its password.
    """

    async def run() -> T:
        async with _opened(app) as assembly:
            return await work(assembly)

    return asyncio.run(run())


def app_to_change(project: Project | None) -> Application:
    """Give the application for a command that writes to its database.

    Raises:
        SettingsError: in production, no database is named.
    """
    from mainstay.cli.project import load_app
    from mainstay.core.assembly import assembly_of
    from mainstay.core.db.settings import DatabaseSettings
    from mainstay.core.settings import ApplicationSettings, SettingsError

    app = load_app(project)
    settings = assembly_of(app).settings
    if settings[ApplicationSettings].is_production:
        faults = tuple(settings[DatabaseSettings].production_faults(settings))
        if faults:
            raise SettingsError(faults, environment="production")
    return app


async def require_database(assembly: Assembly) -> None:
    """Do nothing if the database answers.

    Raises:
        CommandError: it does not; the text names it, without its password.
    """
    try:
        await assembly.database.ping()
    except Exception as error:
        raise unavailable(assembly, error) from error


def unavailable(assembly: Assembly, error: Exception) -> CommandError:
    """Make the error for a database that cannot be reached."""
    from mainstay.core.db.failures import classify

    kind = classify(error)
    reason = str(getattr(error, "strerror", "") or "") if kind is None else kind.value
    named = f"The database {assembly.database.url} cannot be used"
    return CommandError(f"{named}: {reason or type(error).__name__}.")


@asynccontextmanager
async def _opened(app: Application) -> AsyncIterator[Assembly]:
    from mainstay.core.assembly import assembly_of
    from mainstay.core.db.failures import is_unavailable

    assembly = assembly_of(app)
    try:
        yield assembly
    except CommandError:
        raise
    except Exception as error:
        if is_unavailable(error):
            raise unavailable(assembly, error) from error
        raise
    finally:
        await assembly.database.dispose()

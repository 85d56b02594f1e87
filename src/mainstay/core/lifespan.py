"""The life of a serving process: schema, features' own lifespans, and an orderly end."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from mainstay.core.db.failures import is_unavailable
from mainstay.core.logging import get_logger
from mainstay.core.migrating import migrate
from mainstay.core.settings import ApplicationSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from fastapi import FastAPI

    from mainstay.core.assembly import Assembly
    from mainstay.core.logging import AccessLog

_log = get_logger("mainstay.lifespan")


def lifespan_of(
    assembly: Assembly, access_log: AccessLog
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Give the lifespan that FastAPI runs: migrations where wanted, then each feature's own."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        assembly.lifecycle.frozen = True
        await _bring_schema(assembly)
        async with AsyncExitStack() as stack:
            stack.callback(access_log.flush)
            stack.push_async_callback(assembly.database.dispose)
            for feature in assembly.registry.features:
                if feature.lifespan is not None:
                    await stack.enter_async_context(feature.lifespan(assembly.ports))
            try:
                yield
            finally:
                assembly.lifecycle.draining = True

    return lifespan


async def _bring_schema(assembly: Assembly) -> None:
    """Migrate where the settings say so. Without its database the process still answers probes."""
    if not assembly.settings[ApplicationSettings].RUN_MIGRATIONS:
        return
    try:
        await migrate(assembly)
    except Exception as error:
        if not is_unavailable(error):
            raise
        _log.error("database.unavailable", database=str(assembly.database.url))

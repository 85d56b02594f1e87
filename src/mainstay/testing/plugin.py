"""The pytest plugin: an application on a database of its own for each test, and ways into it.

A project overrides ``features`` to put its own in, and ``settings`` to set variables::

    @pytest.fixture(scope="session")
    def features():
        return ["shop.features.books"]

All fixtures that talk to the application are asynchronous; mark tests with ``anyio``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mainstay.app import create_app
from mainstay.core.feature import Feature
from mainstay.core.http.application import Application
from mainstay.testing.backend import Account, Backend, environment, serving
from mainstay.testing.databases import TemplateDatabase, template_database
from mainstay.testing.migrated import migrate_url


@pytest.fixture(scope="session")
def features() -> Sequence[Feature | str]:
    """The project's own features, as `create_app` takes them; override it."""
    return ()


@pytest.fixture(scope="session")
def migrated_database(features: Sequence[Feature | str]) -> Iterator[TemplateDatabase]:
    """A migrated database that is copied for each test; SQLite unless overridden."""
    with template_database("sqlite", partial(migrate_url, features=features)) as template:
        yield template


@pytest.fixture
def database_url(migrated_database: TemplateDatabase) -> Iterator[str]:
    """The URL of a migrated database that is the test's own."""
    with migrated_database.copy() as url:
        yield url


@pytest.fixture
def settings() -> dict[str, Any]:
    """Further settings for the application; override it, or parametrise it."""
    return {}


@pytest.fixture
def environ(database_url: str, tmp_path: Path, settings: dict[str, Any]) -> dict[str, str]:
    """The environment that the application reads in place of the process's own."""
    base = {"DATABASE_URL": database_url, "DATA_DIR": tmp_path, "RUN_MIGRATIONS": "false"}
    return environment(**(base | settings))


@pytest.fixture
def make_app(
    features: Sequence[Feature | str], environ: dict[str, str], tmp_path: Path
) -> Callable[[], Application]:
    """What makes the application; call it again for a second process's."""
    return lambda: create_app(features=features, environ=environ, env_file=tmp_path / ".env")


@pytest.fixture
def app(make_app: Callable[[], Application]) -> Application:
    """The application, not yet started."""
    return make_app()


@pytest.fixture
async def backend(app: Application) -> AsyncIterator[Backend]:
    """The application, started, with a client."""
    async with serving(app) as running:
        yield running


@pytest.fixture
async def client(backend: Backend) -> httpx2.AsyncClient:
    """A client that talks to the application."""
    return backend.client


@pytest.fixture
async def as_user(backend: Backend) -> Callable[..., Awaitable[Account]]:
    """Make a signed-in account with the given roles: ``await as_user("admin")``."""
    return backend.user


@pytest.fixture
async def mailbox(backend: Backend) -> Callable[[], Awaitable[list[dict[str, Any]]]]:
    """Give the captured mails, the newest first: ``await mailbox()``."""
    return backend.mailbox


@pytest.fixture
async def run_jobs(backend: Backend) -> Callable[[], Awaitable[int]]:
    """Run all jobs that are due: ``await run_jobs()``."""
    return backend.run_jobs

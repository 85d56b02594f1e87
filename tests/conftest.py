"""What all tests share: every test with a backend runs on each database that is there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mainstay.testing.databases import (
    KINDS,
    TemplateDatabase,
    is_required,
    template_database,
    why_unavailable,
)
from mainstay.testing.migrated import migrate_url


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", params=KINDS)
def migrated_database(request: pytest.FixtureRequest) -> Iterator[TemplateDatabase]:
    reason = why_unavailable(request.param)
    if reason is not None:
        (pytest.fail if is_required(request.param) else pytest.skip)(reason)
    with template_database(request.param, migrate_url) as template:
        yield template

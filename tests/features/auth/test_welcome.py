"""The page at ``/``: in development, and only where a project has none of its own."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import Depends

from mainstay import public
from mainstay.core.http.application import Application
from mainstay.testing.backend import Backend, serving
from mainstay.testing.plugin import migrated_database

pytestmark = pytest.mark.anyio
__all__ = ["migrated_database"]


async def test_it_tells_where_to_go(backend: Backend) -> None:
    answer = await backend.client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert 'href="/docs"' in answer.text
    assert 'href="/admin/mailbox"' in answer.text


async def test_a_project_s_own_page_wins(app: Application) -> None:
    @app.get("/", dependencies=[Depends(public)])
    async def home() -> dict[str, str]:
        return {"page": "own"}

    async with serving(app) as backend:
        assert (await backend.client.get("/")).json() == {"page": "own"}


@pytest.mark.parametrize("settings", [{"ENVIRONMENT": "staging"}])
async def test_elsewhere_there_is_none(backend: Backend, settings: dict[str, Any]) -> None:
    assert (await backend.client.get("/")).status_code == 404

"""The pages of development are for this machine, under a name of its own."""

from __future__ import annotations

import pytest

from mainstay.testing.backend import Backend
from mainstay.testing.plugin import migrated_database

pytestmark = pytest.mark.anyio
__all__ = ["migrated_database"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8000", "[::1]:8000", "shop.localhost"])
async def test_local_names_are_served(backend: Backend, host: str) -> None:
    answer = await backend.client.get("/admin/mailbox.json", headers={"Host": host})
    assert answer.status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil", ""])
async def test_a_foreign_name_that_leads_here_is_not(backend: Backend, host: str) -> None:
    for path in ("/admin/mailbox.json", "/admin/mailbox", "/admin/setup"):
        answer = await backend.client.get(path, headers={"Host": host})
        assert answer.status_code == 404

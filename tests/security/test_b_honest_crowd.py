"""Many honest sign-ins to one account at once all get in; the count of looks still holds."""

from __future__ import annotations

import asyncio

import pytest

from mainstay.testing.backend import Backend

pytestmark = pytest.mark.anyio


async def test_B1_parallel_right_passwords_get_in(backend: Backend) -> None:
    account = await backend.register()
    body = {"username_or_email": account.email, "password": account.password}

    answers = await asyncio.gather(
        *(backend.client.post(f"{backend.api}/auth/login", json=body) for _ in range(12))
    )

    assert [answer.status_code for answer in answers] == [200] * 12

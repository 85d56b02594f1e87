"""The lockout at its edges: a full hash queue, a lapsed lock, and many tries at once."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from mainstay.core.errors import OverloadedError
from mainstay.core.http.application import Application
from mainstay.features.auth.hashing import PasswordHasher, Verification
from mainstay.features.auth.models import LoginAttempts
from mainstay.kit.clock import now
from mainstay.testing.backend import Account, Backend

pytestmark = pytest.mark.anyio

THRESHOLD = 5


async def try_password(backend: Backend, account: Account, password: str) -> int:
    body = {"username_or_email": account.email, "password": password}
    return (await backend.client.post(f"{backend.api}/auth/login", json=body)).status_code


async def attempts(backend: Backend) -> list[tuple[int, datetime | None]]:
    async with backend.assembly.units.transaction() as session:
        rows = await session.execute(select(LoginAttempts.failures, LoginAttempts.locked_until))
        return [(failures, locked) for failures, locked in rows]


async def test_B1_an_attempt_that_found_no_place_does_not_count(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await backend.register()

    async def full(_: PasswordHasher, password: str, stored: str | None) -> Verification:
        raise OverloadedError

    with monkeypatch.context() as patched:
        patched.setattr(PasswordHasher, "verify", full)
        for _ in range(THRESHOLD + 1):
            assert await try_password(backend, account, account.password) == 503

    assert {failures for failures, _ in await attempts(backend)} <= {0}
    assert await try_password(backend, account, account.password) == 200


async def test_B2_a_lapsed_lock_gives_no_more_looks_than_the_threshold(
    app: Application, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await backend.register()
    await try_password(backend, account, "not the password")
    async with backend.assembly.units.transaction() as session:
        await session.execute(
            update(LoginAttempts).values(
                failures=THRESHOLD, updated_at=now() - timedelta(minutes=31)
            )
        )
    looks = 0
    real = PasswordHasher.verify

    async def counted(self: PasswordHasher, password: str, stored: str | None) -> Verification:
        nonlocal looks
        looks += stored is not None
        return await real(self, password, stored)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    tries = [try_password(backend, account, "not the password") for _ in range(20)]
    assert set(await asyncio.gather(*tries)) == {401}

    assert looks == THRESHOLD
    assert max(failures for failures, _ in await attempts(backend)) == THRESHOLD
    assert any(locked is not None for _, locked in await attempts(backend))

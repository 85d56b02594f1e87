"""Everybody sees what happened to their own account, and nothing else."""

from __future__ import annotations

import pytest

from mainstay.testing.backend import Backend

pytestmark = pytest.mark.anyio


async def test_own_security_events_newest_first(backend: Backend) -> None:
    account = await backend.register()
    other = await backend.register()
    wrong = {"username_or_email": account.email, "password": "not the password"}
    assert (await backend.client.post(f"{backend.api}/auth/login", json=wrong)).status_code == 401
    await backend.login(other)

    answer = await backend.client.get(f"{backend.api}/auth/activity", headers=account.headers)

    assert answer.status_code == 200
    items = answer.json()["items"]
    assert [(item["action"], item["outcome"]) for item in items] == [
        ("auth.sign_in_failed", "failure"),
        ("session.started", "success"),
        ("auth.signed_in", "success"),
    ]
    assert set(items[0]) == {"id", "action", "outcome", "ip", "user_agent", "created_at"}
    assert answer.json()["page"]["total"] == 3


async def test_activity_needs_a_sign_in(backend: Backend) -> None:
    answer = await backend.client.get(f"{backend.api}/auth/activity")
    assert answer.status_code == 401

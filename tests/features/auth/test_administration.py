"""What administrators do about the sign-in of others: unlock, and invite."""

from __future__ import annotations

import asyncio

import pytest

pytestmark = pytest.mark.anyio

WRONG = "not-the-password-at-all"


async def log_in(backend, account, password):
    body = {"username": account.username, "password": password}
    return await backend.client.post(f"{backend.api}/auth/login", json=body)


async def lock_out(backend, account):
    for _ in range(5):
        assert (await log_in(backend, account, WRONG)).status_code == 401
    assert (await log_in(backend, account, account.password)).status_code == 401


async def unlock(backend, actor, user_id):
    path = f"{backend.api}/users/{user_id}/unlock"
    return await backend.client.post(path, headers=actor.headers)


async def test_an_administrator_unlocks_an_account(backend):
    moderator, other = await backend.user("moderator"), await backend.user()
    await lock_out(backend, other)
    answer = await unlock(backend, moderator, other.id)
    assert (answer.status_code, answer.json()["id"]) == (200, other.id)
    assert (await log_in(backend, other, other.password)).status_code == 200
    admin = await backend.user("admin")
    path = f"{backend.api}/audit/logs?action=auth.account_unlocked"
    (entry,) = (await backend.client.get(path, headers=admin.headers)).json()["items"]
    assert (entry["actor"], entry["target"]) == (moderator.id, other.id)


async def test_an_unlocked_account_has_all_its_tries_again(backend):
    moderator, other = await backend.user("moderator"), await backend.user()
    await lock_out(backend, other)
    await unlock(backend, moderator, other.id)
    for _ in range(4):
        await log_in(backend, other, WRONG)
    assert (await log_in(backend, other, other.password)).status_code == 200


async def test_who_may_not_unlock(backend):
    user, moderator = await backend.user(), await backend.user("moderator")
    admin = await backend.user("admin")
    answer = await unlock(backend, user, user.id)
    assert (answer.status_code, answer.json()["required"]) == (403, ["users:update"])
    assert (await unlock(backend, moderator, admin.id)).status_code == 403
    assert (await unlock(backend, moderator, "nobody")).status_code == 404


async def test_E6_a_sign_in_that_meets_a_deactivation_leaves_no_session(backend):
    admin, other = await backend.user("admin"), await backend.user()
    path = f"{backend.api}/users/{other.id}"
    for _ in range(4):
        login, _ = await asyncio.gather(
            log_in(backend, other, other.password),
            backend.client.post(f"{path}/deactivate", headers=admin.headers),
        )
        assert login.status_code in {200, 401}
        await backend.client.post(f"{path}/activate", headers=admin.headers)
        if login.status_code == 200:
            bearer = {"Authorization": f"Bearer {login.json()['access_token']}"}
            shown = await backend.client.get(f"{backend.api}/users/me", headers=bearer)
            assert shown.status_code == 401

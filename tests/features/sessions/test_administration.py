"""Ending the sessions of others."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.anyio


async def post(backend, account, path, **options):
    headers = account.headers
    return await backend.client.post(f"{backend.api}{path}", headers=headers, **options)


async def is_in(backend, tokens):
    """Say whether an access token still opens anything."""
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = await backend.client.get(f"{backend.api}/users/me", headers=headers)
    return answer.status_code == 200


async def entries(backend, reader, action):
    path = f"{backend.api}/audit/logs?action={action}"
    return (await backend.client.get(path, headers=reader.headers)).json()["items"]


async def test_E9_the_sessions_of_one_user_are_ended(backend):
    moderator, other, third = [await backend.user(r) for r in ("moderator", "user", "user")]
    second = await backend.login(other)
    answer = await post(backend, moderator, f"/users/{other.id}/logout-everywhere")
    assert (answer.status_code, answer.json()) == (200, {"revoked": 2})
    assert not await is_in(backend, other.tokens)
    assert not await is_in(backend, second)
    assert await is_in(backend, third.tokens)
    assert await is_in(backend, moderator.tokens)
    assert await is_in(backend, await backend.login(other))
    again = await post(backend, moderator, f"/users/{third.id}/logout-everywhere")
    assert again.json() == {"revoked": 1}


async def test_E9_who_may_not(backend):
    user, other, superadmin = [await backend.user(r) for r in ("user", "user", "superadmin")]
    answer = await post(backend, user, f"/users/{other.id}/logout-everywhere")
    assert (answer.status_code, answer.json()["required"]) == (403, ["users:update"])
    moderator = await backend.user("moderator")
    answer = await post(backend, moderator, f"/users/{superadmin.id}/logout-everywhere")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert await is_in(backend, superadmin.tokens)
    answer = await post(backend, moderator, "/users/nobody/logout-everywhere")
    assert answer.status_code == 404


async def test_E9_the_sessions_of_all_users_are_ended(backend):
    superadmin, others = await backend.user("superadmin"), [await backend.user() for _ in range(2)]
    answer = await post(
        backend, superadmin, "/users/logout-everywhere", json={"keep_current": True}
    )
    assert (answer.status_code, answer.json()) == (200, {"revoked": 2})
    assert [await is_in(backend, account.tokens) for account in others] == [False, False]
    assert await is_in(backend, superadmin.tokens)
    answer = await post(backend, superadmin, "/users/logout-everywhere")
    assert answer.json() == {"revoked": 1}
    assert not await is_in(backend, superadmin.tokens)
    superadmin.tokens = await backend.login(superadmin)
    last, first = await entries(backend, superadmin, "session.all_revoked")
    assert first["data"]["revoked"] == 2
    assert first["data"]["kept"] is not None
    assert (last["actor"], last["data"]) == (superadmin.id, {"revoked": 1, "kept": None})


async def test_E9_only_a_superadmin_signs_everybody_out(backend):
    admin = await backend.user("admin")
    answer = await post(backend, admin, "/users/logout-everywhere")
    assert (answer.status_code, answer.json()["required"]) == (403, ["role:superadmin"])
    assert await is_in(backend, admin.tokens)

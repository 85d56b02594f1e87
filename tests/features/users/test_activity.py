"""Putting users out of use and back."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.anyio


async def test_E6_deactivation_ends_everything_at_once(backend, call):
    admin, other = await backend.user("moderator"), await backend.user()
    second = await backend.login(other)
    answer = await call(admin, "POST", f"/users/{other.id}/deactivate")
    assert answer.status_code == 200, answer.text
    assert not answer.json()["is_active"]
    for tokens in (other.tokens, second):
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        shown = await backend.client.get(f"{backend.api}/users/me", headers=bearer)
        assert shown.status_code == 401
        body = {"refresh_token": tokens["refresh_token"]}
        refreshed = await backend.client.post(f"{backend.api}/auth/refresh", json=body)
        assert refreshed.status_code == 401
    login = {"username": other.username, "password": other.password}
    refused = await backend.client.post(f"{backend.api}/auth/login", json=login)
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_credentials")


async def test_E6_activation_brings_no_session_back(backend, call):
    admin, other = await backend.user("admin"), await backend.user()
    await call(admin, "POST", f"/users/{other.id}/deactivate")
    answer = await call(admin, "POST", f"/users/{other.id}/activate")
    assert answer.status_code == 200
    assert answer.json()["is_active"]
    assert (await call(other, "GET", "/users/me")).status_code == 401
    body = {"refresh_token": other.tokens["refresh_token"]}
    assert (await backend.client.post(f"{backend.api}/auth/refresh", json=body)).status_code == 401
    other.tokens = await backend.login(other)
    assert (await call(other, "GET", "/users/me")).status_code == 200


async def test_both_may_be_repeated_and_happen_once(backend, call, actions):
    admin, other = await backend.user("admin"), await backend.user()
    for action in ("deactivate", "activate"):
        first = await call(admin, "POST", f"/users/{other.id}/{action}")
        again = await call(admin, "POST", f"/users/{other.id}/{action}")
        assert (again.status_code, again.json()) == (200, first.json())
        assert len(await actions(f"user.{action}d")) == 1


async def test_they_take_users_update(backend, call):
    me, other = await backend.user(), await backend.user()
    for action in ("deactivate", "activate"):
        for target in (other, me):
            answer = await call(me, "POST", f"/users/{target.id}/{action}")
            assert answer.status_code == 403
            assert answer.json()["required"] == ["users:update"]


async def test_an_unknown_user_is_not_found(backend, call):
    admin = await backend.user("admin")
    for action in ("deactivate", "activate"):
        path = f"/users/01a1f9f8-17ca-76c2-be68-d71e0d65def8/{action}"
        assert (await call(admin, "POST", path)).status_code == 404


async def test_J7_another_version_is_refused(backend, call):
    admin, other = await backend.user("admin"), await backend.user()
    for action in ("deactivate", "activate"):
        path = f"/users/{other.id}/{action}"
        answer = await call(admin, "POST", path, headers={"If-Match": '"99"'})
        assert answer.status_code == 412
    assert (await call(admin, "GET", f"/users/{other.id}")).json()["is_active"]


async def test_nobody_deactivates_themselves(backend, call):
    admin = await backend.user("admin")
    path = f"/users/{admin.id}"
    for answer in (
        await call(admin, "POST", f"{path}/deactivate"),
        await call(admin, "PATCH", path, json={"is_active": False}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert (await call(admin, "GET", "/users/me")).json()["is_active"]

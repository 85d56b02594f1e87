"""Deleting users: others with the permission, oneself after a recent sign-in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mainstay.kit.clock import now, replaced

pytestmark = pytest.mark.anyio


async def test_E6_a_deleted_user_is_gone_with_their_sessions(backend, call, actions):
    admin, other = await backend.user("admin"), await backend.user()
    answer = await call(admin, "DELETE", f"/users/{other.id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await call(other, "GET", "/users/me")).status_code == 401
    body = {"refresh_token": other.tokens["refresh_token"]}
    assert (await backend.client.post(f"{backend.api}/auth/refresh", json=body)).status_code == 401
    assert (await call(admin, "GET", f"/users/{other.id}")).status_code == 404
    (entry,) = await actions("user.deleted")
    assert (entry["actor"], entry["target"]) == (admin.id, other.id)
    ended = [e for e in await actions("session.revoked") if e["target"] == other.id]
    assert [len(e["data"]["session_ids"]) for e in ended] == [1]


async def test_the_names_of_a_deleted_user_are_free_again(backend, call):
    admin, other = await backend.user("admin"), await backend.user()
    await call(admin, "DELETE", f"/users/{other.id}")
    again = await backend.register(email=other.email, username=other.username)
    assert again.id != other.id


async def test_one_deletes_oneself_after_a_recent_sign_in(backend, call):
    me = await backend.user()
    assert (await call(me, "DELETE", f"/users/{me.id}")).status_code == 204
    assert (await call(me, "GET", "/users/me")).status_code == 401


@pytest.mark.parametrize("role", ["user", "admin"])
async def test_one_does_not_delete_oneself_after_an_old_sign_in(backend, call, role):
    me = await backend.user(role)
    later = now() + timedelta(minutes=10, seconds=1)
    with replaced(lambda: later):
        answer = await call(me, "DELETE", f"/users/{me.id}")
        assert (answer.status_code, answer.json()["code"]) == (403, "reauth_required")
        proof = await call(me, "POST", "/auth/reauthenticate", json={"password": me.password})
        assert proof.status_code == 200
        assert (await call(me, "DELETE", f"/users/{me.id}")).status_code == 204


async def test_an_old_sign_in_will_do_for_others(backend, call):
    admin, other = await backend.user("admin"), await backend.user()
    later = now() + timedelta(minutes=20)
    with replaced(lambda: later):
        assert (await call(admin, "DELETE", f"/users/{other.id}")).status_code == 204


@pytest.mark.parametrize("role", ["user", "moderator"])
async def test_nobody_deletes_others_without_the_permission(backend, call, role):
    me, other = await backend.user(role), await backend.user()
    answer = await call(me, "DELETE", f"/users/{other.id}")
    assert answer.status_code == 403
    assert answer.json()["required"] == ["users:delete"]
    assert (await call(other, "GET", "/users/me")).status_code == 200


async def test_an_unknown_user_is_not_found(backend, call):
    admin = await backend.user("admin")
    for user_id in ("01a1f9f8-17ca-76c2-be68-d71e0d65def8", "nobody"):
        assert (await call(admin, "DELETE", f"/users/{user_id}")).status_code == 404


async def test_J7_another_version_is_refused(backend, call):
    admin, other = await backend.user("admin"), await backend.user()
    path = f"/users/{other.id}"
    assert (await call(admin, "DELETE", path, headers={"If-Match": '"99"'})).status_code == 412
    seen = (await call(admin, "GET", path)).headers["etag"]
    assert (await call(admin, "DELETE", path, headers={"If-Match": seen})).status_code == 204

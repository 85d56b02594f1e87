"""Changing users: oneself, others, and what is never written there."""

from __future__ import annotations

import asyncio

import pytest

pytestmark = pytest.mark.anyio

NEVER = {
    "role": "superadmin",
    "roles": ["superadmin"],
    "email": "new@example.com",
    "email_verified": True,
    "password": "a-long-enough-one",
    "password_hash": "x",
    "username": "other",
    "app_data": {},
    "two_fa_enabled": False,
    "version": 7,
    "id": "x",
}
BOTH = pytest.mark.parametrize("method", ["PUT", "PATCH"])


@BOTH
async def test_one_changes_oneself_and_what_is_absent_stays(backend, call, method):
    me = await backend.register(first_name="Ada", last_name="King")
    answer = await call(me, method, f"/users/{me.id}", json={"last_name": "Lovelace"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["first_name"] == "Ada"
    assert answer.json()["last_name"] == "Lovelace"
    answer = await call(me, method, f"/users/{me.id}", json={"first_name": None})
    assert answer.json()["first_name"] is None
    assert answer.json()["last_name"] == "Lovelace"


async def test_one_id_is_the_same_in_capitals(backend, call):
    me = await backend.register()
    answer = await call(me, "PUT", f"/users/{me.id.upper()}", json={"bio": "Engines."})
    assert answer.status_code == 200
    assert (await call(me, "GET", f"/users/{me.id.upper()}")).json() == answer.json()


async def test_a_merge_patch_has_a_type_of_its_own(backend, call):
    me = await backend.register()
    headers = {"content-type": "application/merge-patch+json"}
    answer = await call(me, "PATCH", f"/users/{me.id}", content='{"bio": "x"}', headers=headers)
    assert answer.status_code == 200
    assert answer.json()["bio"] == "x"


@BOTH
async def test_a_moderator_changes_others(backend, call, actions, method):
    moderator, other = await backend.user("moderator"), await backend.user()
    answer = await call(moderator, method, f"/users/{other.id}", json={"bio": "Tidied up."})
    assert answer.status_code == 200
    assert answer.json()["bio"] == "Tidied up."
    (entry,) = await actions("user.updated")
    assert (entry["actor"], entry["target"]) == (moderator.id, other.id)
    assert entry["data"] == {"fields": ["bio"]}


@BOTH
async def test_a_user_changes_no_other(backend, call, actions, method):
    me, other = await backend.user(), await backend.user()
    answer = await call(me, method, f"/users/{other.id}", json={"bio": "x"})
    assert answer.status_code == 403
    assert answer.json()["required"] == ["users:update"]
    (entry,) = await actions("action.refused")
    assert (entry["actor"], entry["target"]) == (me.id, other.id)
    assert entry["outcome"] == "failure"
    assert entry["data"] == {"action": "users:update", "reason": "permission_denied"}


async def test_H4_what_has_its_own_way_is_not_written_here(backend, call):
    admin, other = await backend.user("superadmin"), await backend.user()
    for method in ("PUT", "PATCH"):
        for field, value in NEVER.items():
            body = {"bio": "x", field: value}
            answer = await call(admin, method, f"/users/{other.id}", json=body)
            assert (answer.status_code, answer.json()["code"]) == (422, "unknown_field")
            assert [e["pointer"] for e in answer.json()["errors"]] == [f"#/{field}"]
    assert (await call(admin, "GET", f"/users/{other.id}")).json()["bio"] is None


@BOTH
async def test_an_administrator_writes_whether_a_user_is_active(backend, call, actions, method):
    admin, other = await backend.user("admin"), await backend.user()
    off = await call(admin, method, f"/users/{other.id}", json={"is_active": False, "bio": "Gone."})
    assert off.status_code == 200, off.text
    assert not off.json()["is_active"]
    assert off.json()["bio"] == "Gone."
    assert (await call(other, "GET", "/users/me")).status_code == 401
    on = await call(admin, method, f"/users/{other.id}", json={"is_active": True})
    assert on.json()["is_active"]
    for action in ("user.deactivated", "user.activated"):
        (entry,) = await actions(action)
        assert (entry["actor"], entry["target"]) == (admin.id, other.id)


@BOTH
async def test_H4_a_user_does_not_write_whether_they_are_active(backend, call, method):
    me = await backend.user()
    answer = await call(me, method, f"/users/{me.id}", json={"is_active": True, "bio": "x"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "unknown_field"
    assert answer.json()["errors"][0]["pointer"] == "#/is_active"
    assert (await call(me, "GET", "/users/me")).json()["bio"] is None


async def test_is_active_is_never_null(backend, call):
    admin, other = await backend.user("admin"), await backend.user()
    answer = await call(admin, "PATCH", f"/users/{other.id}", json={"is_active": None})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/is_active"


async def test_an_unknown_user_is_not_found(backend, call):
    admin = await backend.user("admin")
    for method in ("PUT", "PATCH"):
        for user_id in ("01a1f9f8-17ca-76c2-be68-d71e0d65def8", "nobody", "me%00"):
            answer = await call(admin, method, f"/users/{user_id}", json={"bio": "x"})
            assert answer.status_code == 404


@BOTH
async def test_J7_a_change_of_another_version_is_refused(backend, call, method):
    me = await backend.user()
    seen = (await call(me, "GET", f"/users/{me.id}")).headers["etag"]
    first = await call(me, method, f"/users/{me.id}", json={"bio": "1"}, headers={"If-Match": seen})
    assert first.status_code == 200
    assert first.headers["etag"] != seen
    late = await call(me, method, f"/users/{me.id}", json={"bio": "2"}, headers={"If-Match": seen})
    assert late.status_code == 412
    assert late.headers["etag"] == first.headers["etag"]
    assert (await call(me, "GET", f"/users/{me.id}")).json()["bio"] == "1"


async def test_J7_of_parallel_changes_of_one_version_one_is_made(backend, call):
    me = await backend.user()
    seen = (await call(me, "GET", "/users/me")).headers["etag"]
    answers = await asyncio.gather(
        *(
            call(me, "PATCH", path, json={"bio": str(number)}, headers={"If-Match": seen})
            for number, path in enumerate(3 * ["/users/me", f"/users/{me.id}"])
        )
    )
    assert sorted(a.status_code for a in answers) == [200, 412, 412, 412, 412, 412]
    winner = next(a for a in answers if a.status_code == 200)
    assert (await call(me, "GET", "/users/me")).json() == winner.json()


async def test_parallel_changes_of_one_user_wait_for_each_other(backend, call):
    me = await backend.user()
    patches = [{"bio": "b"}, {"first_name": "f"}, {"last_name": "l"}, {"language": "de"}]
    answers = await asyncio.gather(
        *(call(me, "PATCH", f"/users/{me.id}", json=patch) for patch in patches)
    )
    assert [a.status_code for a in answers] == 4 * [200]
    shown = (await call(me, "GET", "/users/me")).json()
    assert {name: shown[name] for patch in patches for name in patch} == {
        "bio": "b",
        "first_name": "f",
        "last_name": "l",
        "language": "de",
    }


async def test_a_change_that_changes_nothing_keeps_the_version(backend, call):
    me = await backend.register(bio="as it is")
    before = await call(me, "GET", f"/users/{me.id}")
    answer = await call(me, "PATCH", f"/users/{me.id}", json={"bio": "as it is"})
    assert answer.json() == before.json()
    assert answer.headers["etag"] == before.headers["etag"]

"""Giving users roles."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.anyio

UNKNOWN = "01a1f9f8-17ca-76c2-be68-d71e0d65def8"


def one(role):
    return "/users/{}/role", {"role": role}


def several(*roles):
    return "/rbac/users/{}/roles", {"roles": list(roles)}


async def assign(call, actor, target, way, **options):
    path, body = way
    return await call(actor, "PUT", path.format(target.id), json=body, **options)


async def make(call, actor, **fields):
    answer = await call(actor, "POST", "/rbac/roles", json=fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_one_role_replaces_all(backend, call, actions):
    superadmin, other = await backend.user("superadmin"), await backend.user("user", "moderator")
    answer = await assign(call, superadmin, other, one("admin"))
    assert answer.status_code == 200, answer.text
    assert answer.json()["id"] == other.id
    assert (answer.json()["role"], answer.json()["roles"]) == ("admin", ["admin"])
    (entry,) = await actions("roles.assigned")
    assert (entry["actor"], entry["target"]) == (superadmin.id, other.id)
    assert entry["data"] == {"before": ["moderator", "user"], "after": ["admin"]}


async def test_several_roles_replace_all(backend, call):
    superadmin, other = await backend.user("superadmin"), await backend.user()
    answer = await assign(call, superadmin, other, several("user", "admin", "user"))
    assert answer.status_code == 200
    assert (answer.json()["role"], answer.json()["roles"]) == ("admin", ["admin", "user"])


async def test_H6_it_takes_roles_assign(backend, call):
    admin, other = await backend.user("admin"), await backend.user()
    for target in (other, admin):
        for way in (one("moderator"), several("moderator")):
            answer = await assign(call, admin, target, way)
            assert (answer.status_code, answer.json()["required"]) == (403, ["roles:assign"])


async def test_an_unknown_role_is_not_valid(backend, call):
    superadmin, other = await backend.user("superadmin"), await backend.user()
    for way, pointer in ((one("boss"), "#/role"), (several("user", "boss"), "#/roles/1")):
        answer = await assign(call, superadmin, other, way)
        assert answer.status_code == 422
        (fault,) = answer.json()["errors"]
        assert (fault["pointer"], fault["code"]) == (pointer, "unknown_role")
    assert (await call(other, "GET", "/users/me")).json()["roles"] == ["user"]


async def test_a_list_of_roles_names_one_at_least(backend, call):
    superadmin, other = await backend.user("superadmin"), await backend.user()
    for body in ({}, {"roles": []}, {"roles": None}, {"role": "user"}):
        answer = await call(superadmin, "PUT", f"/rbac/users/{other.id}/roles", json=body)
        assert answer.status_code == 422


async def test_an_unknown_user_is_not_found(backend, call):
    superadmin = await backend.user("superadmin")
    for path, body in (one("user"), several("user")):
        for user_id in (UNKNOWN, "nobody"):
            answer = await call(superadmin, "PUT", path.format(user_id), json=body)
            assert answer.status_code == 404


async def test_H6_nobody_changes_their_own_roles(backend, call, actions):
    superadmin, _ = await backend.user("superadmin"), await backend.user("superadmin")
    for way in (one("admin"), several("superadmin", "user")):
        answer = await assign(call, superadmin, superadmin, way)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert (await call(superadmin, "GET", "/users/me")).json()["roles"] == ["superadmin"]
    assert [entry["data"] for entry in await actions("action.refused")] == 2 * [
        {"action": "roles:assign", "reason": "permission_denied"}
    ]


async def test_roles_that_stay_as_they_are_are_no_change(backend, call, actions):
    superadmin = await backend.user("superadmin")
    before = await call(superadmin, "GET", f"/users/{superadmin.id}")
    for way in (one("superadmin"), several("superadmin")):
        answer = await assign(call, superadmin, superadmin, way)
        assert (answer.status_code, answer.json()) == (200, before.json())
        assert answer.headers["etag"] == before.headers["etag"]
    assert await actions("roles.assigned") == []


async def test_H6_nobody_gives_a_role_above_their_own(backend, call):
    superadmin = await backend.user("superadmin")
    await make(call, superadmin, name="lead", rank=25, permissions=["roles:assign"])
    lead, other = await backend.user("lead"), await backend.user()
    for role in ("admin", "superadmin"):
        for way in (one(role), several("user", role)):
            answer = await assign(call, lead, other, way)
            assert (answer.status_code, answer.json()["code"]) == (403, "role_not_assignable")
    assert (await call(other, "GET", "/users/me")).json()["roles"] == ["user"]


async def test_H6_nobody_gives_a_role_that_permits_what_they_lack(backend, call):
    superadmin = await backend.user("superadmin")
    await make(call, superadmin, name="lead", rank=25, permissions=["roles:assign", "audit:read"])
    await make(call, superadmin, name="auditor", permissions=["audit:read"])
    await make(call, superadmin, name="anything", permissions=["audit:read", "jobs:*"])
    lead, other = await backend.user("lead"), await backend.user()
    for way in (one("anything"), several("user", "anything")):
        answer = await assign(call, lead, other, way)
        assert (answer.status_code, answer.json()["code"]) == (403, "role_not_assignable")
        assert answer.json()["required"] == ["jobs:*"]
    answer = await assign(call, lead, other, one("auditor"))
    assert answer.status_code == 200
    assert answer.json()["roles"] == ["auditor"]


async def test_roles_that_a_user_has_are_not_given_anew(backend, call):
    superadmin = await backend.user("superadmin")
    await make(call, superadmin, name="lead", rank=25, permissions=["roles:assign", "audit:read"])
    await make(call, superadmin, name="auditor", permissions=["audit:read"])
    lead, other = await backend.user("lead"), await backend.user("moderator")
    answer = await assign(call, lead, other, several("moderator", "auditor"))
    assert answer.status_code == 200
    assert answer.json()["roles"] == ["moderator", "auditor"]
    answer = await assign(call, lead, other, several("auditor"))
    assert answer.json()["roles"] == ["auditor"]
    answer = await assign(call, lead, other, several("moderator"))
    assert answer.status_code == 403


async def test_J7_a_change_of_roles_is_a_new_version_of_the_user(backend, call):
    superadmin, other = await backend.user("superadmin"), await backend.user()
    seen = (await call(other, "GET", "/users/me")).headers["etag"]
    headers = {"If-Match": seen}
    first = await assign(call, superadmin, other, one("admin"), headers=headers)
    assert first.status_code == 200
    assert first.headers["etag"] != seen
    shown = await call(other, "GET", "/users/me")
    assert shown.headers["etag"] == first.headers["etag"]
    assert shown.json() == first.json()
    for way in (one("user"), several("user")):
        assert (await assign(call, superadmin, other, way, headers=headers)).status_code == 412

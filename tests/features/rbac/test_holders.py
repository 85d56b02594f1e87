"""Who has a role, by the role and by its name; and what becomes of them when it goes."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.anyio


async def make(call, actor, **fields):
    answer = await call(actor, "POST", "/rbac/roles", json=fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_holders_are_a_page_of_users(backend, call):
    superadmin = await backend.user("superadmin")
    role = await make(call, superadmin, name="Night watch")
    holders = [await backend.user("Night watch", "user") for _ in range(3)]
    await backend.user()
    for path in ("/users/role/Night%20watch", f"/rbac/roles/{role['id']}/users"):
        page = (await call(superadmin, "GET", f"{path}?sort=created_at")).json()
        assert [user["id"] for user in page["items"]] == [account.id for account in holders]
        assert page["items"][0]["roles"] == ["Night watch", "user"]
        assert page["page"]["total"] == 3
        found = await call(superadmin, "GET", f"{path}?username={holders[1].username}")
        assert [user["id"] for user in found.json()["items"]] == [holders[1].id]
        first = (await call(superadmin, "GET", f"{path}?limit=2")).json()["page"]
        rest = await call(superadmin, "GET", f"{path}?limit=2&cursor={first['next_cursor']}")
        assert [user["id"] for user in rest.json()["items"]] == [holders[0].id]
        unknown = await call(superadmin, "GET", f"{path}?rank=3")
        assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_parameter")


async def test_a_role_without_holders_is_an_empty_page(backend, call):
    moderator = await backend.user("moderator")
    page = (await call(moderator, "GET", "/users/role/admin")).json()
    assert (page["items"], page["page"]["total"]) == ([], 0)


async def test_an_unknown_role_is_not_found(backend, call):
    moderator = await backend.user("moderator")
    for name in ("nobody", "Admin", "admi", "admin%20", "%00"):
        assert (await call(moderator, "GET", f"/users/role/{name}")).status_code == 404


async def test_the_holders_of_a_role_take_users_read(backend, call, actions):
    superadmin = await backend.user("superadmin")
    role = await make(call, superadmin, name="clerk", permissions=["roles:read"])
    clerk = await backend.user("clerk")
    answer = await call(clerk, "GET", "/users/role/admin")
    assert (answer.status_code, answer.json()["required"]) == (403, ["users:read"])
    answer = await call(clerk, "GET", f"/rbac/roles/{role['id']}/users")
    assert (answer.status_code, answer.json()["required"]) == (403, ["users:read"])
    assert len(await actions("action.refused")) == 1


async def test_H8_a_deleted_role_is_taken_from_all_at_once(backend, call, actions):
    superadmin = await backend.user("superadmin")
    role = await make(call, superadmin, name="auditor", rank=25, permissions=["audit:read"])
    alone, along = await backend.user("auditor"), await backend.user("auditor", "moderator")
    for account in (alone, along):
        assert (await call(account, "GET", "/audit/logs")).status_code == 200
    seen = (await call(along, "GET", "/users/me")).headers["etag"]
    answer = await call(superadmin, "DELETE", f"/rbac/roles/{role['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    for account, roles in ((alone, ["user"]), (along, ["moderator"])):
        assert (await call(account, "GET", "/audit/logs")).status_code == 403
        shown = await call(account, "GET", "/users/me")
        assert shown.json()["roles"] == roles
        assert shown.headers["etag"] != seen
    assert (await call(superadmin, "GET", f"/rbac/roles/{role['id']}")).status_code == 404
    assert (await call(superadmin, "GET", "/users/role/auditor")).status_code == 404
    (entry,) = await actions("role.deleted")
    assert (entry["actor"], entry["target"]) == (superadmin.id, role["id"])
    assert entry["data"] == {"role": "auditor", "holders": 2}


async def test_H8_a_role_made_anew_has_nothing_of_the_deleted_one(backend, call):
    superadmin = await backend.user("superadmin")
    role = await make(call, superadmin, name="auditor", permissions=["audit:read"])
    holder = await backend.user("auditor")
    await call(superadmin, "DELETE", f"/rbac/roles/{role['id']}")
    again = await make(call, superadmin, name="auditor")
    assert again["permissions"] == []
    assert (await call(superadmin, "GET", "/users/role/auditor")).json()["items"] == []
    assert (await call(holder, "GET", "/users/me")).json()["roles"] == ["user"]


async def test_a_renamed_role_is_a_new_version_of_its_holders(backend, call):
    superadmin = await backend.user("superadmin")
    role = await make(call, superadmin, name="auditor")
    holder, other = await backend.user("auditor"), await backend.user()
    before = await call(holder, "GET", "/users/me")
    others = await call(other, "GET", "/users/me")
    await call(superadmin, "PATCH", f"/rbac/roles/{role['id']}", json={"name": "reviewer"})
    after = await call(holder, "GET", "/users/me")
    assert after.json() == before.json() | {"role": "reviewer", "roles": ["reviewer"]}
    assert after.headers["etag"] != before.headers["etag"]
    assert (await call(other, "GET", "/users/me")).headers["etag"] == others.headers["etag"]

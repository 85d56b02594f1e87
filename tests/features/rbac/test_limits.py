"""What nobody can do to roles, whoever they are."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.anyio

LEAD = {
    "name": "lead",
    "rank": 25,
    "permissions": ["roles:read", "roles:manage", "roles:assign", "users:read", "audit:*"],
}


async def make(call, actor, **fields):
    answer = await call(actor, "POST", "/rbac/roles", json=fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def role_named(call, reader, name):
    (role,) = (await call(reader, "GET", f"/rbac/roles?name={name}")).json()["items"]
    return role


@pytest.fixture
async def superadmin(backend):
    return await backend.user("superadmin")


@pytest.fixture
async def lead(backend, call, superadmin):
    """Somebody who manages roles below the administrators."""
    await make(call, superadmin, **LEAD)
    return await backend.user("lead")


@pytest.mark.parametrize("wanted", ["users:update", "users:*", "*", "jobs:read"])
async def test_H6_nobody_gives_a_role_what_they_lack(call, lead, superadmin, actions, wanted):
    role = await make(call, superadmin, name="helper", permissions=["users:read"])
    ways = (
        ("POST", "", {"name": "other", "permissions": ["users:read", wanted]}),
        ("PUT", f"/{role['id']}", {"name": "helper", "permissions": ["users:read", wanted]}),
        ("PATCH", f"/{role['id']}", {"permissions": [wanted]}),
        ("PUT", f"/{role['id']}/permissions", {"permissions": [wanted]}),
    )
    for method, path, body in ways:
        answer = await call(lead, method, f"/rbac/roles{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
        assert answer.json()["required"] == [wanted]
    assert (await call(lead, "GET", f"/rbac/roles/{role['id']}")).json() == role
    refusals = [e for e in await actions("action.refused") if e["actor"] == lead.id]
    assert len(refusals) == len(ways)


async def test_everybody_gives_what_they_have(call, lead):
    wanted = ["audit:*", "audit:read", "users:read", "users:read:self"]
    role = await make(call, lead, name="helper", permissions=wanted)
    assert role["permissions"] == wanted


async def test_what_a_role_has_may_stay_or_go(call, lead, superadmin):
    role = await make(call, superadmin, name="helper", permissions=["jobs:*", "jobs:read"])
    path = f"/rbac/roles/{role['id']}"
    body = {"permissions": ["jobs:*", "users:read"]}
    answer = await call(lead, "PUT", f"{path}/permissions", json=body)
    assert answer.status_code == 200, answer.text
    answer = await call(lead, "PATCH", path, json={"permissions": ["users:read"]})
    assert answer.status_code == 200
    answer = await call(lead, "PATCH", path, json={"permissions": ["jobs:*"]})
    assert answer.status_code == 403


@pytest.mark.parametrize("rank", [25, 26, 40])
async def test_a_role_stays_below_the_rank_of_who_makes_it(call, lead, rank):
    role = await make(call, lead, name="helper", rank=24)
    ways = (
        ("POST", "", {"name": "other", "rank": rank}),
        ("PATCH", f"/{role['id']}", {"rank": rank}),
        ("PUT", f"/{role['id']}", {"name": "helper", "rank": rank}),
    )
    for method, path, body in ways:
        answer = await call(lead, method, f"/rbac/roles{path}", json=body)
        assert answer.status_code == 422
        (fault,) = answer.json()["errors"]
        assert (fault["pointer"], fault["code"]) == ("#/rank", "less_than")
        assert fault["params"] == {"lt": 25}


@pytest.mark.parametrize("name", ["admin", "superadmin"])
async def test_H6_nobody_edits_a_role_above_their_own(call, lead, name):
    role = await role_named(call, lead, name)
    ways = (
        ("PUT", "", {"name": name, "permissions": []}),
        ("PATCH", "", {"description": "x"}),
        ("PUT", "/permissions", {"permissions": []}),
        ("DELETE", "", None),
    )
    for method, path, body in ways:
        answer = await call(lead, method, f"/rbac/roles/{role['id']}{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert await role_named(call, lead, name) == role


async def test_a_role_of_equal_rank_may_be_edited(call, lead):
    own = await role_named(call, lead, "lead")
    answer = await call(lead, "PATCH", f"/rbac/roles/{own['id']}", json={"description": "Leads."})
    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["user", "moderator", "admin", "superadmin"])
async def test_built_in_roles_keep_name_rank_and_themselves(call, superadmin, name):
    role = await role_named(call, superadmin, name)
    kept = {"permissions": role["permissions"]}
    ways = (
        ("DELETE", None),
        ("PATCH", {"name": "other"}),
        ("PATCH", {"rank": 5}),
        ("PUT", {"name": "other", **kept}),
        ("PUT", {"name": name, "rank": 5, **kept}),
    )
    for method, body in ways:
        answer = await call(superadmin, method, f"/rbac/roles/{role['id']}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "built_in_role")
    assert await role_named(call, superadmin, name) == role
    same = {"name": name, "description": role["description"], "rank": role["rank"], **kept}
    if name != "superadmin":
        answer = await call(superadmin, "PUT", f"/rbac/roles/{role['id']}", json=same)
        assert answer.status_code == 200


@pytest.mark.parametrize("name", ["user", "moderator", "admin"])
async def test_built_in_roles_can_be_permissioned_anew(call, superadmin, name):
    role = await role_named(call, superadmin, name)
    path = f"/rbac/roles/{role['id']}/permissions"
    body = {"permissions": ["audit:read", "users:read:self"]}
    answer = await call(superadmin, "PUT", path, json=body)
    assert answer.status_code == 200
    assert answer.json()["permissions"] == body["permissions"]


async def test_H7_superadmin_keeps_the_star(call, superadmin):
    role = await role_named(call, superadmin, "superadmin")
    path = f"/rbac/roles/{role['id']}"
    ways = (
        ("PUT", "/permissions", {"permissions": []}),
        ("PUT", "/permissions", {"permissions": ["users:*", "roles:*"]}),
        ("PATCH", "", {"permissions": ["users:read"]}),
        ("PUT", "", {"name": "superadmin"}),
    )
    for method, way, body in ways:
        answer = await call(superadmin, method, path + way, json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "built_in_role")
    more = {"permissions": ["*", "users:read"]}
    assert (await call(superadmin, "PUT", f"{path}/permissions", json=more)).status_code == 200

"""What nobody can do to roles, whoever they are."""

from __future__ import annotations

import pytest

from mainstay.core.principal import BUILT_IN_RANKS

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


async def test_H6_nobody_gives_a_role_what_they_lack(call, lead, superadmin, actions):
    role = await make(call, superadmin, name="helper", permissions=["users:read"])
    path = f"/rbac/roles/{role['id']}"
    lacking = ("users:update", "users:*", "*", "jobs:read")
    for wanted in lacking:
        for method, where, body in (
            ("POST", "/rbac/roles", {"name": "other", "permissions": ["users:read", wanted]}),
            ("PUT", path, {"name": "helper", "permissions": ["users:read", wanted]}),
            ("PATCH", path, {"permissions": [wanted]}),
            ("PUT", f"{path}/permissions", {"permissions": [wanted]}),
        ):
            answer = await call(lead, method, where, json=body)
            assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
            assert answer.json()["required"] == [wanted]
    assert (await call(lead, "GET", path)).json() == role
    refusals = [e for e in await actions("action.refused") if e["actor"] == lead.id]
    assert len(refusals) == 4 * len(lacking)


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


async def test_a_role_stays_below_the_rank_of_who_makes_it(call, lead):
    path = f"/rbac/roles/{(await make(call, lead, name='helper', rank=24))['id']}"
    for rank in (25, 26, 40):
        for method, where, body in (
            ("POST", "/rbac/roles", {"name": "other", "rank": rank}),
            ("PATCH", path, {"rank": rank}),
            ("PUT", path, {"name": "helper", "rank": rank}),
        ):
            answer = await call(lead, method, where, json=body)
            assert answer.status_code == 422
            (fault,) = answer.json()["errors"]
            assert (fault["pointer"], fault["code"]) == ("#/rank", "less_than")
            assert fault["params"] == {"lt": 25}


async def test_H6_nobody_edits_a_role_above_their_own(call, lead):
    for name in ("admin", "superadmin"):
        role = await role_named(call, lead, name)
        for method, path, body in (
            ("PUT", "", {"name": name, "permissions": []}),
            ("PATCH", "", {"description": "x"}),
            ("PUT", "/permissions", {"permissions": []}),
            ("DELETE", "", None),
        ):
            answer = await call(lead, method, f"/rbac/roles/{role['id']}{path}", json=body)
            assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
        assert await role_named(call, lead, name) == role


async def test_a_role_of_equal_rank_may_be_edited(call, lead):
    own = await role_named(call, lead, "lead")
    answer = await call(lead, "PATCH", f"/rbac/roles/{own['id']}", json={"description": "Leads."})
    assert answer.status_code == 200


async def test_built_in_roles_keep_name_rank_and_themselves(call, superadmin):
    for name in BUILT_IN_RANKS:
        role = await role_named(call, superadmin, name)
        kept = {"permissions": role["permissions"]}
        for method, body in (
            ("DELETE", None),
            ("PATCH", {"name": "other"}),
            ("PATCH", {"rank": 5}),
            ("PUT", {"name": "other", **kept}),
            ("PUT", {"name": name, "rank": 5, **kept}),
        ):
            answer = await call(superadmin, method, f"/rbac/roles/{role['id']}", json=body)
            assert (answer.status_code, answer.json()["code"]) == (409, "built_in_role")
        same = {key: role[key] for key in ("name", "description", "rank", "permissions")}
        answer = await call(superadmin, "PUT", f"/rbac/roles/{role['id']}", json=same)
        assert (answer.status_code, answer.json()) == (200, role)


async def test_built_in_roles_can_be_permissioned_anew(call, superadmin):
    for name in ("user", "moderator", "admin"):
        path = f"/rbac/roles/{(await role_named(call, superadmin, name))['id']}/permissions"
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

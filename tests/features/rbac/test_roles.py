"""Roles: shown, made and changed."""

from __future__ import annotations

import asyncio

import pytest

from mainstay.core.principal import BUILT_IN_RANKS

pytestmark = pytest.mark.anyio

EDITOR = {"name": "editor", "description": "Writes.", "permissions": ["users:read"]}
NOT_VALID = [
    ({"permissions": ["users:read", "users:fly"]}, "#/permissions/1"),
    ({"permissions": ["nothing:*"]}, "#/permissions/0"),
    ({"permissions": [""]}, "#/permissions/0"),
    ({"permissions": None}, "#/permissions"),
    ({"rank": 0}, "#/rank"),
    ({"rank": 40}, "#/rank"),
    ({"rank": 41}, "#/rank"),
    ({"rank": None}, "#/rank"),
    ({"name": "x"}, "#/name"),
    ({"name": "a/b"}, "#/name"),
    ({"name": "a\u0430b"}, "#/name"),
    ({"name": "n" * 51}, "#/name"),
    ({"built_in": True}, "#/built_in"),
    ({"description": "d" * 501}, "#/description"),
]
UNKNOWN = "01a1f9f8-17ca-76c2-be68-d71e0d65def8"


async def make(call, actor, **fields):
    answer = await call(actor, "POST", "/rbac/roles", json={**EDITOR, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def role_named(call, reader, name):
    answer = await call(reader, "GET", f"/rbac/roles?name={name}")
    (role,) = answer.json()["items"]
    return role


async def test_the_built_in_roles_stand_in_order_of_rank(backend, call):
    admin = await backend.user("admin")
    page = (await call(admin, "GET", "/rbac/roles")).json()
    assert [(r["name"], r["rank"]) for r in page["items"]] == list(BUILT_IN_RANKS.items())
    assert all(role["built_in"] for role in page["items"])
    assert page["page"]["total"] == 4
    permitted = {role["name"]: role["permissions"] for role in page["items"]}
    assert permitted["user"] == ["users:delete:self", "users:read:self", "users:update:self"]
    assert permitted["superadmin"] == ["*"]
    assert "users:create" in permitted["admin"]
    withheld = {"roles:assign", "roles:manage", "users:impersonate"}
    assert not withheld & set(permitted["admin"])


async def test_roles_are_filtered_searched_and_paged(backend, call):
    superadmin = await backend.user("superadmin")
    await make(call, superadmin, rank=25)
    found = await call(superadmin, "GET", "/rbac/roles?built_in=false&rank__gte=25&q=writes")
    assert [r["name"] for r in found.json()["items"]] == ["editor"]
    first = (await call(superadmin, "GET", "/rbac/roles?limit=3&sort=-name")).json()
    cursor = first["page"]["next_cursor"]
    rest = await call(superadmin, "GET", f"/rbac/roles?limit=3&sort=-name&cursor={cursor}")
    names = [r["name"] for r in first["items"] + rest.json()["items"]]
    assert names == sorted([*BUILT_IN_RANKS, "editor"], reverse=True)


async def test_permissions_are_listed_with_who_declares_them(backend, call):
    admin = await backend.user("admin")
    page = (await call(admin, "GET", "/rbac/permissions?limit=100")).json()
    declared = {p.name: f.name for f in backend.assembly.registry.features for p in f.permissions}
    assert {p["name"]: p["feature"] for p in page["items"]} == declared
    assert [p["name"] for p in page["items"]] == sorted(declared)
    of_rbac = await call(admin, "GET", "/rbac/permissions?feature=rbac&sort=-name")
    assert [p["name"] for p in of_rbac.json()["items"]] == [
        "roles:read",
        "roles:manage",
        "roles:assign",
    ]


async def test_reading_takes_roles_read(backend, call):
    reader, admin = await backend.user("moderator"), await backend.user("admin")
    role_id = (await role_named(call, admin, "user"))["id"]
    for path in ("roles", f"roles/{role_id}", f"roles/{role_id}/users", "permissions"):
        assert (await call(admin, "GET", f"/rbac/{path}")).status_code == 200
        answer = await call(reader, "GET", f"/rbac/{path}")
        assert (answer.status_code, answer.json()["required"]) == (403, ["roles:read"])


async def test_changing_takes_roles_manage(backend, call):
    admin, superadmin = await backend.user("admin"), await backend.user("superadmin")
    path = f"/rbac/roles/{(await make(call, superadmin, name='reader'))['id']}"
    for method, where, body in (
        ("POST", "/rbac/roles", EDITOR),
        ("PUT", path, EDITOR),
        ("PATCH", path, {"description": "x"}),
        ("DELETE", path, None),
        ("PUT", f"{path}/permissions", {"permissions": []}),
    ):
        answer = await call(admin, method, where, json=body)
        assert (answer.status_code, answer.json()["required"]) == (403, ["roles:manage"])


async def test_a_role_is_made(backend, call, actions):
    superadmin = await backend.user("superadmin")
    body = {**EDITOR, "permissions": ["users:read", "audit:*", "users:read"]}
    answer = await call(superadmin, "POST", "/rbac/roles", json=body)
    assert answer.status_code == 201, answer.text
    role = answer.json()
    assert role["permissions"] == ["audit:*", "users:read"]
    assert (role["name"], role["description"]) == ("editor", "Writes.")
    assert (role["rank"], role["built_in"]) == (BUILT_IN_RANKS["user"], False)
    assert answer.headers["location"] == f"/api/v1/rbac/roles/{role['id']}"
    shown = await backend.client.get(answer.headers["location"], headers=superadmin.headers)
    assert shown.json() == role
    assert shown.headers["etag"] == answer.headers["etag"]
    (entry,) = await actions("role.created")
    assert (entry["actor"], entry["target"]) == (superadmin.id, role["id"])
    assert entry["data"] == {"role": "editor", "permissions": ["audit:*", "users:read"]}


async def test_a_role_needs_no_more_than_a_name(backend, call):
    superadmin = await backend.user("superadmin")
    answer = await call(superadmin, "POST", "/rbac/roles", json={"name": "guest"})
    assert answer.status_code == 201
    assert answer.json()["permissions"] == []


async def test_what_is_not_valid(backend, call):
    superadmin = await backend.user("superadmin")
    for fields, pointer in NOT_VALID:
        answer = await call(superadmin, "POST", "/rbac/roles", json={**EDITOR, **fields})
        assert answer.status_code == 422, fields
        assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]


async def test_a_name_is_taken_in_any_letter_case(backend, call):
    superadmin = await backend.user("superadmin")
    await make(call, superadmin)
    for name in ("editor", "Editor", "ADMIN"):
        answer = await call(superadmin, "POST", "/rbac/roles", json={"name": name})
        assert (answer.status_code, answer.json()["code"]) == (409, "already_exists")
        assert answer.json()["errors"][0]["pointer"] == "#/name"


async def test_of_parallel_tries_for_a_name_one_succeeds(backend, call):
    superadmin = await backend.user("superadmin")
    names = 3 * ["editor", "Editor"]
    answers = await asyncio.gather(
        *(call(superadmin, "POST", "/rbac/roles", json={"name": name}) for name in names)
    )
    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409, 409, 409]


async def test_put_replaces_and_patch_merges(backend, call, actions):
    superadmin = await backend.user("superadmin")
    role = await make(call, superadmin, rank=15)
    path = f"/rbac/roles/{role['id']}"
    patched = await call(superadmin, "PATCH", path, json={"name": "Chief editor"})
    assert patched.status_code == 200, patched.text
    changed = role | {"name": "Chief editor", "updated_at": patched.json()["updated_at"]}
    assert patched.json() == changed
    replaced = await call(superadmin, "PUT", path, json={"name": "author"})
    assert replaced.status_code == 200
    assert {k: replaced.json()[k] for k in ("name", "description", "permissions", "rank")} == {
        "name": "author",
        "description": "",
        "permissions": [],
        "rank": 15,
    }
    first, second = await actions("role.updated")
    assert second["data"] == {
        "role": "Chief editor", "fields": ["name"], "gained": [], "lost": []
    }  # fmt: skip
    assert first["data"] == {
        "role": "author",
        "fields": ["description", "name", "permissions"],
        "gained": [],
        "lost": ["users:read"],
    }


async def test_a_patch_takes_no_null(backend, call):
    superadmin = await backend.user("superadmin")
    path = f"/rbac/roles/{(await make(call, superadmin))['id']}"
    for field in ("name", "description", "permissions", "rank"):
        answer = await call(superadmin, "PATCH", path, json={field: None})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == f"#/{field}"


async def test_permissions_are_replaced(backend, call, actions):
    superadmin = await backend.user("superadmin")
    role = await make(call, superadmin, permissions=["users:read", "users:update"])
    path = f"/rbac/roles/{role['id']}"
    body = {"permissions": ["audit:read", "users:read"]}
    answer = await call(superadmin, "PUT", f"{path}/permissions", json=body)
    assert answer.status_code == 200
    assert answer.json()["permissions"] == ["audit:read", "users:read"]
    assert (await call(superadmin, "GET", path)).json() == answer.json()
    (entry,) = await actions("role.updated")
    assert entry["data"]["gained"] == ["audit:read"]
    assert entry["data"]["lost"] == ["users:update"]
    unknown = await call(superadmin, "PUT", f"{path}/permissions", json={"permissions": ["a:b"]})
    assert unknown.status_code == 422
    assert unknown.json()["errors"][0]["code"] == "unknown_permission"


async def test_an_unknown_role_is_not_found(backend, call):
    superadmin = await backend.user("superadmin")
    for method, path, body in (
        ("GET", "", None),
        ("GET", "/users", None),
        ("PUT", "", EDITOR),
        ("PATCH", "", {}),
        ("DELETE", "", None),
        ("PUT", "/permissions", {"permissions": []}),
    ):
        for role_id in (UNKNOWN, "admin", "%00"):
            answer = await call(superadmin, method, f"/rbac/roles/{role_id}{path}", json=body)
            assert answer.status_code == 404, (method, path)


async def test_J7_versions_of_roles(backend, call):
    superadmin = await backend.user("superadmin")
    path = f"/rbac/roles/{(await make(call, superadmin))['id']}"
    seen = (await call(superadmin, "GET", path)).headers["etag"]
    same = await call(superadmin, "GET", path, headers={"If-None-Match": seen})
    assert (same.status_code, same.content) == (304, b"")
    body = {"permissions": ["audit:read"]}
    headers = {"If-Match": seen}
    first = await call(superadmin, "PUT", f"{path}/permissions", json=body, headers=headers)
    assert first.status_code == 200
    assert first.headers["etag"] != seen
    for method, way, late in (
        ("PUT", "/permissions", {"permissions": []}),
        ("PUT", "", EDITOR),
        ("PATCH", "", {"description": "x"}),
        ("DELETE", "", None),
    ):
        answer = await call(superadmin, method, path + way, json=late, headers=headers)
        assert answer.status_code == 412, (method, way)
        assert answer.headers["etag"] == first.headers["etag"]
    assert (await call(superadmin, "GET", path)).json() == first.json()


async def test_a_change_that_changes_nothing_keeps_the_version(backend, call):
    superadmin = await backend.user("superadmin")
    role = await make(call, superadmin)
    answer = await call(superadmin, "PUT", f"/rbac/roles/{role['id']}", json=EDITOR)
    assert answer.json() == role
    assert answer.headers["etag"] == '"1"'

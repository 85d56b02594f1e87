"""The second paths of operations: they answer as the first ones do, and are deprecated."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.anyio

SECOND = {
    ("get", "/users/get/{user_id}"): "users.get_also",
    ("put", "/users/update/{user_id}"): "users.update_also",
    ("delete", "/users/delete/{user_id}"): "users.delete_also",
    ("put", "/users/update/{user_id}/role"): "users.set_role_also",
}


async def test_they_do_the_same(backend, call):
    admin, other = await backend.user("superadmin"), await backend.user()
    shown = await call(admin, "GET", f"/users/get/{other.id}")
    assert shown.json() == (await call(admin, "GET", f"/users/{other.id}")).json()
    assert shown.headers["etag"]
    changed = await call(admin, "PUT", f"/users/update/{other.id}", json={"bio": "x"})
    assert changed.json()["bio"] == "x"
    raised = await call(admin, "PUT", f"/users/update/{other.id}/role", json={"role": "admin"})
    assert raised.json()["role"] == "admin"
    assert (await call(admin, "DELETE", f"/users/delete/{other.id}")).status_code == 204
    assert (await call(admin, "GET", f"/users/get/{other.id}")).status_code == 404


async def test_they_ask_for_the_same(backend, call):
    me, other = await backend.user(), await backend.user()
    for method, path, body in (
        ("GET", f"/users/get/{other.id}", None),
        ("PUT", f"/users/update/{other.id}", {"bio": "x"}),
        ("DELETE", f"/users/delete/{other.id}", None),
        ("PUT", f"/users/update/{other.id}/role", {"role": "admin"}),
    ):
        assert (await call(me, method, path, json=body)).status_code == 403
    assert (await call(me, "GET", f"/users/get/{me.id}")).status_code == 200
    assert (await call(me, "PUT", f"/users/update/{me.id}", json={})).status_code == 200
    assert (await call(me, "DELETE", f"/users/delete/{me.id}")).status_code == 204


def test_they_are_deprecated_and_the_first_ones_are_not(app):
    paths = app.openapi()["paths"]
    of_users = {
        (method, path.removeprefix("/api/v1")): operation
        for path, item in paths.items()
        for method, operation in item.items()
        if operation["tags"] == ["users"]
    }
    deprecated = {where: o["operationId"] for where, o in of_users.items() if o.get("deprecated")}
    assert deprecated == SECOND
    assert ("get", "/users/{user_id}") in of_users

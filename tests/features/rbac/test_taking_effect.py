"""A change of roles holds from the next request on, for tokens that were issued before."""

from __future__ import annotations

import pytest

from mainstay.testing.backend import serving

pytestmark = pytest.mark.anyio


@pytest.fixture
async def second(make_app):
    """Another process's application on the same database."""
    async with serving(make_app()) as running:
        yield running


@pytest.fixture
def reads_audit(backend, second):
    """Say for both processes whether an account may read the audit trail."""

    async def ask(account):
        answers = [
            await process.client.get(f"{process.api}/audit/logs?limit=1", headers=account.headers)
            for process in (backend, second)
        ]
        return [answer.status_code for answer in answers]

    return ask


async def test_E10_a_changed_role_holds_at_once_in_every_process(backend, call, reads_audit):
    superadmin = await backend.user("superadmin")
    body = {"name": "clerk", "permissions": ["users:read"]}
    role = (await call(superadmin, "POST", "/rbac/roles", json=body)).json()
    clerk = await backend.user("clerk")
    path = f"/rbac/roles/{role['id']}"
    assert await reads_audit(clerk) == [403, 403]
    for permissions, seen in ((["audit:*"], [200, 200]), ([], [403, 403]), (["*"], [200, 200])):
        answer = await call(
            superadmin, "PUT", f"{path}/permissions", json={"permissions": permissions}
        )
        assert answer.status_code == 200
        assert await reads_audit(clerk) == seen
    assert (await call(superadmin, "DELETE", path)).status_code == 204
    assert await reads_audit(clerk) == [403, 403]


async def test_E10_an_assigned_role_holds_at_once_in_every_process(backend, call, reads_audit):
    superadmin, other = await backend.user("superadmin"), await backend.user()
    assert await reads_audit(other) == [403, 403]
    for role, seen in (("admin", [200, 200]), ("user", [403, 403])):
        answer = await call(superadmin, "PUT", f"/users/{other.id}/role", json={"role": role})
        assert answer.status_code == 200
        assert await reads_audit(other) == seen


async def test_E10_a_built_in_role_too(backend, call, reads_audit):
    superadmin, admin = await backend.user("superadmin"), await backend.user("admin")
    assert await reads_audit(admin) == [200, 200]
    (role,) = (await call(superadmin, "GET", "/rbac/roles?name=admin")).json()["items"]
    left = [name for name in role["permissions"] if name != "audit:read"]
    path = f"/rbac/roles/{role['id']}/permissions"
    assert (await call(superadmin, "PUT", path, json={"permissions": left})).status_code == 200
    assert await reads_audit(admin) == [403, 403]


async def test_E10_a_new_rank_holds_at_once(backend, call):
    superadmin, target = await backend.user("superadmin"), await backend.user("moderator")
    body = {"name": "helper", "rank": 15, "permissions": ["users:update"]}
    role = (await call(superadmin, "POST", "/rbac/roles", json=body)).json()
    helper = await backend.user("helper")
    change = {"json": {"bio": "x"}}
    assert (await call(helper, "PATCH", f"/users/{target.id}", **change)).status_code == 403
    raised = await call(superadmin, "PATCH", f"/rbac/roles/{role['id']}", json={"rank": 20})
    assert raised.status_code == 200
    assert (await call(helper, "PATCH", f"/users/{target.id}", **change)).status_code == 200

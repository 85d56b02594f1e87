"""The tables follow what the code declares, and leave alone what administrators have changed."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, select

from mainstay.features.rbac import RbacState, Role
from mainstay.features.rbac.models import DeclaredPermission, RolePermission
from mainstay.features.rbac.synchronising import synchronise

pytestmark = pytest.mark.anyio


async def synchronised(backend):
    async with backend.assembly.units.transaction() as session:
        await synchronise(session, backend.assembly.ports)


async def state(backend):
    """Give the version of all roles, each role's own, and what each permits."""
    async with backend.assembly.units.transaction() as session:
        version = await session.scalar(select(RbacState.version))
        roles = {role.id: role for role in await session.scalars(select(Role))}
        held = {role.name: set() for role in roles.values()}
        for row in await session.scalars(select(RolePermission)):
            held[roles[row.role_id].name].add(row.permission)
        return version, {role.name: role.version for role in roles.values()}, held


async def test_repeating_it_changes_nothing(backend):
    before = await state(backend)
    await synchronised(backend)
    assert await state(backend) == before


async def test_a_new_permission_goes_to_the_roles_that_have_it_by_default(backend):
    _, _, at_first = await state(backend)
    async with backend.assembly.units.transaction() as session:
        for table, column in (
            (DeclaredPermission, DeclaredPermission.name),
            (RolePermission, RolePermission.permission),
        ):
            await session.execute(delete(table).where(column == "users:update"))
    version, versions, _ = await state(backend)
    await synchronised(backend)
    later, later_versions, held = await state(backend)
    assert held == at_first
    assert later == version + 1
    assert later_versions == {name: number + 1 for name, number in versions.items()}


async def test_a_permission_that_is_declared_no_more_goes_everywhere(backend):
    _, _, at_first = await state(backend)
    async with backend.assembly.units.transaction() as session:
        old = {"name": "old:thing", "description": "", "feature": "old"}
        await session.execute(insert(DeclaredPermission), [old])
        roles = await session.scalars(select(Role.id))
        rows = [{"role_id": role_id, "permission": "old:thing"} for role_id in roles]
        await session.execute(insert(RolePermission), rows)
    await synchronised(backend)
    assert (await state(backend))[2] == at_first
    async with backend.assembly.units.transaction() as session:
        assert await session.get(DeclaredPermission, "old:thing") is None


async def test_what_administrators_took_away_stays_away(backend, call):
    superadmin = await backend.user("superadmin")
    (role,) = (await call(superadmin, "GET", "/rbac/roles?name=moderator")).json()["items"]
    body = {"permissions": ["users:read"]}
    await call(superadmin, "PUT", f"/rbac/roles/{role['id']}/permissions", json=body)
    before = await state(backend)
    await synchronised(backend)
    assert await state(backend) == before
    assert before[2]["moderator"] == {"users:read"}

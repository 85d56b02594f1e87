"""Keeping the tables in line with what the code declares; runs after migrations, under their lock.

A permission that is new goes to the built-in roles that have it by default. What administrators
have changed since stays as they left it. A permission that is declared no more goes everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, select, update

from mainstay.core.principal import BUILT_IN_RANKS
from mainstay.core.registry import Registry
from mainstay.core.roles import HIGHEST_ROLE
from mainstay.features.rbac.granting import EVERYTHING
from mainstay.features.rbac.models import DeclaredPermission, RbacState, Role, RolePermission
from mainstay.features.rbac.service import bump_version

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.feature import Permission
    from mainstay.core.ports import Ports

_STATE_ID: Final = 1
_DESCRIPTIONS: Final = {
    "user": "Everybody who has an account.",
    "moderator": "Looks after other users.",
    "admin": "Runs the application, but does not hand out roles.",
    "superadmin": "May do everything.",
}


async def synchronise(session: AsyncSession, ports: Ports) -> None:
    """Bring roles and permissions in line with the code. Safe to repeat."""
    registry = ports[Registry]
    owners = {p.name: feature.name for feature in registry.features for p in feature.permissions}
    if await session.get(RbacState, _STATE_ID) is None:
        await session.execute(insert(RbacState).values(id=_STATE_ID, version=1))
    roles = await _built_in_roles(session)
    known = {row.name: row for row in await session.scalars(select(DeclaredPermission))}
    changed = await _add_new(session, registry, owners, known, roles)
    changed |= await _remove_old(session, set(known) - set(owners))
    await _describe(session, registry, known)
    if changed:
        await session.execute(
            update(Role).values(version=Role.version + 1, updated_at=Role.updated_at)
        )
        await bump_version(session)


async def _built_in_roles(session: AsyncSession) -> dict[str, Role]:
    roles = {role.name: role for role in await session.scalars(select(Role))}
    for name, rank in BUILT_IN_RANKS.items():
        if name not in roles:
            role = Role(name=name, rank=rank, built_in=True, description=_DESCRIPTIONS[name])
            session.add(role)
            await session.flush()
            roles[name] = role
            if name == HIGHEST_ROLE:
                await _grant(session, role, [EVERYTHING])
    return roles


async def _grant(session: AsyncSession, role: Role, names: list[str]) -> None:
    held = set(
        await session.scalars(
            select(RolePermission.permission).where(RolePermission.role_id == role.id)
        )
    )
    rows = [{"role_id": role.id, "permission": n} for n in names if n not in held]
    if rows:
        await session.execute(insert(RolePermission), rows)


async def _add_new(
    session: AsyncSession,
    registry: Registry,
    owners: dict[str, str],
    known: dict[str, DeclaredPermission],
    roles: dict[str, Role],
) -> bool:
    new = [p for p in registry.permissions if p.name not in known]
    if not new:
        return False
    await session.execute(
        insert(DeclaredPermission),
        [{"name": p.name, "description": p.description, "feature": owners[p.name]} for p in new],
    )
    for name, rank in BUILT_IN_RANKS.items():
        if name != HIGHEST_ROLE:
            await _grant(session, roles[name], [p.name for p in new if _rank_of(p) <= rank])
    return True


def _rank_of(permission: Permission) -> int:
    return BUILT_IN_RANKS[permission.lowest_role]


async def _remove_old(session: AsyncSession, old: set[str]) -> bool:
    if not old:
        return False
    await session.execute(delete(DeclaredPermission).where(DeclaredPermission.name.in_(old)))
    await session.execute(delete(RolePermission).where(RolePermission.permission.in_(old)))
    return True


async def _describe(
    session: AsyncSession, registry: Registry, known: dict[str, DeclaredPermission]
) -> None:
    for permission in registry.permissions:
        row = known.get(permission.name)
        if row is not None and row.description != permission.description:
            await session.execute(
                update(DeclaredPermission)
                .where(DeclaredPermission.name == permission.name)
                .values(description=permission.description)
            )

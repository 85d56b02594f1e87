"""The role book: a process's copy of all roles, right for one version of them.

Whoever reads a user also reads the version; where it is another than the copy's, the copy is read
again. So a change of a role holds from the next request on, in every process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from mainstay.core.roles import RoleNames
from mainstay.features.rbac.models import RbacState, Role, RolePermission

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mainstay.core.db.engine import Database


@dataclass(frozen=True, slots=True)
class BookedRole:
    """A role as the book has it."""

    name: str
    rank: int
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a set of roles amounts to."""

    roles: RoleNames
    permissions: frozenset[str]


class RoleBook:
    """Gives what sets of roles amount to, at a given version."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._version: int | None = None
        self._roles: Mapping[str, BookedRole] = {}
        self._standings: dict[frozenset[str], Standing] = {}

    async def standing(self, version: int, role_ids: Iterable[str]) -> Standing:
        """Give what these roles amount to; ids that are not there any more count for nothing."""
        if version != self._version:
            await self._read()
        key = frozenset(role_ids)
        found = self._standings.get(key)
        if found is None:
            found = self._standings[key] = self._add_up(key)
        return found

    def _add_up(self, role_ids: frozenset[str]) -> Standing:
        roles = [self._roles[role_id] for role_id in role_ids if role_id in self._roles]
        roles.sort(key=lambda role: (-role.rank, role.name))
        names = RoleNames(tuple(role.name for role in roles), roles[0].rank if roles else 0)
        return Standing(names, frozenset().union(*(role.permissions for role in roles)))

    async def _read(self) -> None:
        # The version is read first: a change in between makes the next look-up read again,
        # and never lets old roles pass for new ones.
        async with self._database.read_engine.connect() as connection:
            version = await connection.scalar(select(RbacState.version)) or 0
            roles = (await connection.execute(select(Role.id, Role.name, Role.rank))).all()
            grants = (
                await connection.execute(select(RolePermission.role_id, RolePermission.permission))
            ).all()
        held: dict[str, set[str]] = {}
        for role_id, permission in grants:
            held.setdefault(role_id, set()).add(permission)
        self._roles = {
            role_id: BookedRole(name, rank, frozenset(held.get(role_id, ())))
            for role_id, name, rank in roles
        }
        self._standings = {}
        self._version = version

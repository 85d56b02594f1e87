"""Making, changing and deleting roles: who may, and what must never happen.

Nobody edits a role that ranks above their own, or puts into one what they lack. All changes of
roles wait for each other; they are rare, and each makes every process read the roles again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mainstay.core.errors import (
    AlreadyExistsError,
    FieldError,
    NotFoundError,
    PermissionDeniedError,
    ValidationFailedError,
)
from mainstay.core.events import publish
from mainstay.core.refusals import refused
from mainstay.core.roles import DEFAULT_ROLE, HIGHEST_ROLE
from mainstay.features.rbac import repository
from mainstay.features.rbac.errors import BuiltInRoleError
from mainstay.features.rbac.events import RoleCreated, RoleDeleted, RoleUpdated
from mainstay.features.rbac.granting import EVERYTHING, is_grantable, overreach
from mainstay.features.rbac.models import Role
from mainstay.features.rbac.schemas import RoleRead
from mainstay.features.rbac.service import bump_version

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.principal import Principal

MANAGE: Final = "roles:manage"


class RoleAdministration:
    """Changes roles on behalf of a principal (``by``)."""

    async def create(
        self, session: AsyncSession, wanted: Mapping[str, Any], *, by: Principal
    ) -> Role:
        """Make a role of a name, a description, a rank and permissions.

        Raises:
            AlreadyExistsError: a role has the name.
            ValidationFailedError: the rank is not below the principal's, or a permission unknown.
            PermissionDeniedError: they lack a permission.
        """
        await repository.lock(session)
        await self._require_free(session, wanted["name"])
        _require_below(wanted["rank"], by)
        permissions = set(wanted["permissions"])
        await self._require_givable(session, wanted["permissions"], by=by)
        role = Role(**{name: wanted[name] for name in ("name", "description", "rank")})
        session.add(role)
        await session.flush()
        await repository.set_permissions(session, role.id, gained=permissions, lost=set())
        await bump_version(session)
        event = RoleCreated(
            target_id=role.id, role=role.name, permissions=tuple(sorted(permissions))
        )
        await publish(session, event)
        return role

    async def get(self, session: AsyncSession, role_id: str) -> Role:
        """Give the role with this id.

        Raises:
            NotFoundError: there is none.
        """
        role = await repository.by_id(session, role_id)
        if role is None:
            raise NotFoundError
        return role

    async def find(self, session: AsyncSession, name: str) -> Role:
        """Give the role of this name.

        Raises:
            NotFoundError: there is none.
        """
        found = await repository.by_names(session, [name])
        if not found:
            raise NotFoundError
        return found[0]

    async def open(self, session: AsyncSession, role_id: str, *, by: Principal) -> Role:
        """Give the role to be changed; nobody else changes a role before this transaction ends.

        Raises:
            NotFoundError: there is none.
            PermissionDeniedError: it ranks above the principal.
        """
        await repository.lock(session)
        role = await self.get(session, role_id)
        if role.rank > by.highest_rank:
            error = PermissionDeniedError("This role ranks above yours.")
            raise refused(session, error, action=MANAGE, target_id=role.id)
        return role

    async def update(
        self, session: AsyncSession, role: Role, changes: Mapping[str, Any], *, by: Principal
    ) -> None:
        """Set fields of an opened role; it holds from the next request of its holders on.

        Raises:
            BuiltInRoleError: a built-in role would be renamed or moved, or superadmin lose ``*``.
            AlreadyExistsError: another role has the name.
            ValidationFailedError: the rank is not below the principal's, or a permission unknown.
            PermissionDeniedError: they lack a permission that the role does not have yet.
        """
        rest = dict(changes)
        sent = rest.pop("permissions", None)
        changed = {name for name, value in rest.items() if getattr(role, name) != value}
        await self._check_fields(session, role, {name: rest[name] for name in changed}, by=by)
        present = (await repository.permissions_of(session, [role.id]))[role.id]
        wanted = present if sent is None else set(sent)
        if sent is not None:
            await self._check_permissions(session, role, sent, present=present, by=by)
        for name in changed:
            setattr(role, name, rest[name])
        gained, lost = wanted - present, present - wanted
        await repository.set_permissions(session, role.id, gained=gained, lost=lost)
        changed |= {"permissions"} if gained or lost else set()
        if changed:
            await self._note_update(session, role, changed, gained=gained, lost=lost)

    async def _note_update(
        self,
        session: AsyncSession,
        role: Role,
        changed: set[str],
        *,
        gained: set[str],
        lost: set[str],
    ) -> None:
        role.version += 1
        await session.flush()
        if changed & {"name", "rank"}:
            await repository.touch_holders(session, role.id)
        await bump_version(session)
        event = RoleUpdated(
            target_id=role.id,
            role=role.name,
            fields=tuple(sorted(changed)),
            gained=tuple(sorted(gained)),
            lost=tuple(sorted(lost)),
        )
        await publish(session, event)

    async def delete(self, session: AsyncSession, role: Role) -> None:
        """Delete an opened role; whoever has no other is left with the default one.

        Raises:
            BuiltInRoleError: it is built in.
        """
        if role.built_in:
            msg = "Built-in roles stay. Change what it permits instead."
            raise BuiltInRoleError(msg)
        default = (await repository.by_names(session, [DEFAULT_ROLE]))[0]
        holders = await repository.touch_holders(session, role.id)
        await repository.take_away(session, role.id, fallback_id=default.id)
        await session.delete(role)
        await session.flush()
        await bump_version(session)
        event = RoleDeleted(target_id=role.id, role=role.name, holders=holders)
        await publish(session, event)

    async def view(self, session: AsyncSession, role: Role) -> RoleRead:
        """Give the outside form of one role."""
        return (await self.views(session, [role]))[0]

    async def views(self, session: AsyncSession, roles: Sequence[Role]) -> list[RoleRead]:
        """Give the outside form of roles; one statement for all that they permit."""
        permitted = await repository.permissions_of(session, [role.id for role in roles])
        columns = [name for name in RoleRead.model_fields if name != "permissions"]
        return [
            RoleRead.model_validate(
                {name: getattr(role, name) for name in columns}
                | {"permissions": sorted(permitted[role.id])}
            )
            for role in roles
        ]

    async def _check_fields(
        self, session: AsyncSession, role: Role, changes: Mapping[str, Any], *, by: Principal
    ) -> None:
        if role.built_in and changes.keys() & {"name", "rank"}:
            msg = "Built-in roles keep their name and rank."
            raise BuiltInRoleError(msg)
        if "name" in changes and changes["name"].lower() != role.name.lower():
            await self._require_free(session, changes["name"])
        if "rank" in changes:
            _require_below(changes["rank"], by)

    async def _check_permissions(
        self,
        session: AsyncSession,
        role: Role,
        wanted: Sequence[str],
        *,
        present: Collection[str],
        by: Principal,
    ) -> None:
        await self._require_givable(session, wanted, by=by, present=present)
        if role.name == HIGHEST_ROLE and EVERYTHING not in wanted:
            msg = f"{HIGHEST_ROLE} keeps {EVERYTHING}: somebody must be able to do everything."
            raise BuiltInRoleError(msg)

    async def _require_free(self, session: AsyncSession, name: str) -> None:
        if await repository.is_taken(session, name):
            fault = FieldError(pointer="#/name", code="already_exists", detail="This is taken.")
            raise AlreadyExistsError("Choose another name.", errors=[fault])

    async def _require_givable(
        self,
        session: AsyncSession,
        wanted: Sequence[str],
        *,
        by: Principal,
        present: Collection[str] = (),
    ) -> None:
        declared = await repository.declared(session)
        faults = [
            FieldError(
                pointer=f"#/permissions/{place}",
                code="unknown_permission",
                detail="There is no such permission.",
            )
            for place, name in enumerate(wanted)
            if not is_grantable(name, declared)
        ]
        if faults:
            raise ValidationFailedError(errors=faults)
        lacking = overreach(wanted, giver=by.permissions, present=present)
        if lacking:
            msg = "Nobody gives a role what they lack themselves."
            error = PermissionDeniedError(msg, required=lacking)
            raise refused(session, error, action=MANAGE)


def _require_below(rank: int, by: Principal) -> None:
    if rank >= by.highest_rank:
        fault = FieldError(
            pointer="#/rank",
            code="less_than",
            detail="A role stays below the rank of who makes it.",
            params={"lt": by.highest_rank},
        )
        raise ValidationFailedError(errors=[fault])

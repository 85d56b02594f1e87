"""What the rbac feature brings."""

from __future__ import annotations

from typing import Final

from mainstay.core.db.engine import Database
from mainstay.core.feature import Feature, Mount, Permission
from mainstay.core.ports import Provide
from mainstay.core.roles import RoleDirectory
from mainstay.features.rbac.administration import RoleAdministration
from mainstay.features.rbac.assigning import RoleAssignment
from mainstay.features.rbac.book import RoleBook
from mainstay.features.rbac.errors import BuiltInRoleError
from mainstay.features.rbac.events import RoleCreated, RoleDeleted, RolesAssigned, RoleUpdated
from mainstay.features.rbac.holders_router import holders_router
from mainstay.features.rbac.models import (
    DeclaredPermission,
    RbacState,
    Role,
    RolePermission,
    UserRole,
)
from mainstay.features.rbac.router import router
from mainstay.features.rbac.service import DatabaseRoleDirectory
from mainstay.features.rbac.synchronising import synchronise
from mainstay.features.users import UserAdministration

feature: Final = Feature(
    name="rbac",
    requires=("users",),
    models=(Role, DeclaredPermission, RolePermission, UserRole, RbacState),
    routers=(Mount(router=router), Mount(router=holders_router)),
    permissions=(
        Permission(name="roles:read", description="See roles and permissions."),
        Permission(
            name="roles:manage",
            description="Make, change and delete roles.",
            lowest_role="superadmin",
        ),
        Permission(
            name="roles:assign",
            description="Give roles to users and take them away.",
            lowest_role="superadmin",
        ),
    ),
    provides=(
        Provide(RoleDirectory, lambda _: DatabaseRoleDirectory()),
        Provide(RoleBook, lambda ports: RoleBook(ports[Database])),
        Provide(RoleAdministration, lambda _: RoleAdministration()),
        Provide(
            RoleAssignment,
            lambda ports: RoleAssignment(ports[UserAdministration], ports[RoleDirectory]),
        ),
    ),
    errors=(BuiltInRoleError,),
    events=(RoleCreated, RoleUpdated, RoleDeleted, RolesAssigned),
    after_migrate=synchronise,
)

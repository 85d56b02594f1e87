"""What the rbac feature brings."""

from __future__ import annotations

from typing import Final

from mainstay.core.db.engine import Database
from mainstay.core.feature import Feature, Permission, Provide
from mainstay.core.roles import RoleDirectory
from mainstay.features.rbac.book import RoleBook
from mainstay.features.rbac.models import (
    DeclaredPermission,
    RbacState,
    Role,
    RolePermission,
    UserRole,
)
from mainstay.features.rbac.service import DatabaseRoleDirectory
from mainstay.features.rbac.synchronising import synchronise

feature: Final = Feature(
    name="rbac",
    requires=("users",),
    models=(Role, DeclaredPermission, RolePermission, UserRole, RbacState),
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
    ),
    after_migrate=synchronise,
)

"""What the users feature brings."""

from __future__ import annotations

from typing import Final

from mainstay.core.feature import Feature, Mount, Permission
from mainstay.core.ports import Provide
from mainstay.core.roles import RoleDirectory
from mainstay.features.users.administration import UserAdministration
from mainstay.features.users.errors import LastSuperadminError, RoleNotAssignableError
from mainstay.features.users.events import (
    UserActivated,
    UserCreated,
    UserDeactivated,
    UserDeleted,
    UserUpdated,
)
from mainstay.features.users.models import User
from mainstay.features.users.router import router
from mainstay.features.users.service import UserService

feature: Final = Feature(
    name="users",
    needs=(RoleDirectory,),
    models=(User,),
    routers=(Mount(router=router),),
    permissions=(
        Permission(name="users:read:self", description="See oneself.", lowest_role="user"),
        Permission(name="users:update:self", description="Change oneself.", lowest_role="user"),
        Permission(name="users:delete:self", description="Delete oneself.", lowest_role="user"),
        Permission(name="users:read", description="See all users.", lowest_role="moderator"),
        Permission(name="users:update", description="Change users.", lowest_role="moderator"),
        Permission(name="users:create", description="Make users."),
        Permission(name="users:delete", description="Delete users."),
        Permission(
            name="users:impersonate",
            description="Act as another user.",
            lowest_role="superadmin",
        ),
    ),
    provides=(
        Provide(UserService, lambda ports: UserService(ports[RoleDirectory])),
        Provide(
            UserAdministration,
            lambda ports: UserAdministration(ports[UserService], ports[RoleDirectory]),
        ),
    ),
    errors=(LastSuperadminError, RoleNotAssignableError),
    events=(UserCreated, UserUpdated, UserDeactivated, UserActivated, UserDeleted),
)

"""Roles and permissions."""

from mainstay.features.rbac.book import RoleBook, Standing
from mainstay.features.rbac.events import RoleCreated, RoleDeleted, RolesAssigned, RoleUpdated
from mainstay.features.rbac.feature import feature
from mainstay.features.rbac.models import RbacState, Role, UserRole

__all__ = [
    "RbacState",
    "Role",
    "RoleBook",
    "RoleCreated",
    "RoleDeleted",
    "RoleUpdated",
    "RolesAssigned",
    "Standing",
    "UserRole",
    "feature",
]

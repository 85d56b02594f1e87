"""Users: accounts and their profiles."""

from mainstay.features.users.account import answer_account
from mainstay.features.users.administration import UserAdministration
from mainstay.features.users.errors import LastSuperadminError, RoleNotAssignableError
from mainstay.features.users.events import (
    UserActivated,
    UserCreated,
    UserDeactivated,
    UserDeleted,
    UserUpdated,
)
from mainstay.features.users.feature import feature
from mainstay.features.users.listing import USERS, UserPage
from mainstay.features.users.models import User
from mainstay.features.users.names import Email, Username, case_blind
from mainstay.features.users.repository import by_email as find_by_email
from mainstay.features.users.repository import by_id as find_by_id
from mainstay.features.users.repository import by_identifier as find_by_identifier
from mainstay.features.users.schemas import Profile, RoleName, UserRead
from mainstay.features.users.service import UserService, require_permission, taken_error

__all__ = [
    "USERS",
    "Email",
    "LastSuperadminError",
    "Profile",
    "RoleName",
    "RoleNotAssignableError",
    "User",
    "UserActivated",
    "UserAdministration",
    "UserCreated",
    "UserDeactivated",
    "UserDeleted",
    "UserPage",
    "UserRead",
    "UserService",
    "UserUpdated",
    "Username",
    "answer_account",
    "case_blind",
    "feature",
    "find_by_email",
    "find_by_id",
    "find_by_identifier",
    "require_permission",
    "taken_error",
]

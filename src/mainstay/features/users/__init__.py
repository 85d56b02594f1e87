"""Users: accounts and their profiles."""

from mainstay.features.users.account import answer_account
from mainstay.features.users.events import UserCreated, UserUpdated
from mainstay.features.users.feature import feature
from mainstay.features.users.models import User
from mainstay.features.users.names import Email, Username, case_blind
from mainstay.features.users.repository import by_email as find_by_email
from mainstay.features.users.repository import by_id as find_by_id
from mainstay.features.users.repository import by_identifier as find_by_identifier
from mainstay.features.users.schemas import Profile, UserRead
from mainstay.features.users.service import UserService, taken_error

__all__ = [
    "Email",
    "Profile",
    "User",
    "UserCreated",
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
    "taken_error",
]

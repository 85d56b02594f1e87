"""Accounts: signing up and in, passwords, and the first administrator."""

from mainstay.features.auth.administrators import Administrators
from mainstay.features.auth.feature import feature
from mainstay.features.auth.ports import SessionKeeper
from mainstay.features.auth.schemas import Tokens
from mainstay.features.auth.settings import AuthSettings
from mainstay.features.auth.standing import may_sign_in

__all__ = [
    "Administrators",
    "AuthSettings",
    "SessionKeeper",
    "Tokens",
    "feature",
    "may_sign_in",
]

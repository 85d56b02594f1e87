"""Who may sign in, the same for every way in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mainstay.features.auth.settings import AuthSettings


class Account(Protocol):
    """What is asked of an account: a model, or a row that was read."""

    @property
    def is_active(self) -> bool:
        """Whether it is in use."""
        ...

    @property
    def email_verified(self) -> bool:
        """Whether its address is proved."""
        ...


def may_sign_in(account: Account, settings: AuthSettings) -> bool:
    """Say whether an account is active and, where that is asked for, verified."""
    verified = account.email_verified or not settings.REQUIRE_EMAIL_VERIFICATION
    return account.is_active and verified

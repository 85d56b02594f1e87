"""What happens at the door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mainstay.core.events import Event


@dataclass(frozen=True, kw_only=True)
class SignedIn(Event):
    """Somebody proved who they are; ``method`` is password, setup and so on."""

    name: ClassVar[str] = "auth.signed_in"

    method: str


@dataclass(frozen=True, kw_only=True)
class SignInFailed(Event):
    """A sign-in was refused; ``reason`` is for the audit trail and is never answered."""

    name: ClassVar[str] = "auth.sign_in_failed"
    outcome: ClassVar[str] = "failure"

    reason: str


@dataclass(frozen=True, kw_only=True)
class AccountLocked(Event):
    """Too many wrong passwords locked an account for a while."""

    name: ClassVar[str] = "auth.account_locked"
    outcome: ClassVar[str] = "failure"


@dataclass(frozen=True, kw_only=True)
class RegistrationRefused(Event):
    """Somebody asked for an account, or a role, that people cannot give themselves."""

    name: ClassVar[str] = "auth.registration_refused"
    outcome: ClassVar[str] = "failure"

    reason: str


@dataclass(frozen=True, kw_only=True)
class OneTimeTokenRefused(Event):
    """A token from a mail, or of the set-up, did not hold."""

    name: ClassVar[str] = "auth.one_time_token_refused"
    outcome: ClassVar[str] = "failure"

    purpose: str


@dataclass(frozen=True, kw_only=True)
class AccountUnlocked(Event):
    """An administrator let an account forget its wrong passwords."""

    name: ClassVar[str] = "auth.account_unlocked"


@dataclass(frozen=True, kw_only=True)
class EmailVerified(Event):
    """An address was proved."""

    name: ClassVar[str] = "auth.email_verified"


@dataclass(frozen=True, kw_only=True)
class PasswordResetRequested(Event):
    """A link to reset a password was asked for."""

    name: ClassVar[str] = "auth.password_reset_requested"


@dataclass(frozen=True, kw_only=True)
class PasswordChanged(Event):
    """A password was set; ``how`` is change, reset or invitation."""

    name: ClassVar[str] = "auth.password_changed"

    how: str


@dataclass(frozen=True, kw_only=True)
class RegistrationRepeated(Event):
    """Somebody registered with an address that has an account."""

    name: ClassVar[str] = "auth.registration_repeated"
    outcome: ClassVar[str] = "failure"


@dataclass(frozen=True, kw_only=True)
class Reauthenticated(Event):
    """A signed-in person proved again who they are."""

    name: ClassVar[str] = "auth.reauthenticated"


@dataclass(frozen=True, kw_only=True)
class ReauthenticationFailed(Event):
    """A signed-in person gave a wrong password, or was locked; ``reason`` says which."""

    name: ClassVar[str] = "auth.reauthentication_failed"
    outcome: ClassVar[str] = "failure"

    reason: str


@dataclass(frozen=True, kw_only=True)
class EmailChangeRequested(Event):
    """A link was sent that would change an account's address."""

    name: ClassVar[str] = "auth.email_change_requested"


@dataclass(frozen=True, kw_only=True)
class EmailChanged(Event):
    """An account has another address, which is proved."""

    name: ClassVar[str] = "auth.email_changed"

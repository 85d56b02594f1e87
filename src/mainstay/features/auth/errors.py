"""What can go wrong at the door.

NotAuthenticatedError 401 ── InvalidCredentialsError
PermissionDeniedError 403 ── EmailNotVerifiedError, RegistrationClosedError
ConflictError 409 ── SetupDoneError
"""

from __future__ import annotations

from mainstay.core.errors import ConflictError, NotAuthenticatedError, PermissionDeniedError


class InvalidCredentialsError(NotAuthenticatedError):
    """Wrong password, unknown, disabled or locked account: all alike."""

    code = "invalid_credentials"
    title = "The username or password is not correct"


class EmailNotVerifiedError(PermissionDeniedError):
    """The password was right, but the address is not proved yet."""

    code = "email_not_verified"
    title = "Verify your e-mail address first"


class RegistrationClosedError(PermissionDeniedError):
    """People cannot make accounts themselves here."""

    code = "registration_closed"
    title = "Registration is closed"


class SetupDoneError(ConflictError):
    """There is an administrator already."""

    code = "setup_done"
    title = "The set-up has been done"

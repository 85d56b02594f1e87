"""What can go wrong with users.

PermissionDeniedError 403 ── RoleNotAssignableError
ConflictError 409 ── LastSuperadminError
"""

from __future__ import annotations

from mainstay.core.errors import ConflictError, PermissionDeniedError


class RoleNotAssignableError(PermissionDeniedError):
    """Somebody asked for a role that they cannot give, or cannot give themselves."""

    code = "role_not_assignable"
    title = "This role cannot be chosen"


class LastSuperadminError(ConflictError):
    """Nobody active would be left who may do everything."""

    code = "last_superadmin"
    title = "This is the last active superadmin"

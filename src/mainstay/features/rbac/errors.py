"""What can go wrong with roles.

ConflictError 409 ── BuiltInRoleError
"""

from __future__ import annotations

from mainstay.core.errors import ConflictError


class BuiltInRoleError(ConflictError):
    """A built-in role was to lose its name, its rank, itself, or superadmin its ``*``."""

    code = "built_in_role"
    title = "A built-in role cannot be changed like that"

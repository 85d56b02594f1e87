"""The built-in features, one folder each; a disabled one is not even imported."""

from typing import Final

BUILT_IN: Final = (
    "health",
    "ratelimit",
    "jobs",
    "mail",
    "audit",
    "users",
    "rbac",
    "auth",
    "sessions",
)
"""Their names, which are also their folders'."""

"""Which requests count, and which ones present a credential."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import Scope

_ROOT_PROBES: Final = ("/livez", "/readyz", "/up")
_PROBES: Final = (
    "/health",
    "/health/liveness",
    "/health/readiness",
    "/health/database",
    "/health/db",
    "/health/cache",
)
_DOCS: Final = ("/docs", "/redoc", "/openapi.json")
_ASSETS: Final = ("/docs/", "/redoc/", "/api/docs/", "/api/redoc/", "/admin/static/")
_CREDENTIALS: Final = (
    "register",
    "login",
    "verify-2fa",
    "forgot-password",
    "reset-password",
    "verify-email",
    "resend-verification",
)


class Paths:
    """Sorts paths, for an API under ``prefix`` (``/api/v1``)."""

    def __init__(self, prefix: str) -> None:
        bases = ("", "/api", prefix)
        probes = [base + path for base in ("", prefix) for path in _PROBES]
        docs = [base + path for base in bases for path in _DOCS]
        self._free = frozenset([*_ROOT_PROBES, *probes, *docs])
        self._assets = _ASSETS
        self._credentials = frozenset(f"{prefix}/auth/{name}" for name in _CREDENTIALS)

    def is_free(self, path: str) -> bool:
        """Say whether requests to the path are not counted: probes, documentation, assets."""
        return path in self._free or path.startswith(self._assets)

    def takes_credentials(self, path: str) -> bool:
        """Say whether a POST to the path presents a password or code, or has a mail sent."""
        return path in self._credentials


def routed(scope: Scope) -> str:
    """Give the path as routes see it: below ``root_path``, without one trailing slash."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and path.startswith(root + "/"):
        path = path[len(root) :]
    return path[:-1] if path[-1:] == "/" and path[-2:] != "//" else path

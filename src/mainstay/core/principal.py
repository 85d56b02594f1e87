"""Who acts: the principal, and what a permission admits. Pure; services import this."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from mainstay.core.errors import ReauthRequiredError
from mainstay.kit.clock import now

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

BUILT_IN_RANKS: Final = {"user": 10, "moderator": 20, "admin": 30, "superadmin": 40}
"""The four roles every installation has, by rank. A custom role ranks anywhere between."""

RECENT: Final = timedelta(minutes=10)
"""How long a proof of who one is counts as recent."""


def admits(held: Collection[str], wanted: str) -> bool:
    """Say whether the held permissions admit the wanted one.

    ``users:read`` is admitted by itself, ``users:*`` and ``*``; ``users:read:self`` by itself,
    by ``users:read`` and by what admits that. A wanted wildcard is admitted only by itself and by
    a wider one, never by all that it stands for today.
    """
    if wanted in held or "*" in held:
        return True
    resource, _, action = wanted.partition(":")
    if f"{resource}:*" in held:
        return True
    general, _, last = wanted.rpartition(":")
    return last == "self" and ":" in general and bool(action) and admits(held, general)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A signed-in caller, whichever way they came in.

    ``role`` is the highest of ``roles``, ``rank`` its rank; ``permissions`` may hold wildcards.
    ``session_id`` is None for callers without a session (API keys, external tokens, tests);
    ``authenticated_at`` is when the session's owner last proved who they are. ``account`` is
    the user's row as it was read with the session, where a resolver read it.
    """

    id: str
    email: str = ""
    username: str = ""
    role: str = "user"
    roles: tuple[str, ...] = ()
    permissions: frozenset[str] = field(default_factory=frozenset)
    session_id: str | None = None
    rank: int = 0
    email_verified: bool = True
    authenticated_at: datetime | None = None
    account: Any = field(default=None, repr=False, compare=False)

    def can(self, permission: str) -> bool:
        """Say whether this principal holds the permission."""
        return admits(self.permissions, permission)

    def lacks(self, permissions: Iterable[str]) -> list[str]:
        """Give those of the permissions and wildcards that this principal does not hold, sorted."""
        return sorted(name for name in set(permissions) if not self.can(name))

    @property
    def highest_rank(self) -> int:
        """The rank by which this principal stands: the one given, or that of a built-in role."""
        return max(self.rank, BUILT_IN_RANKS.get(self.role, 0))

    def has_role(self, name: str) -> bool:
        """Say whether this principal has the role, or one that ranks at least as a built-in."""
        if name == self.role or name in self.roles:
            return True
        wanted = BUILT_IN_RANKS.get(name)
        return wanted is not None and self.highest_rank >= wanted


def require_recent(principal: Principal) -> None:
    """Refuse a caller whose last proof of who they are is too old.

    Raises:
        ReauthRequiredError: it is older than ten minutes.
    """
    proved = principal.authenticated_at
    if proved is None or now() - proved > RECENT:
        msg = "Send your password to /auth/reauthenticate, then try again."
        raise ReauthRequiredError(msg)


class PrincipalResolver(Protocol):
    """Port: turns a bearer token into a principal. Provided by the feature that keeps sessions."""

    async def resolve(self, token: str) -> Principal:
        """Give the principal, read fresh, or raise ``NotAuthenticatedError``."""
        ...

    def subject(self, token: str) -> str | None:
        """Give the id that the token is signed for, without any look-up; None if it is no good."""
        ...

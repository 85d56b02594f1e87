"""From an access token to a principal: one verified token, one statement, nothing kept.

The session, its user, the user's roles and the version of all roles are read in one statement;
reads that meet within one turn of the event loop share it. What roles permit comes from the role
book, which is right for that version. So whatever changes holds from the next request on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainstay.core.db.batch import BatchedReader
from mainstay.core.db.reads import KeyedRead
from mainstay.core.errors import NotAuthenticatedError, TokenRevokedError
from mainstay.core.principal import Principal
from mainstay.features.auth import AuthSettings, may_sign_in
from mainstay.features.sessions.repository import principals_by_session
from mainstay.kit.clock import now

if TYPE_CHECKING:
    from mainstay.core.db.engine import Database
    from mainstay.core.settings import Settings
    from mainstay.features.rbac import RoleBook
    from mainstay.features.sessions.access_tokens import AccessTokens
    from mainstay.features.sessions.last_seen import LastSeen


class SessionPrincipals:
    """The principal resolver over sessions."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        access: AccessTokens,
        book: RoleBook,
        last_seen: LastSeen,
    ) -> None:
        self._settings = settings[AuthSettings]
        self._access = access
        self._book = book
        self._last_seen = last_seen
        statement = principals_by_session()
        read = KeyedRead(database, statement, statement.selected_columns["session_id"])
        self._reader: BatchedReader[Any] = BatchedReader(read.get_many)

    def subject(self, token: str) -> str | None:
        """Give the user id that a good token is signed for, without any look-up."""
        try:
            return self._access.read(token)[0]
        except NotAuthenticatedError:
            return None

    async def resolve(self, token: str) -> Principal:
        """Give the principal behind an access token, read fresh.

        Raises:
            NotAuthenticatedError: the token does not hold, or its session or account has ended.
        """
        user_id, session_id = self._access.read(token)
        row = await self._reader.get(session_id)
        if row is None or row.id != user_id or row.session_revoked_at is not None:
            msg = "The session has ended. Sign in again."
            raise TokenRevokedError(msg)
        moment = now()
        if row.session_expires_at <= moment or not may_sign_in(row, self._settings):
            msg = "The session has ended. Sign in again."
            raise TokenRevokedError(msg)
        self._last_seen.note(session_id, row.session_last_seen_at, moment)
        return await self._principal(row)

    async def _principal(self, row: Any) -> Principal:
        role_ids = (row.role_ids or "").split(",")
        standing = await self._book.standing(row.rbac_version or 0, role_ids)
        return Principal(
            id=row.id,
            email=row.email,
            username=row.username,
            role=standing.roles.highest,
            roles=standing.roles.names,
            permissions=standing.permissions,
            session_id=row.session_id,
            rank=standing.roles.rank,
            email_verified=row.email_verified,
            authenticated_at=row.session_authenticated_at,
            account=row,
        )

"""Access tokens: signed, short-lived, and worth nothing without their session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from mainstay.core.errors import NotAuthenticatedError
from mainstay.core.settings import ApplicationSettings
from mainstay.core.tokens import KeyRing, TokenSigner, TokenVerifier, VerifiedTokens
from mainstay.features.auth import AuthSettings
from mainstay.kit.clock import now
from mainstay.kit.ids import new_id

if TYPE_CHECKING:
    from datetime import datetime

    from mainstay.core.settings import Settings

TYPE: Final = "at+jwt"
AUDIENCE: Final = "mainstay"


@dataclass(frozen=True, slots=True)
class Minted:
    """A fresh token and the seconds it lives."""

    token: str
    expires_in: int


class AccessTokens:
    """Mints and reads access tokens (RFC 9068 in spirit: ``at+jwt``)."""

    def __init__(self, settings: Settings, keys: KeyRing) -> None:
        self._issuer = settings[ApplicationSettings].PUBLIC_URL or "mainstay"
        self._lifetime = timedelta(minutes=settings[AuthSettings].ACCESS_TOKEN_EXPIRE_MINUTES)
        self._signer = TokenSigner(keys)
        self._verifier = TokenVerifier(keys, cache=VerifiedTokens())

    def mint(self, *, user_id: str, session_id: str, role: str, session_end: datetime) -> Minted:
        """Make a token that ends with its session at the latest."""
        moment = now()
        issued, end = int(moment.timestamp()), min(moment + self._lifetime, session_end)
        expires = max(int(end.timestamp()), issued + 1)
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": user_id,
            "sid": session_id,
            "jti": new_id(),
            "role": role,
            "iat": issued,
            "nbf": issued,
            "exp": expires,
        }
        return Minted(self._signer.sign(claims, typ=TYPE), expires - issued)

    def read(self, token: str) -> tuple[str, str]:
        """Give user id and session id of a token that holds.

        Raises:
            NotAuthenticatedError: it does not.
        """
        claims = self._verifier.verify(
            token,
            typ=TYPE,
            issuer=self._issuer,
            audience=AUDIENCE,
            now=now().timestamp(),
        )
        user_id, session_id = claims["sub"], claims.get("sid")
        if not isinstance(session_id, str):
            msg = "The token is not valid."
            raise NotAuthenticatedError(msg)
        return user_id, session_id

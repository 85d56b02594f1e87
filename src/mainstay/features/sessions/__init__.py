"""Sessions: access and refresh tokens, and their end."""

from mainstay.features.sessions.feature import feature
from mainstay.features.sessions.models import RefreshToken, SessionRow
from mainstay.features.sessions.service import SessionService

__all__ = ["RefreshToken", "SessionRow", "SessionService", "feature"]

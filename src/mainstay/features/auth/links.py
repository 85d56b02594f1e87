"""Links in mails: from settings alone, never from what a request says of its host."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from mainstay.core.settings import ApplicationSettings

if TYPE_CHECKING:
    from mainstay.core.settings import Settings


class Links:
    """Makes links to the frontend, or to the built-in pages where there is none."""

    def __init__(self, settings: Settings) -> None:
        application = settings[ApplicationSettings]
        host = "127.0.0.1" if application.HOST in {"0.0.0.0", "::"} else application.HOST  # noqa: S104
        own = application.PUBLIC_URL or f"http://{host}:{application.PORT}"
        self.own = own.rstrip("/")
        self._base = (application.FRONTEND_URL or own).rstrip("/")

    def to(self, page: str, token: str) -> str:
        """Give the link to a page with a token, such as ``verify-email``."""
        return f"{self._base}/{page}?token={quote(token, safe='')}"

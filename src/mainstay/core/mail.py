"""Mail: written into the outbox in the caller's transaction, and sent after its commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.ext.asyncio import AsyncSession


class Mailer(Protocol):
    """Port: writes mail. It leaves after the commit, at least once, and never without it."""

    async def send(
        self,
        session: AsyncSession,
        *,
        template: str,
        to: str,
        context: Mapping[str, Any],
        key: str | None = None,
    ) -> str:
        """Render a template and write the mail; gives the message's id.

        ``template`` is the file's name without its ending (``password_reset``). With a ``key``, a
        mail that still waits under the same key is not written twice: its id is given instead.

        Raises:
            ValidationFailedError: the address is none, or a line end or NUL is where none may be.
            LookupError: the template is unknown, or was not given a value that it needs.
        """
        ...

    async def send_message(
        self,
        session: AsyncSession,
        *,
        to: str,
        subject: str,
        html: str | None = None,
        text: str | None = None,
        key: str | None = None,
    ) -> str:
        """Write a mail of one's own; of HTML and text the missing one is made of the other.

        Raises:
            ValidationFailedError: as ``send``; or there is no body at all, or too much of it.
        """
        ...

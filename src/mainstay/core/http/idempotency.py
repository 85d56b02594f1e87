"""Idempotency keys (draft-ietf-httpapi-idempotency-key-header): a repeat gets the first answer.

The saved answer is written in the request's own transaction, so that it is there exactly if the
request's effects are. A running request holds a lease on its key; once that has run out, a repeat
takes the key over, and the first one can no longer commit.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import Header
from sqlalchemy import Index, LargeBinary, SmallInteger, String, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from mainstay.core.db.base import Base, Timestamp
from mainstay.core.db.single_use import spend
from mainstay.core.errors import (
    BadRequestError,
    ConflictError,
    IdempotencyInProgressError,
    IdempotencyKeyRequiredError,
    IdempotencyKeyReusedError,
    NotAuthenticatedError,
)
from mainstay.core.http.context import SCOPE_KEY, RequestContext, ports_of
from mainstay.core.http.exchange import ERROR_STATUS
from mainstay.core.http.recording import Recorded, Recorder
from mainstay.core.principal import PrincipalResolver
from mainstay.kit.clock import now
from mainstay.kit.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncSession
    from starlette.types import Message, Scope, Send

    from mainstay.core.db.unit import Units
    from mainstay.core.http.exchange import Exchange

KEEP: Final = timedelta(hours=24)
LEASE: Final = timedelta(seconds=60)
_KEY: Final = re.compile(r'"?([\x21\x23-\x7e]{1,255})"?')
_SERVER_ERROR: Final = 500
_NOT_STORED: Final = frozenset({401, 409, 429})
_WITHOUT_BODY: Final = frozenset({204, 304})
_KEPT_HEADERS: Final = frozenset({b"content-type", b"location", b"etag", b"cache-control", b"link"})


class IdempotencyKey(Base):
    """A key that was used, by whom for what, and the answer once there is one."""

    __tablename__ = "idempotency_keys"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    holder: Mapped[str] = mapped_column(String(36))
    lease_until: Mapped[datetime] = mapped_column(Timestamp())
    expires_at: Mapped[datetime] = mapped_column(Timestamp())
    status: Mapped[int | None] = mapped_column(SmallInteger())
    headers: Mapped[bytes | None] = mapped_column(LargeBinary(8 * 1024))
    body: Mapped[bytes | None] = mapped_column(LargeBinary(16 * 1024 * 1024))

    __table_args__ = (Index("ix_idempotency_keys_expires_at", "expires_at"),)


def parse_key(value: bytes) -> str:
    """Give the key, quoted or bare.

    Raises:
        BadRequestError: it is empty, too long or not printable ASCII.
    """
    match = _KEY.fullmatch(value.strip().decode("latin-1"))
    if match is None:
        msg = "Idempotency-Key takes 1 to 255 printable ASCII characters, such as a UUID."
        raise BadRequestError(msg)
    return match.group(1)


async def require_key(
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
) -> None:
    """Ask for an ``Idempotency-Key``: a dependency of routes that must not be called without.

    Raises:
        IdempotencyKeyRequiredError: there is none.
    """
    if idempotency_key is None:
        msg = "Send an Idempotency-Key, such as a UUID, and the same one with each repeat."
        raise IdempotencyKeyRequiredError(msg)


@dataclass(frozen=True, slots=True)
class _Claim:
    """A key that this request holds: its row, and the mark that says whose it is."""

    digest: str
    holder: str


class Idempotency:
    """Serves requests that carry a key."""

    def __init__(self, units: Units) -> None:
        self._units = units

    async def serve(
        self,
        key: bytes,
        exchange: Exchange,
        *,
        scope: Scope,
        body: bytes,
        run: Callable[[Send], Awaitable[None]],
    ) -> None:
        """Run the request once, or answer as it was answered before.

        Raises:
            IdempotencyKeyReusedError: the key came with another request.
            IdempotencyInProgressError: the first request is still running.
            ConflictError: it was carried out, and its answer was not kept.
        """
        context: RequestContext = scope[SCOPE_KEY]
        digest = await self._digest(parse_key(key), scope)
        fingerprint = _fingerprint(body, scope)
        claim = _Claim(digest, new_id())
        saved = await self._claim(claim, fingerprint)
        if saved is not None:
            for message in _kept_answer(saved):
                await exchange.send(message)
            return
        context.idempotent = True
        try:
            finish = partial(self._finish, claim, context=context)
            await run(Recorder(exchange, finish))
        finally:
            if not exchange.status:
                await self._forget(claim, context)

    async def _digest(self, key: str, scope: Scope) -> str:
        context: RequestContext = scope[SCOPE_KEY]
        token = context.bearer()
        who = f"ip:{context.client_ip}"
        if token is not None:
            resolver = ports_of(scope).get(PrincipalResolver)
            try:
                if resolver is not None and context.principal is None:
                    context.sign_in(await resolver.resolve(token))
            except NotAuthenticatedError:
                pass
            if context.principal is not None:
                who = f"principal:{context.principal.id}"
        text = f"{who}\n{context.method}\n{scope['path'].rstrip('/')}\n{key}"
        return hashlib.sha256(text.encode()).hexdigest()

    async def _claim(self, claim: _Claim, fingerprint: str) -> IdempotencyKey | None:
        """Take the key, or give the row of an answered request."""
        moment = now()
        values = {
            "digest": claim.digest,
            "fingerprint": fingerprint,
            "holder": claim.holder,
            "lease_until": moment + LEASE,
            "expires_at": moment + KEEP,
        }
        try:
            async with self._units.transaction() as session:
                await session.execute(insert(IdempotencyKey).values(**values))
        except IntegrityError:
            return await self._claim_taken(values, moment)
        return None

    async def _claim_taken(
        self, values: dict[str, object], moment: datetime
    ) -> IdempotencyKey | None:
        async with self._units.transaction() as session:
            row = await session.get(IdempotencyKey, values["digest"])
            if row is not None and row.expires_at > moment:
                if row.fingerprint != values["fingerprint"]:
                    msg = "Use a new Idempotency-Key for a different request."
                    raise IdempotencyKeyReusedError(msg)
                if row.status is not None:
                    return row
                if row.lease_until > moment:
                    msg = "The first request with this key is still running. Ask again in a second."
                    raise IdempotencyInProgressError(msg, headers={"Retry-After": "1"})
            await self._take_over(session, row, values)
            return None

    async def _take_over(
        self, session: AsyncSession, row: IdempotencyKey | None, values: dict[str, object]
    ) -> None:
        if row is None:
            await session.execute(insert(IdempotencyKey).values(**values))
            return
        taken = await spend(
            session,
            update(IdempotencyKey)
            .where(IdempotencyKey.digest == row.digest, IdempotencyKey.holder == row.holder)
            .values(**values, status=None, headers=None, body=None),
        )
        if not taken:
            msg = "Another repeat of this request is running. Ask again in a second."
            raise IdempotencyInProgressError(msg, headers={"Retry-After": "1"})

    async def _finish(self, claim: _Claim, recorded: Recorded, *, context: RequestContext) -> None:
        """Save the answer before it leaves.

        Raises:
            ConflictError: the key is another request's by now.
        """
        status = recorded.status
        if status >= _SERVER_ERROR or status in _NOT_STORED:
            await self._forget(claim, context)
        elif status < ERROR_STATUS:
            await _save(context.unit.session, claim, recorded, context=context)
        else:
            if context.opened_unit is not None:
                await context.opened_unit.rollback()
            async with self._units.transaction() as session:
                await _save(session, claim, recorded, context=context)

    async def _forget(self, claim: _Claim, context: RequestContext) -> None:
        """Free the key, so that a repeat runs again; not once an answer has been committed."""
        if context.opened_unit is not None:
            await context.opened_unit.rollback()
        async with self._units.transaction() as session:
            await session.execute(
                delete(IdempotencyKey).where(
                    IdempotencyKey.digest == claim.digest,
                    IdempotencyKey.holder == claim.holder,
                    IdempotencyKey.status.is_(None),
                )
            )


async def _save(
    session: AsyncSession, claim: _Claim, recorded: Recorded, *, context: RequestContext
) -> None:
    statement = update(IdempotencyKey).where(
        IdempotencyKey.digest == claim.digest,
        IdempotencyKey.holder == claim.holder,
        IdempotencyKey.status.is_(None),
    )
    if not await spend(session, statement.values(**_kept(recorded, context))):
        msg = "This request took too long, and a repeat of it has taken over."
        raise ConflictError(msg)


def _kept(recorded: Recorded, context: RequestContext) -> dict[str, Any]:
    """Give the columns of an answer; secrets and what is too long are not kept."""
    own = [*recorded.start.get("headers", ()), *context.extra_headers]
    headers = [(name, value) for name, value in own if name in _KEPT_HEADERS]
    secret = any(name == b"cache-control" and b"no-store" in value for name, value in headers)
    return {
        "status": recorded.status,
        "headers": b"\n".join(name + b":" + value for name, value in headers),
        "body": None if secret or recorded.too_long else b"".join(recorded.chunks),
    }


def _fingerprint(body: bytes, scope: Scope) -> str:
    context: RequestContext = scope[SCOPE_KEY]
    text = hashlib.sha256(body)
    text.update(b"\n" + scope["query_string"])
    text.update(b"\n" + context.headers.get(b"content-type", b""))
    return text.hexdigest()


def _kept_answer(row: IdempotencyKey) -> tuple[Message, Message]:
    """Give the answer that the first request got.

    Raises:
        ConflictError: it was not kept.
    """
    if row.body is None:
        msg = "This request was carried out. Its answer held secrets or was long: it was not kept."
        raise ConflictError(msg)
    lines = [line.partition(b":") for line in (row.headers or b"").split(b"\n") if line]
    headers = [(name, value) for name, _, value in lines]
    headers.append((b"idempotent-replayed", b"true"))
    if row.status not in _WITHOUT_BODY:
        headers.append((b"content-length", str(len(row.body)).encode()))
    start = {"type": "http.response.start", "status": row.status, "headers": headers}
    return start, {"type": "http.response.body", "body": row.body}


async def purge_expired(session: AsyncSession) -> int:
    """Delete keys past their time; gives how many."""
    outdated = select(IdempotencyKey.digest).where(IdempotencyKey.expires_at < now()).limit(1000)
    digests = list(await session.scalars(outdated))
    if digests:
        await session.execute(delete(IdempotencyKey).where(IdempotencyKey.digest.in_(digests)))
    return len(digests)

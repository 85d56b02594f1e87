"""Idempotency keys (draft-ietf-httpapi-idempotency-key-header): a repeat gets the first answer.

The saved answer is written in the request's own transaction, so that it is there exactly if the
request's effects are. A running request holds a lease on its key; once that has run out, a repeat
takes the key over, and the first one can no longer commit.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import Index, LargeBinary, SmallInteger, String, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from mainstay.core.db.base import Base, Timestamp
from mainstay.core.db.single_use import spend
from mainstay.core.errors import (
    BadRequestError,
    ConflictError,
    IdempotencyInProgressError,
    IdempotencyKeyReusedError,
    NotAuthenticatedError,
)
from mainstay.core.http.context import SCOPE_KEY, RequestContext, ports_of
from mainstay.core.http.exchange import ERROR_STATUS
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
MAX_KEPT_BODY: Final = 1024 * 1024
_KEY: Final = re.compile(r'"?([\x21\x23-\x7e]{1,255})"?')
_SERVER_ERROR: Final = 500
_NOT_STORED: Final = frozenset({401, 409, 429})
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


@dataclass(slots=True)
class _Recorded:
    """An answer that is held back until it is whole; ``overflow`` once it is let go unrecorded."""

    start: Message | None = None
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0
    overflow: bool = False
    whole: bool = False


class _Recorder:
    """Takes the application's messages and holds them back."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.recorded = _Recorded()

    async def __call__(self, message: Message) -> None:
        recorded = self.recorded
        if recorded.overflow:
            await self._send(message)
        elif message["type"] == "http.response.start":
            self.recorded = _Recorded(start=message)
        elif message["type"] == "http.response.body":
            recorded.chunks.append(message.get("body", b""))
            recorded.size += len(message.get("body", b""))
            recorded.whole = not message.get("more_body", False)
            if recorded.size > MAX_KEPT_BODY:
                await self._let_go(more=not recorded.whole)

    async def _let_go(self, *, more: bool) -> None:
        recorded = self.recorded
        recorded.overflow = True
        if recorded.start is not None:
            await self._send(recorded.start)
        body = b"".join(recorded.chunks)
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def release(self) -> None:
        """Send what was held back."""
        if not self.recorded.overflow and self.recorded.start is not None:
            await self._let_go(more=False)


class Idempotency:
    """Serves requests that carry a key."""

    def __init__(self, units: Units) -> None:
        self._units = units

    async def serve(
        self,
        key: bytes,
        body: bytes,
        scope: Scope,
        exchange: Exchange,
        run: Callable[[Send], Awaitable[None]],
    ) -> None:
        """Run the request once, or answer as it was answered before.

        Raises:
            IdempotencyKeyReusedError: the key came with another request.
            IdempotencyInProgressError: the first request is still running.
            ConflictError: it was carried out, and its answer held secrets.
        """
        context: RequestContext = scope[SCOPE_KEY]
        digest = await self._digest(parse_key(key), scope, context)
        fingerprint = _fingerprint(body, scope, context)
        holder = new_id()
        saved = await self._claim(digest, fingerprint, holder)
        if saved is not None:
            await _repeat(saved, exchange)
            return
        context.idempotent = True
        recorder = _Recorder(exchange.send)
        try:
            await run(recorder)
            await self._finish(digest, holder, recorder, context)
        except BaseException:
            if not exchange.status:
                await self._forget(digest, holder, context)
            raise

    async def _digest(self, key: str, scope: Scope, context: RequestContext) -> str:
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

    async def _claim(self, digest: str, fingerprint: str, holder: str) -> IdempotencyKey | None:
        """Take the key, or give the row of an answered request."""
        moment = now()
        values = {
            "digest": digest,
            "fingerprint": fingerprint,
            "holder": holder,
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

    async def _finish(
        self, digest: str, holder: str, recorder: _Recorder, context: RequestContext
    ) -> None:
        recorded = recorder.recorded
        status = recorded.start["status"] if recorded.start else 500
        storable = status < _SERVER_ERROR and status not in _NOT_STORED
        if not storable or recorded.overflow or not recorded.whole:
            if not recorded.overflow:
                await self._forget(digest, holder, context)
            await recorder.release()
            return
        if status < ERROR_STATUS:
            await self._save(context.unit.session, digest, holder, recorded)
        else:
            if context.opened_unit is not None:
                await context.opened_unit.rollback()
            async with self._units.transaction() as session:
                await self._save(session, digest, holder, recorded)
        await recorder.release()

    async def _save(
        self, session: AsyncSession, digest: str, holder: str, recorded: _Recorded
    ) -> None:
        start = recorded.start or {}
        headers = [(k, v) for k, v in start.get("headers", ()) if k in _KEPT_HEADERS]
        secret = any(k == b"cache-control" and b"no-store" in v for k, v in headers)
        saved = await spend(
            session,
            update(IdempotencyKey)
            .where(IdempotencyKey.digest == digest, IdempotencyKey.holder == holder)
            .values(
                status=start["status"],
                headers=b"\n".join(k + b":" + v for k, v in headers),
                body=None if secret else b"".join(recorded.chunks),
            ),
        )
        if not saved:
            msg = "This request took too long, and a repeat of it has taken over."
            raise ConflictError(msg)

    async def _forget(self, digest: str, holder: str, context: RequestContext) -> None:
        """Free the key, so that a repeat runs again."""
        if context.opened_unit is not None:
            await context.opened_unit.rollback()
        async with self._units.transaction() as session:
            await session.execute(
                delete(IdempotencyKey).where(
                    IdempotencyKey.digest == digest, IdempotencyKey.holder == holder
                )
            )


def _fingerprint(body: bytes, scope: Scope, context: RequestContext) -> str:
    text = hashlib.sha256(body)
    text.update(b"\n" + scope["query_string"])
    text.update(b"\n" + context.headers.get(b"content-type", b""))
    return text.hexdigest()


async def _repeat(row: IdempotencyKey, exchange: Exchange) -> None:
    """Answer as the first request was answered."""
    if row.body is None:
        msg = "This request was carried out. Its answer held secrets, so that it was not kept."
        raise ConflictError(msg)
    lines = [line.partition(b":") for line in (row.headers or b"").split(b"\n") if line]
    headers = [(name, value) for name, _, value in lines]
    headers += [
        (b"content-length", str(len(row.body)).encode()),
        (b"idempotent-replayed", b"true"),
    ]
    await exchange.send({"type": "http.response.start", "status": row.status, "headers": headers})
    await exchange.send({"type": "http.response.body", "body": row.body})


async def purge_expired(session: AsyncSession) -> int:
    """Delete keys past their time; gives how many."""
    outdated = select(IdempotencyKey.digest).where(IdempotencyKey.expires_at < now()).limit(1000)
    digests = list(await session.scalars(outdated))
    if digests:
        await session.execute(delete(IdempotencyKey).where(IdempotencyKey.digest.in_(digests)))
    return len(digests)

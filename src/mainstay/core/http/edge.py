"""The edge: the one layer around the application that every request passes.

It gives the request its id, its real caller and its bounded body; it owns the request's one
transaction, which commits before the answer leaves; it turns every exception into a problem, and
replays what a transient failure undid.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.requests import ClientDisconnect

from mainstay.core.db.unit import MAX_TRIES
from mainstay.core.errors import ProblemError
from mainstay.core.http import body as bodies
from mainstay.core.http import guards
from mainstay.core.http.context import SCOPE_KEY, RequestContext
from mainstay.core.http.exchange import Exchange, StandardHeaders
from mainstay.core.origin import Origin, reset_origin, set_origin
from mainstay.kit.request_ids import accept_request_id

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Receive, Scope, Send

    from mainstay.core.db.unit import Units
    from mainstay.core.http.cors import Cors
    from mainstay.core.http.failures import Failures
    from mainstay.core.http.idempotency import Idempotency
    from mainstay.core.http.proxy import Proxies
    from mainstay.core.logging import AccessLog


_REPLAYABLE: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeParts:
    """What the edge works with. ``unguarded`` paths are served to any host (probes)."""

    units: Units
    failures: Failures
    idempotency: Idempotency
    proxies: Proxies
    hosts: guards.Hosts
    cors: Cors
    access_log: AccessLog
    max_body_size: int
    https: bool
    unguarded: Collection[str]


class Edge:
    """Pure ASGI; wraps the whole application."""

    def __init__(self, app: ASGIApp, parts: EdgeParts) -> None:
        self._app = app
        self._parts = parts
        self._standard = StandardHeaders(https=parts.https, cors=parts.cors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        context = self._open(scope)
        token = set_origin(context.origin)
        try:
            if scope["type"] == "http":
                await self._http(scope, receive, Exchange(context, send, self._standard))
            else:
                await self._websocket(scope, receive, send)
        finally:
            if context.opened_unit is not None:
                await context.opened_unit.close()
            reset_origin(token)

    def _open(self, scope: Scope) -> RequestContext:
        headers = dict(scope["headers"])
        client, agent = scope.get("client"), headers.get(b"user-agent")
        peer = client[0] if client else None
        proxies = self._parts.proxies
        context = RequestContext(
            method=scope.get("method", "WEBSOCKET"),
            headers=headers,
            origin=Origin(
                request_id=accept_request_id(headers.get(b"x-request-id")),
                ip=peer if proxies.none else proxies.apply(scope, peer),
                user_agent=agent[:300].decode("latin-1") if agent else None,
            ),
            peer=peer,
            units=self._parts.units,
            started=time.perf_counter(),
        )
        scope[SCOPE_KEY] = context
        return context

    async def _http(self, scope: Scope, receive: Receive, exchange: Exchange) -> None:
        context, path = exchange.context, scope["path"]
        try:
            self._guard(scope, context)
            if context.method == "OPTIONS" and b"access-control-request-method" in context.headers:
                await self._preflight(exchange)
            else:
                await self._serve(scope, receive, exchange)
        except (bodies.ClientGoneError, ClientDisconnect):
            return
        except Exception as error:  # noqa: BLE001 - the last place where anything is caught
            await self._fail(error, exchange, scope=scope, receive=receive)
        finally:
            self._parts.access_log.write(context, path, exchange.status)

    def _guard(self, scope: Scope, context: RequestContext) -> None:
        guards.check_method(context.method)
        guards.check_sizes(scope, scope["headers"])
        if len(context.headers) < len(scope["headers"]):
            guards.check_repeated(scope["headers"])
        if scope["path"] not in self._parts.unguarded:
            self._parts.hosts.check(context.headers.get(b"host"))

    async def _preflight(self, exchange: Exchange) -> None:
        context = exchange.context
        context.extra_headers += self._parts.cors.preflight(context.headers.get(b"origin"))
        await exchange.answer_empty(204)

    async def _serve(self, scope: Scope, receive: Receive, exchange: Exchange) -> None:
        context = exchange.context
        body, receive = await self._bounded(scope, context.headers, receive)
        key = context.headers.get(b"idempotency-key")
        if key is None or context.method not in {"POST", "PATCH"} or body is None:
            await self._attempts(scope, exchange, body=body, receive=receive)
            return

        async def attempts(send: Send) -> None:
            await self._attempts(scope, exchange, body=body, receive=receive, send=send)

        await self._parts.idempotency.serve(key, exchange, scope=scope, body=body, run=attempts)

    async def _bounded(
        self, scope: Scope, headers: dict[bytes, bytes], receive: Receive
    ) -> tuple[bytes | None, Receive]:
        """Give the whole body, or None for one that is streamed, and how it is received."""
        limit = self._parts.max_body_size
        if not bodies.has_body(headers):
            unannounced = scope.get("http_version", "1.1")[:1] != "1"
            return b"", bodies.counting(receive, limit) if unannounced else receive
        length = bodies.content_length(headers)
        if length is not None and length > limit:
            raise bodies.too_large(limit)
        content_type = headers.get(b"content-type", b"")
        json = bodies.is_json(content_type)
        small = length is not None and length <= bodies.REPLAYABLE_BYTES
        if not json and (not small or content_type.startswith(b"multipart/")):
            return None, bodies.counting(receive, limit)
        body = await bodies.read_whole(receive, limit)
        if json:
            bodies.check_json(body)
        return body, receive

    async def _attempts(
        self,
        scope: Scope,
        exchange: Exchange,
        *,
        body: bytes | None,
        receive: Receive,
        send: Send | None = None,
    ) -> None:
        """Run the application, again where a transient failure undid a repeatable request.

        ``send`` takes its messages where the exchange does not.
        """
        context = exchange.context
        repeatable = body is not None and (context.idempotent or context.method in _REPLAYABLE)
        tries = MAX_TRIES if repeatable else 1
        for tried in range(1, tries + 1):
            untouched = body is None or (not body and tried == 1)
            source = receive if untouched else bodies.replaying(body or b"", receive)
            try:
                await self._app(dict(scope), source, send or exchange.send)
            except Exception as error:  # noqa: BLE001 - all but what is tried again is raised
                failure = exchange.failure or error
                if exchange.status or tried == tries or not exchange.was_undone(failure):
                    raise failure  # noqa: B904 - it is what is behind the error
            else:
                return
            await self._undo(exchange)
            await asyncio.sleep(random.uniform(0.01, 0.05) * tried)  # noqa: S311 - jitter

    async def _undo(self, exchange: Exchange) -> None:
        unit = exchange.context.opened_unit
        exchange.context.begin_again()
        exchange.failure = None
        if unit is not None:
            await unit.close()

    async def _fail(
        self, error: Exception, exchange: Exchange, *, scope: Scope, receive: Receive
    ) -> None:
        """Answer a failure; where that fails as well, that."""
        if exchange.status:
            self._parts.failures.log(error, exchange.context)
            raise error
        try:
            await self._answer_failure(error, exchange, scope=scope, receive=receive)
        except Exception as second:
            if exchange.status:
                raise
            await self._undo(exchange)
            problem = self._parts.failures.problem(second, exchange.context)
            await exchange.answer(problem, scope["path"])

    async def _answer_failure(
        self, error: Exception, exchange: Exchange, *, scope: Scope, receive: Receive
    ) -> None:
        failures, context = self._parts.failures, exchange.context
        exchange.failure = None
        custom = failures.custom_handler(error, context)
        if custom is None:
            await exchange.answer(failures.problem(error, context), scope["path"])
            return
        if context.opened_unit is not None:
            await context.opened_unit.rollback()
        await failures.answer_custom(custom, exchange, scope=scope, receive=receive)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._parts.hosts.check(scope[SCOPE_KEY].headers.get(b"host"))
            await self._app(scope, receive, send)
        except ProblemError as error:
            await send(
                {"type": "websocket.close", "code": 4000 + error.status, "reason": error.code}
            )

"""The layer that counts requests, tells callers their quota, and refuses what is above it.

Header fields as in draft-ietf-httpapi-ratelimit-headers (structured fields, RFC 9651).
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from mainstay.core.errors import RateLimitedError
from mainstay.core.http.context import SCOPE_KEY, RequestContext
from mainstay.core.http.proxy import parse_address
from mainstay.features.ratelimit.paths import Paths, routed
from mainstay.features.ratelimit.rates import policy_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from mainstay.core.principal import PrincipalResolver
    from mainstay.core.ratelimit import Decision, Policy, RateLimiter
    from mainstay.features.ratelimit.settings import RateLimitSettings

QUOTA_EXCEEDED: Final = "https://iana.org/assignments/http-problem-types#quota-exceeded"
_HOST_BITS: Final = 64


class _Announced:
    """A policy with its parts of the header fields, made once."""

    __slots__ = ("field", "item", "limit", "policy")

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.item = b'"%s";q=%d;w=%d' % (policy.name.encode(), policy.quota, policy.window)
        self.field = (b"ratelimit-policy", self.item)
        self.limit = b'"%s";r=%%d;t=%%d' % policy.name.encode()


class RateLimits:
    """Pure ASGI; counts HTTP requests by user or address, and credentials by address besides."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        limiter: RateLimiter,
        settings: RateLimitSettings,
        resolver: PrincipalResolver | None,
        prefix: str,
    ) -> None:
        self._app = app
        self._limiter = limiter
        self._resolver = resolver
        self._paths = Paths(prefix)
        self._legacy = settings.RATE_LIMIT_LEGACY_HEADERS
        self._user = _Announced(policy_of("user", settings.RATE_LIMIT_AUTHENTICATED))
        self._anonymous = _Announced(policy_of("anonymous", settings.RATE_LIMIT_UNAUTHENTICATED))
        self._auth = _Announced(policy_of("auth", settings.RATE_LIMIT_AUTH_ENDPOINTS))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection.

        Raises:
            RateLimitedError: the caller has used up a quota.
        """
        if scope["type"] == "http" and scope["method"] != "OPTIONS":
            path = routed(scope)
            context: RequestContext = scope[SCOPE_KEY]
            if not self._paths.is_free(path) and not _counted_before(context):
                if scope["method"] == "POST" and self._paths.takes_credentials(path):
                    self._count_credential(context)
                else:
                    self._count(context)
        await self._app(scope, receive, send)

    def _count(self, context: RequestContext) -> None:
        announced, key = self._caller(context)
        decision = self._limiter.hit(announced.policy, key)
        self._announce(context, announced.field, announced=announced, decision=decision)

    def _count_credential(self, context: RequestContext) -> None:
        """Count under both policies; what the stricter one refuses costs nothing of the other."""
        general, key = self._caller(context)
        field = (b"ratelimit-policy", general.item + b", " + self._auth.item)
        strict = self._limiter.hit(self._auth.policy, _network(context.client_ip))
        if not strict.allowed:
            self._announce(context, field, announced=self._auth, decision=strict)
        decision = self._limiter.hit(general.policy, key)
        if decision.allowed and strict.remaining <= decision.remaining:
            self._announce(context, field, announced=self._auth, decision=strict)
        else:
            self._announce(context, field, announced=general, decision=decision)

    def _caller(self, context: RequestContext) -> tuple[_Announced, str]:
        token = context.bearer()
        if token is not None and self._resolver is not None:
            subject = self._resolver.subject(token)
            if subject is not None:
                return self._user, subject
        return self._anonymous, _network(context.client_ip)

    def _announce(
        self,
        context: RequestContext,
        field: tuple[bytes, bytes],
        *,
        announced: _Announced,
        decision: Decision,
    ) -> None:
        """Add the headers to the answer, and refuse where the decision says so."""
        limit = announced.limit % (decision.remaining, decision.reset)
        context.extra_headers += (field, (b"ratelimit", limit))
        if self._legacy:
            context.extra_headers += _legacy(announced.policy, decision)
        if not decision.allowed:
            raise _refusal(announced.policy, decision)


def _counted_before(context: RequestContext) -> bool:
    """Say whether this is the replay of a request that a transient failure undid."""
    added = context.extra_headers
    return bool(added) and any(name == b"ratelimit" for name, _ in added)


def _network(ip: str | None) -> str:
    """Give what an anonymous caller is counted by: the IPv4 address, or the /64 of an IPv6 one."""
    if ip is None:
        return ""
    return ip if ":" not in ip else _network_of_six(ip)


@lru_cache(maxsize=4096)
def _network_of_six(ip: str) -> str:
    address = parse_address(ip)
    if address is None or address.version != 6:  # noqa: PLR2004
        return ip if address is None else str(address)
    return f"{int(address) >> _HOST_BITS:x}/64"


def _legacy(policy: Policy, decision: Decision) -> list[tuple[bytes, bytes]]:
    reset = int(time.time()) + decision.reset
    return [
        (b"x-ratelimit-limit", b"%d" % policy.quota),
        (b"x-ratelimit-remaining", b"%d" % decision.remaining),
        (b"x-ratelimit-reset", b"%d" % reset),
    ]


def _refusal(policy: Policy, decision: Decision) -> RateLimitedError:
    error = RateLimitedError(
        f"The limit is {policy.quota} requests in {policy.window} s. "
        f"Try again in {decision.reset} s.",
        headers={"Retry-After": str(decision.reset)},
    )
    error.type_uri = QUOTA_EXCEEDED
    error.members["violated-policies"] = [policy.name]
    return error

"""The rate limits as a caller meets them: through the edge, with real headers."""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, Depends, Request
from sqlalchemy.exc import OperationalError

from mainstay.app import create_app
from mainstay.core.auth import public
from mainstay.core.feature import Feature, Mount
from mainstay.core.ports import Provide
from mainstay.core.principal import Principal, PrincipalResolver
from mainstay.core.ratelimit import RateLimiter
from mainstay.features import BUILT_IN
from mainstay.features.ratelimit.limiter import LocalRateLimiter
from mainstay.features.ratelimit.middleware import RateLimits
from mainstay.features.ratelimit.settings import RateLimitSettings

ITEM = re.compile(r'"([\x20\x21\x23-\x5b\x5d-\x7e]*)"((?:;[a-z*][a-z0-9_.*-]*=[0-9]{1,15})*)')


class Clock:
    def __init__(self) -> None:
        self.now = 5000.0

    def __call__(self) -> float:
        return self.now


class Resolver:
    """Knows the tokens ``good-<id>``."""

    async def resolve(self, token: str) -> Principal:
        return Principal(id=token)

    def subject(self, token: str) -> str | None:
        return token.removeprefix("good-") if token.startswith("good-") else None


class Stack:
    """An application of nothing but the limits, and a route for every path that counts calls."""

    def __init__(self, *, resolver: Any = None, **settings: Any) -> None:
        self.clock = Clock()
        self.served: list[str] = []
        self.failing: list[Exception] = []
        router = APIRouter()
        router.api_route(
            "/{path:path}",
            methods=["GET", "POST", "OPTIONS"],
            dependencies=[Depends(public)],
            include_in_schema=False,
        )(self._answer)
        provides: list[Provide[Any]] = [
            Provide(RateLimiter, lambda _: LocalRateLimiter(clock=self.clock), replaces=True)
        ]
        if resolver is not None:
            provides.append(Provide(PrincipalResolver, lambda _: resolver))
        everything = Feature(
            name="everything",
            routers=(Mount(router=router, at="root"),),
            provides=tuple(provides),
        )
        self.app = create_app(
            [everything],
            disable=set(BUILT_IN) - {"ratelimit"},
            environ={
                "SECRET_KEY": "p9Zx4Lr7Qm2Vt8Wn5Bk3Hs6Jd1Fg0Cy-XaUeIoTb",
                "CORS_ORIGINS": "https://app.example",
                **settings,
            },
            env_file=Path(os.devnull),
        )

    async def _answer(self, request: Request) -> None:
        if self.failing:
            raise self.failing.pop()
        self.served.append(request.url.path)

    def call(
        self,
        path: str = "/api/v1/things",
        method: str = "GET",
        *,
        ip: str = "203.0.113.9",
        **more: Any,
    ) -> httpx2.Response:
        async def run() -> httpx2.Response:
            transport = httpx2.ASGITransport(
                app=self.app, client=(ip, 4000), root_path=more.pop("root_path", "")
            )
            async with httpx2.AsyncClient(transport=transport, base_url="http://t") as client:
                return await client.request(method, path, **more)

        return asyncio.run(run())

    def statuses(self, count: int, *arguments: Any, **more: Any) -> list[int]:
        return [self.call(*arguments, **more).status_code for _ in range(count)]


def as_items(field: str) -> dict[str, dict[str, int]]:
    """Parse a structured-field list of strings with integer parameters (RFC 9651)."""
    items = {}
    for part in field.split(", "):
        match = ITEM.fullmatch(part)
        assert match is not None, part
        pairs = [pair.split("=") for pair in match[2].split(";")[1:]]
        items[match[1]] = {name: int(value) for name, value in pairs}
    return items


def bearer(user: str) -> dict[str, str]:
    return {"headers": {"Authorization": f"Bearer good-{user}"}}  # type: ignore[dict-item]


def test_an_address_is_refused_above_its_quota() -> None:
    stack = Stack(RATE_LIMIT_UNAUTHENTICATED="3/min")
    assert stack.statuses(5) == [200, 200, 200, 429, 429]
    assert len(stack.served) == 3
    assert stack.call(ip="203.0.113.10").status_code == 200
    stack.clock.now += 60
    assert stack.call().status_code == 200


def test_J4_a_refusal_tells_when_to_come_back_and_is_not_cached() -> None:
    stack = Stack(RATE_LIMIT_UNAUTHENTICATED="1/min")
    stack.call()
    stack.clock.now += 12.5
    refused = stack.call()
    limit = as_items(refused.headers["ratelimit"])
    assert int(refused.headers["retry-after"]) >= limit["anonymous"]["t"] == 48
    assert refused.headers["cache-control"] == "no-store"
    stack.clock.now += int(refused.headers["retry-after"])
    assert stack.call().status_code == 200


def test_a_refusal_is_a_problem_that_names_the_policy() -> None:
    stack = Stack(RATE_LIMIT_UNAUTHENTICATED="1/min")
    stack.call()
    refused = stack.call()
    problem = refused.json()
    assert refused.headers["content-type"] == "application/problem+json"
    assert problem["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert problem["code"] == "rate_limited"
    assert problem["status"] == 429
    assert problem["violated-policies"] == ["anonymous"]
    assert problem["request_id"] == refused.headers["x-request-id"]


def test_J5_the_headers_are_structured_fields_with_matching_names() -> None:
    stack = Stack(RATE_LIMIT_UNAUTHENTICATED="20/min")
    for left in (19, 18):
        answer = stack.call()
        policies = as_items(answer.headers["ratelimit-policy"])
        limits = as_items(answer.headers["ratelimit"])
        assert policies == {"anonymous": {"q": 20, "w": 60}}
        assert limits == {"anonymous": {"r": left, "t": 60}}


def test_a_user_is_counted_by_the_token_wherever_they_are() -> None:
    stack = Stack(resolver=Resolver(), RATE_LIMIT_AUTHENTICATED="2/min")
    assert stack.call(ip="203.0.113.1", **bearer("ada")).status_code == 200
    second = stack.call(ip="203.0.113.2", **bearer("ada"))
    assert as_items(second.headers["ratelimit"]) == {"user": {"r": 0, "t": 60}}
    assert stack.call(ip="203.0.113.3", **bearer("ada")).status_code == 429
    assert stack.call(ip="203.0.113.3", **bearer("bo")).status_code == 200
    assert stack.call(ip="203.0.113.3").status_code == 200


@pytest.mark.parametrize("value", ["Bearer nonsense", "Basic Zm9vOmJhcg==", "Bearer ", "good-ada"])
def test_a_token_that_is_no_good_does_not_buy_a_users_quota(value: str) -> None:
    stack = Stack(resolver=Resolver(), RATE_LIMIT_UNAUTHENTICATED="1/min")
    assert stack.statuses(2, headers={"Authorization": value}) == [200, 429]


def test_without_a_resolver_everybody_is_counted_by_address() -> None:
    stack = Stack(RATE_LIMIT_UNAUTHENTICATED="1/min")
    assert stack.statuses(2, **bearer("ada")) == [200, 429]


@pytest.mark.parametrize(
    "name",
    [
        "register",
        "login",
        "verify-2fa",
        "forgot-password",
        "reset-password",
        "verify-email",
        "resend-verification",
        "login/",
    ],
)
def test_credentials_have_a_limit_of_their_own(name: str) -> None:
    stack = Stack(RATE_LIMIT_AUTH_ENDPOINTS="2/min")
    path = f"/api/v1/auth/{name}"
    assert stack.statuses(3, path, "POST") == [200, 200, 429]
    assert stack.call(path, "GET").status_code == 200
    assert stack.call("/api/v1/auth/me").status_code == 200
    refused = stack.call(path, "POST")
    assert refused.json()["violated-policies"] == ["auth"]
    assert as_items(refused.headers["ratelimit"]) == {"auth": {"r": 0, "t": 60}}


def test_the_credential_limit_is_by_address_also_for_the_signed_in() -> None:
    stack = Stack(resolver=Resolver(), RATE_LIMIT_AUTH_ENDPOINTS="2/min")
    path = "/api/v1/auth/login"
    users = [stack.call(path, "POST", **bearer(u)).status_code for u in ("ada", "bo", "cy")]
    assert users == [200, 200, 429]


def test_credentials_count_under_the_general_limit_too_and_all_policies_are_listed() -> None:
    stack = Stack(RATE_LIMIT_UNAUTHENTICATED="3/min", RATE_LIMIT_AUTH_ENDPOINTS="2/min")
    path = "/api/v1/auth/login"
    first = stack.call(path, "POST")
    assert as_items(first.headers["ratelimit-policy"]) == {
        "anonymous": {"q": 3, "w": 60},
        "auth": {"q": 2, "w": 60},
    }
    assert as_items(first.headers["ratelimit"]) == {"auth": {"r": 1, "t": 60}}
    assert stack.statuses(3) == [200, 200, 429]
    refused = stack.call(path, "POST")
    assert refused.json()["violated-policies"] == ["anonymous"]
    assert as_items(refused.headers["ratelimit"]) == {"anonymous": {"r": 0, "t": 60}}


def test_a_refused_credential_costs_nothing_of_the_general_quota() -> None:
    stack = Stack(RATE_LIMIT_UNAUTHENTICATED="3/min", RATE_LIMIT_AUTH_ENDPOINTS="1/min")
    assert stack.statuses(9, "/api/v1/auth/login", "POST") == [200] + [429] * 8
    assert stack.statuses(3) == [200, 200, 429]


def test_a_root_path_hides_no_credentials() -> None:
    stack = Stack(RATE_LIMIT_AUTH_ENDPOINTS="1/min")
    path = "/shop/api/v1/auth/login"
    assert stack.statuses(2, path, "POST", root_path="/shop") == [200, 429]


@pytest.mark.parametrize(
    "path",
    [
        "/livez",
        "/readyz",
        "/up",
        "/health",
        "/health/",
        "/health/liveness",
        "/api/v1/health/readiness",
        "/health/database",
        "/health/db",
        "/health/cache",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/api/docs",
        "/api/redoc",
        "/api/v1/openapi.json",
        "/docs/swagger-ui.css",
        "/admin/static/app.css",
    ],
)
def test_probes_pages_and_assets_are_free(path: str) -> None:
    stack = Stack(RATE_LIMIT_UNAUTHENTICATED="1/min")
    answers = [stack.call(path) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "ratelimit" not in answers[0].headers


@pytest.mark.parametrize("path", ["/", "/healthy", "/api/v1/docs2", "/health/database/detailed"])
def test_all_else_counts(path: str) -> None:
    assert Stack(RATE_LIMIT_UNAUTHENTICATED="1/min").statuses(2, path) == [200, 429]


def test_options_are_free() -> None:
    stack = Stack(RATE_LIMIT_UNAUTHENTICATED="1/min")
    assert stack.statuses(3, method="OPTIONS") == [200, 200, 200]


def test_J13_spoofed_headers_buy_no_quota() -> None:
    stack = Stack(RATE_LIMIT_UNAUTHENTICATED="1/min")
    statuses = [
        stack.call(
            headers={"X-Forwarded-For": f"198.51.100.{n}", "X-Real-IP": "1.1.1.1"}
        ).status_code
        for n in range(3)
    ]
    assert statuses == [200, 429, 429]


def test_J13_behind_a_trusted_proxy_the_caller_counts_and_not_what_the_caller_adds() -> None:
    stack = Stack(TRUSTED_PROXIES="10.0.0.0/8", RATE_LIMIT_UNAUTHENTICATED="1/min")

    def through_proxy(forwarded: str) -> int:
        return stack.call(ip="10.0.0.4", headers={"X-Forwarded-For": forwarded}).status_code

    assert through_proxy("198.51.100.1") == 200
    assert through_proxy("9.9.9.9, 198.51.100.1") == 429
    assert through_proxy("198.51.100.2") == 200


def test_ipv6_callers_count_by_their_network() -> None:
    stack = Stack(RATE_LIMIT_UNAUTHENTICATED="1/min")
    assert stack.call(ip="2001:db8:1:2::1").status_code == 200
    assert stack.call(ip="2001:db8:1:2:ffff:ffff:ffff:ffff").status_code == 429
    assert stack.call(ip="2001:db8:1:3::1").status_code == 200


def test_an_ipv4_caller_is_the_same_on_an_ipv6_socket() -> None:
    stack = Stack(RATE_LIMIT_UNAUTHENTICATED="1/min")
    assert stack.call(ip="203.0.113.9").status_code == 200
    assert stack.call(ip="::ffff:203.0.113.9").status_code == 429
    assert stack.call(ip="::ffff:203.0.113.8").status_code == 200


def test_legacy_headers_come_when_asked_for() -> None:
    assert "x-ratelimit-limit" not in Stack().call().headers
    headers = (
        Stack(RATE_LIMIT_LEGACY_HEADERS="true", RATE_LIMIT_UNAUTHENTICATED="7/min").call().headers
    )
    assert headers["x-ratelimit-limit"] == "7"
    assert headers["x-ratelimit-remaining"] == "6"
    assert int(headers["x-ratelimit-reset"]) > 1_700_000_000


def test_the_replay_of_a_transient_failure_counts_once() -> None:
    stack = Stack(RATE_LIMIT_UNAUTHENTICATED="2/min")
    stack.failing = [transient(), transient()]
    answer = stack.call()
    assert answer.status_code == 200
    assert answer.headers.get_list("ratelimit") == ['"anonymous";r=1;t=60']
    assert stack.statuses(2) == [200, 429]


def test_browsers_may_read_the_headers() -> None:
    answer = Stack().call(headers={"Origin": "https://app.example"})
    exposed = answer.headers["access-control-expose-headers"]
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(exposed.split(", "))


def test_websockets_and_lifespans_pass() -> None:
    seen: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    limits = RateLimits(
        inner,
        limiter=LocalRateLimiter(),
        settings=RateLimitSettings(),
        resolver=None,
        prefix="/api/v1",
    )
    for kind in ("lifespan", "websocket"):
        asyncio.run(limits({"type": kind, "path": "/ws/a"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan", "websocket"]


def test_the_problem_tells_nothing_of_the_caller() -> None:
    stack = Stack(RATE_LIMIT_UNAUTHENTICATED="1/min")
    stack.call()
    assert "203.0.113.9" not in json.dumps(stack.call().json())


def transient() -> Exception:
    """A deadlock, as SQLAlchemy reports PostgreSQL's."""
    cause = Exception("deadlock detected")
    cause.sqlstate = "40P01"  # type: ignore[attr-defined]
    return OperationalError("UPDATE things", {}, cause)

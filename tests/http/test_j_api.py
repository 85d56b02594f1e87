"""How the HTTP API behaves: rows J1 to J5, J7 and J9 to J14 of the requirements."""

import re
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from sqlalchemy import text
from starlette.routing import compile_path

from mainstay import Feature, Mount, create_app, public
from mainstay.core.errors import ProblemError
from mainstay.core.http.access import routes_with_access
from mainstay.core.http.application import Application
from mainstay.core.http.conditional import check_if_match, tag_answer
from mainstay.core.http.context import context_of
from mainstay.core.http.docs_pages import problem_classes
from mainstay.core.settings import SettingsError
from mainstay.testing.backend import Backend, serving
from mainstay.testing.databases import TemplateDatabase

pytestmark = pytest.mark.anyio

Check = Callable[..., dict[str, Any]]
APP = "https://app.example.com"
SECRET = "hunter2-in-the-message"
router = APIRouter(prefix="/probe", dependencies=[Depends(public)])


@router.get("/errors/{code}", include_in_schema=False)
async def fail(code: str) -> None:
    kind = problem_classes()[code]
    error = kind.__new__(kind)
    ProblemError.__init__(error)  # some take arguments of their own
    raise error


@router.get("/broken")
async def broken() -> None:
    msg = f"SELECT * FROM users WHERE password = '{SECRET}'"
    raise RuntimeError(msg)


@router.get("/away")
async def away() -> RedirectResponse:
    return RedirectResponse("/docs", status_code=303)


@router.post("/nothing", status_code=204)
async def nothing() -> None:
    return None


@router.get("/stream")
async def stream() -> StreamingResponse:
    return StreamingResponse(iter([b"one", b"two"]), media_type="text/plain")


@router.get("/own-headers")
async def own_headers() -> Response:
    own = {"Referrer-Policy": "same-origin", "Content-Security-Policy": "default-src 'self'"}
    return Response("{}", headers={**own, "Cache-Control": "public, max-age=60"})


@router.get("/caller")
async def caller(request: Request) -> dict[str, str | None]:
    client = request.client.host if request.client else None
    ip = context_of(request.scope).client_ip
    return {"client": client, "ip": ip, "scheme": request.url.scheme}


@router.put("/versioned")
async def versioned(request: Request) -> dict[str, str]:
    check_if_match(request, 7, required=True)
    tag_answer(request, 8)
    return {"is": "changed"}


@pytest.fixture(scope="session")
def migrated_database(sqlite_only: TemplateDatabase) -> TemplateDatabase:
    return sqlite_only


@pytest.fixture
def make_app(environ: dict[str, str], tmp_path: Path) -> Callable[[], Application]:
    feature = Feature(name="probe", routers=(Mount(router=router, at="root"),))
    return lambda: create_app([feature], environ=environ, env_file=tmp_path / ".env")


# J1


async def test_J1_every_error_of_the_catalogue_is_a_problem(
    backend: Backend, problem_of: Check
) -> None:
    for code, kind in problem_classes().items():
        answer = await backend.client.get(f"/probe/errors/{code}")
        document = problem_of(answer, kind.status, code)
        assert document["title"] == kind.title
        assert document["instance"] == f"/probe/errors/{code}"
        page = await backend.client.get(document["type"])
        assert page.status_code == 200, code
        assert code in page.text


async def test_J1_the_catalogue_has_a_code_for_each_class() -> None:
    ours = {kind for kind in ProblemError.catalogue() if kind.__module__.startswith("mainstay.")}
    codes = {kind.code for kind in ours if kind.type_uri != "about:blank"}
    assert codes == set(problem_classes())
    assert all(400 <= kind.status < 600 for kind in ours)


REFUSALS: list[tuple[str, str, dict[str, Any], int, str | None]] = [
    ("GET", "/nowhere", {}, 404, "not_found"),
    ("GET", "/api/v1/nowhere/at/all", {}, 404, "not_found"),
    ("DELETE", "/health", {}, 405, "method_not_allowed"),
    ("GET", "/api/v1/users/me", {}, 401, "not_authenticated"),
    ("POST", "/api/v1/auth/login", {"content": b"{"}, 415, "unsupported_media_type"),
    ("POST", "/api/v1/auth/login", {"json": {}}, 422, "validation_failed"),
    ("POST", "/api/v1/auth/refresh", {"json": {"refresh_token": "x"}}, 401, None),
    ("POST", "/api/v1/auth/verify-email", {"json": {"token": "x"}}, 400, "token_invalid"),
    ("GET", "/docs/problems/nonsense", {}, 404, "not_found"),
    ("GET", "/docs/assets/nonsense.js", {}, 404, "not_found"),
]


async def test_J1_refusals_of_every_layer_are_problems(backend: Backend, problem_of: Check) -> None:
    for method, path, options, status, code in REFUSALS:
        answer = await backend.client.request(method, path, **options)
        assert problem_of(answer, status, code)["instance"] == path


@pytest.mark.parametrize(
    "settings", [{}, {"ENVIRONMENT": "staging"}], ids=["development", "staging"]
)
async def test_J1_a_fault_of_ours_tells_nothing(
    backend: Backend, problem_of: Check, settings: dict[str, str]
) -> None:
    headers = {"X-Forwarded-For": "203.0.113.9"}
    answer = await backend.client.get("/probe/broken", headers=headers)
    document = problem_of(answer, 500, "internal_error")
    assert set(document) == {
        "type", "title", "status", "code", "detail", "instance", "request_id"
    }  # fmt: skip
    for word in (SECRET, "SELECT", "RuntimeError", "Traceback", ".py"):
        assert word not in answer.text


async def test_J1_a_head_request_gets_the_problem_without_its_body(backend: Backend) -> None:
    for path in ("/nowhere", "/api/v1/users/me", "/probe/errors/gone", "/probe/broken"):
        full = await backend.client.get(path)
        answer = await backend.client.head(path)
        assert answer.status_code == full.status_code
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.content == b""


# J2


async def test_J2_every_401_names_the_scheme(backend: Backend, problem_of: Check) -> None:
    account = await backend.register()
    spent = await backend.client.post(f"{backend.api}/auth/logout", headers=account.headers)
    assert spent.status_code == 204
    for headers in (
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": "Bearer"},
        account.headers,
    ):
        answer = await backend.client.get(f"{backend.api}/users/me", headers=headers)
        problem_of(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    body = {"username_or_email": account.email, "password": "something-else"}
    answer = await backend.client.post(f"{backend.api}/auth/login", json=body)
    problem_of(answer, 401, "invalid_credentials")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_J2_a_403_is_for_the_signed_in(backend: Backend, problem_of: Check) -> None:
    account = await backend.register()
    answer = await backend.client.get(f"{backend.api}/users", headers=account.headers)
    assert problem_of(answer, 403, "permission_denied")["required"] == ["users:read"]
    assert "www-authenticate" not in answer.headers


# J3


async def test_J3_405_lists_what_is_allowed(backend: Backend, problem_of: Check) -> None:
    routes = [(compile_path(p)[0], p, m) for p, m, _ in routes_with_access(backend.app)]
    for path in {path for _, path, _ in routes}:
        concrete = path.replace("{", "").replace("}", "")
        served = {m for regex, _, methods in routes if regex.match(concrete) for m in methods}
        served |= {"OPTIONS"} | ({"HEAD"} if "GET" in served else set())
        for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} - served:
            answer = await backend.client.request(method, concrete)
            assert answer.status_code == 405, (method, concrete)
            assert set(answer.headers["allow"].split(", ")) == served, concrete
            if method != "HEAD":
                problem_of(answer, 405, "method_not_allowed")


async def test_J3_other_methods_are_refused(backend: Backend, problem_of: Check) -> None:
    methods = ("TRACE", "CONNECT", "TRACK", "PROPFIND", "get")
    for method, path in product(methods, ("/", "/health", "/api/v1/users/me")):
        request = httpx2.Request("GET", f"http://127.0.0.1{path}")
        request.method = method
        answer = await backend.client.send(request)
        problem_of(answer, 405, "method_not_allowed")
        assert method not in answer.headers["allow"]


async def test_J3_safe_methods_change_nothing(backend: Backend) -> None:
    account = await backend.user("superadmin")
    links = (await backend.mailbox())[0]["links"]
    token = links[0].partition("token=")[2]
    before = await _everything(backend)
    for path, methods, _ in routes_with_access(backend.app):
        if "GET" not in methods or path in {"/probe/broken", "/probe/errors/{code}"}:
            continue
        concrete = path.replace("{user_id}", account.id).replace("{", "").replace("}", "")
        for method in ("GET", "HEAD"):
            answer = await backend.client.request(
                method, concrete, params={"token": token}, headers=account.headers
            )
            assert answer.status_code < 500, concrete
    assert await _everything(backend) == before


async def _everything(backend: Backend) -> dict[str, list[Any]]:
    """Give all rows of all tables, but for when a session was last seen."""
    async with backend.assembly.database.engine.connect() as connection:
        names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        tables = (await connection.execute(text(names))).scalars().all()
        rows = {}
        for table in tables:
            found = (await connection.execute(text(f"SELECT * FROM {table}"))).mappings()
            rows[table] = [
                {k: v for k, v in row.items() if (table, k) != ("sessions", "last_seen_at")}
                for row in found
            ]
    return rows


# J4 and J5

LIMITS = {"RATE_LIMIT_ENABLED": "true", "RATE_LIMIT_UNAUTHENTICATED": "2/min"}
POLICY = r'"[a-z]+";q=[1-9][0-9]*;w=[1-9][0-9]*'
LIMIT = r'"[a-z]+";r=[0-9]+;t=[0-9]+'


def _parameters(field: str) -> dict[str, dict[str, int]]:
    items = [item.split(";") for item in field.split(", ")]
    return {
        name.strip('"'): {k: int(v) for k, _, v in (p.partition("=") for p in parameters)}
        for name, *parameters in items
    }


@pytest.mark.parametrize("settings", [LIMITS])
async def test_J4_429_says_when_to_come_back(backend: Backend, problem_of: Check) -> None:
    for _ in range(2):
        assert (await backend.client.get("/probe/stream")).status_code == 200
    answer = await backend.client.get("/probe/stream")
    document = problem_of(answer, 429, "rate_limited")
    assert document["violated-policies"] == ["anonymous"]
    limit = _parameters(answer.headers["ratelimit"])["anonymous"]
    assert limit["r"] == 0
    assert int(answer.headers["retry-after"]) >= limit["t"] > 0
    assert answer.headers["cache-control"] == "no-store"


async def test_J4_428_and_431_are_not_cached_either(backend: Backend, problem_of: Check) -> None:
    answer = await backend.client.put("/probe/versioned")
    problem_of(answer, 428, "precondition_required")
    assert answer.headers["cache-control"] == "no-store"
    answer = await backend.client.get("/probe/stream", headers={"X-Long": "x" * 40_000})
    problem_of(answer, 431, "headers_too_large")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("settings", [LIMITS])
async def test_J5_rate_limit_fields_are_structured_and_agree(backend: Backend) -> None:
    for path, method in (("/probe/stream", "GET"), (f"{backend.api}/auth/login", "POST")):
        answer = await backend.client.request(method, path, json={})
        policies = _parameters(answer.headers["ratelimit-policy"])
        limits = _parameters(answer.headers["ratelimit"])
        assert re.fullmatch(f"{POLICY}(, {POLICY})*", answer.headers["ratelimit-policy"])
        assert re.fullmatch(LIMIT, answer.headers["ratelimit"])
        assert set(limits) <= set(policies)
        for name, limit in limits.items():
            assert limit["r"] <= policies[name]["q"]
            assert limit["t"] <= policies[name]["w"]


# J7


async def test_J7_a_stale_write_is_refused(backend: Backend, problem_of: Check) -> None:
    account = await backend.register()
    me = f"{backend.api}/users/me"
    first = await backend.client.get(me, headers=account.headers)
    stale = first.headers["etag"]
    assert stale.startswith('"')
    headers = {**account.headers, "If-Match": stale}
    changed = await backend.client.patch(me, json={"first_name": "Ada"}, headers=headers)
    assert changed.status_code == 200
    assert changed.headers["etag"] != stale
    refused = await backend.client.patch(me, json={"first_name": "Eve"}, headers=headers)
    problem_of(refused, 412, "precondition_failed")
    assert refused.headers["etag"] == changed.headers["etag"]
    now = await backend.client.get(me, headers=account.headers)
    assert now.json()["first_name"] == "Ada"
    assert now.headers["etag"] == changed.headers["etag"]


async def test_J7_etags_compare_strongly_for_writes(backend: Backend, problem_of: Check) -> None:
    account = await backend.register()
    me = f"{backend.api}/users/me"
    tag = (await backend.client.get(me, headers=account.headers)).headers["etag"]
    for sent, status in (
        (f"W/{tag}", 412),
        ('"nonsense"', 412),
        (tag.strip('"'), 412),
        (f'"nonsense", {tag}', 200),
        ("*", 200),
    ):
        headers = {**account.headers, "If-Match": sent}
        answer = await backend.client.patch(me, json={}, headers=headers)
        assert answer.status_code == status, sent


async def test_J7_what_is_known_is_not_sent_again(backend: Backend) -> None:
    account = await backend.register()
    for path in ("/users/me", "/auth/me", f"/users/{account.id}"):
        url = backend.api + path
        tag = (await backend.client.get(url, headers=account.headers)).headers["etag"]
        for sent in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            headers = {**account.headers, "If-None-Match": sent}
            answer = await backend.client.get(url, headers=headers)
            assert (answer.status_code, answer.content) == (304, b"")
            assert answer.headers["etag"] == tag
        headers = {**account.headers, "If-None-Match": '"other"'}
        assert (await backend.client.get(url, headers=headers)).status_code == 200


async def test_J7_required_and_missing_is_428(backend: Backend, problem_of: Check) -> None:
    problem_of(await backend.client.put("/probe/versioned"), 428, "precondition_required")
    answer = await backend.client.put("/probe/versioned", headers={"If-Match": '"6"'})
    problem_of(answer, 412)
    assert answer.headers["etag"] == '"7"'
    answer = await backend.client.put("/probe/versioned", headers={"If-Match": '"7"'})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"8"')


# J9


OTHER_TYPES = [
    None,
    "",
    "text/plain",
    "text/plain;application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/json, text/plain",
    "json",
    "application/jsonp",
]


async def test_J9_json_of_another_type_is_never_parsed(backend: Backend, problem_of: Check) -> None:
    account = await backend.register()
    me, body = f"{backend.api}/users/me", b'{"first_name": "Eve"}'
    for content_type in OTHER_TYPES:
        headers = {} if content_type is None else {"Content-Type": content_type}
        answer = await backend.client.patch(
            me, content=body, headers={**account.headers, **headers}
        )
        assert answer.status_code in {415, 422}, content_type
        problem_of(answer, answer.status_code)
    now = await backend.client.get(me, headers=account.headers)
    assert now.json()["first_name"] is None


async def test_J9_a_type_that_is_sent_twice_is_refused(backend: Backend, problem_of: Check) -> None:
    account = await backend.register()
    me, nan = f"{backend.api}/users/me", b'{"user_data": {"a": NaN}}'
    types = ["application/json", "text/plain"]
    for order in (types, types[::-1]):
        lines = [*account.headers.items(), *(("Content-Type", kind) for kind in order)]
        problem_of(await backend.client.patch(me, content=nan, headers=lines), 400, "bad_request")


async def test_J9_json_of_its_types_is_taken(backend: Backend) -> None:
    account = await backend.register()
    types = ("application/json", "application/merge-patch+json", "Application/JSON; charset=utf-8")
    for content_type in types:
        headers = {**account.headers, "Content-Type": content_type}
        answer = await backend.client.patch(
            f"{backend.api}/users/me", content=b'{"first_name": "Ada"}', headers=headers
        )
        assert answer.status_code == 200, content_type
        assert answer.json()["first_name"] == "Ada"


# J10

CORS = {"CORS_ORIGINS": f"{APP},http://localhost:3000"}


@pytest.mark.parametrize("settings", [CORS])
async def test_J10_a_listed_origin_is_answered_with_credentials(backend: Backend) -> None:
    for path in ("/health", "/nowhere", "/api/v1/users/me", "/probe/broken"):
        answer = await backend.client.get(path, headers={"Origin": APP})
        assert answer.headers["access-control-allow-origin"] == APP
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in answer.headers["vary"]
        exposed = answer.headers["access-control-expose-headers"]
        for name in ("RateLimit", "RateLimit-Policy", "Retry-After", "ETag", "X-Request-ID"):
            assert name in exposed.split(", ")


FOREIGN = [
    "https://evil.example",
    "null",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com.evil.example",
    "https://evil-app.example.com",
    "https://sub.app.example.com",
    "https://appXexample.com",
    "https://app.example.com/",
    "https://APP.example.com",
    "https://app.example.com evil",
    "https://app.example.com%00.evil.example",
    "http://localhost:3001",
    "*",
    "",
]


@pytest.mark.parametrize("settings", [CORS])
async def test_J10_any_other_origin_gets_nothing(backend: Backend) -> None:
    for origin in FOREIGN:
        preflight = {"Origin": origin, "Access-Control-Request-Method": "DELETE"}
        for answer in (
            await backend.client.get("/health", headers={"Origin": origin}),
            await backend.client.options("/api/v1/users/me", headers=preflight),
        ):
            opening = [name for name in answer.headers if name.startswith("access-control-")]
            assert opening == [], origin
            assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("origin", ["null", "https://*.example.com", "https://app.example.com/x"])
async def test_J10_what_is_no_exact_origin_stops_the_start(
    environ: dict[str, str], make_app: Callable[[], Application], origin: str
) -> None:
    environ["CORS_ORIGINS"] = origin
    with pytest.raises(SettingsError, match="CORS_ORIGINS"):
        make_app()


@pytest.mark.parametrize("settings", [CORS])
async def test_J10_a_preflight_is_answered_for_a_listed_origin(backend: Backend) -> None:
    headers = {
        "Origin": APP,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization, idempotency-key, if-match",
    }
    for path in ("/api/v1/users/me", "/api/v1/users", "/nowhere"):
        answer = await backend.client.options(path, headers=headers)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["access-control-allow-origin"] == APP
        assert "PATCH" in answer.headers["access-control-allow-methods"].split(", ")
        taken = answer.headers["access-control-allow-headers"].split(", ")
        assert {"authorization", "content-type", "idempotency-key", "if-match"} <= set(taken)
        assert "*" not in answer.headers["access-control-allow-methods"]
        assert "*" not in taken


@pytest.mark.parametrize("settings", [{"CORS_ORIGINS": "*"}])
async def test_J10_every_origin_means_none_with_credentials(backend: Backend) -> None:
    for origin in (APP, "null", "https://evil.example"):
        preflight = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        for answer in (
            await backend.client.get("/health", headers={"Origin": origin}),
            await backend.client.options("/health", headers=preflight),
        ):
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "access-control-allow-credentials" not in answer.headers


async def test_J10_without_origins_there_is_no_cors(backend: Backend) -> None:
    preflight = {"Origin": APP, "Access-Control-Request-Method": "GET"}
    for answer in (
        await backend.client.get("/health", headers={"Origin": APP}),
        await backend.client.options("/health", headers=preflight),
    ):
        assert not any(name.startswith("access-control-") for name in answer.headers)


# J11


async def test_J11_tokens_and_personal_data_are_not_stored(backend: Backend) -> None:
    account = await backend.user("admin")
    api, post = backend.api, backend.client.post
    login = {"username_or_email": account.email, "password": account.password}
    body = {"email": "n@example.com", "username": "newcomer", "password": account.password}
    answers = [
        await post(f"{api}/auth/register", json=body),
        await post(f"{api}/auth/login", json=login),
        await post(f"{api}/auth/refresh", json={"refresh_token": account.tokens["refresh_token"]}),
    ]
    paths = ("/users/me", "/auth/me", "/auth/sessions", "/users", f"/users/{account.id}")
    answers += [await backend.client.get(api + path, headers=account.headers) for path in paths]
    answers.append(await backend.client.get("/admin/mailbox.json"))
    for answer in answers:
        assert answer.status_code in {200, 201}, answer.text
        assert "no-store" in answer.headers["cache-control"], answer.request.url


# J12


def _check_headers(answer: httpx2.Response) -> None:
    headers = answer.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] in {"no-referrer", "same-origin"}
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "server" not in headers
    assert "x-powered-by" not in headers
    assert headers["x-request-id"]
    names = [name for name, _ in headers.multi_items() if name not in {"vary", "set-cookie"}]
    assert len(names) == len(set(names)), names


EVERY_KIND = [
    ("GET", "/health", 200),
    ("GET", "/api/v1/health/liveness", 200),
    ("GET", "/nowhere", 404),
    ("PUT", "/health", 405),
    ("TRACE", "/health", 405),
    ("GET", "/api/v1/users/me", 401),
    ("GET", "/probe/broken", 500),
    ("GET", "/probe/errors/rate_limited", 429),
    ("GET", "/probe/errors/dependency_unavailable", 503),
    ("POST", "/probe/nothing", 204),
    ("GET", "/probe/away", 303),
    ("GET", "/probe/stream", 200),
    ("HEAD", "/probe/stream", 200),
    ("OPTIONS", "/health", 204),
    ("GET", "/docs", 200),
    ("GET", "/redoc", 200),
    ("GET", "/api/docs", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/docs/problems", 200),
    ("GET", "/docs/problems/not_found", 200),
    ("GET", "/docs/assets/nothing.js", 404),
    ("GET", "/admin/setup", 200),
    ("GET", "/admin/mailbox", 200),
    ("GET", "/verify-email", 200),
    ("GET", "/.well-known/jwks.json", 200),
]


async def test_J12_every_answer_carries_the_headers(backend: Backend) -> None:
    for method, path, status in EVERY_KIND:
        answer = await backend.client.request(method, path)
        assert answer.status_code == status, path
        _check_headers(answer)
        assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize(
    "settings", [{"PUBLIC_URL": "https://api.example.com", "ALLOWED_HOSTS": "*"}]
)
async def test_J12_https_is_asked_for_where_it_is_served(backend: Backend) -> None:
    for method, path, status in EVERY_KIND:
        answer = await backend.client.request(method, path)
        assert answer.status_code == status, path
        _check_headers(answer)
        seconds = answer.headers["strict-transport-security"].partition("max-age=")[2]
        assert int(seconds.partition(";")[0]) >= 31_536_000


async def test_J12_what_an_answer_sets_itself_stands(backend: Backend) -> None:
    answer = await backend.client.get("/probe/own-headers")
    assert answer.headers.get_list("referrer-policy") == ["same-origin"]
    assert answer.headers.get_list("content-security-policy") == ["default-src 'self'"]
    assert answer.headers.get_list("cache-control") == ["public, max-age=60"]


# J13


async def _caller(backend: Backend, **headers: str) -> dict[str, str]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    found: dict[str, str] = (await backend.client.get("/probe/caller", headers=sent)).json()
    assert found["client"] == found["ip"]
    return found


FORGED = {"X_Forwarded_For": "198.51.100.7", "X_Forwarded_Proto": "https"}


async def test_J13_without_trusted_proxies_nothing_is_believed(backend: Backend) -> None:
    found = await _caller(
        backend,
        **FORGED,
        X_Real_IP="198.51.100.7",
        Forwarded="for=198.51.100.7;proto=https",
        X_Client_IP="198.51.100.7",
        CF_Connecting_IP="198.51.100.7",
        True_Client_IP="198.51.100.7",
    )
    assert found == {"client": "127.0.0.1", "ip": "127.0.0.1", "scheme": "http"}


@pytest.mark.parametrize("settings", [{"TRUSTED_PROXIES": "127.0.0.0/8,10.0.0.0/8"}])
async def test_J13_networks_are_walked_from_the_right(backend: Backend) -> None:
    for forwarded, expected in (
        ("198.51.100.7", "198.51.100.7"),
        ("1.1.1.1, 198.51.100.7", "198.51.100.7"),
        ("1.1.1.1, 198.51.100.7, 10.1.2.3", "198.51.100.7"),
        ("10.9.9.9, 10.1.2.3", "10.9.9.9"),
        ("198.51.100.7:4711, 10.1.2.3:80", "198.51.100.7"),
        ('"[2001:db8::7]:4711"', "2001:db8::7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("1.1.1.1, nonsense", "127.0.0.1"),
        ("1.1.1.1, nonsense, 10.1.2.3", "10.1.2.3"),
        ("fe80::1%forged", "127.0.0.1"),
        ("", "127.0.0.1"),
        (", ,", "127.0.0.1"),
    ):
        found = await _caller(backend, X_Forwarded_For=forwarded, X_Forwarded_Proto="https")
        assert found["ip"] == expected, forwarded
        assert found["scheme"] == "https"


@pytest.mark.parametrize("settings", [{"TRUSTED_PROXIES": "10.0.0.0/8"}])
async def test_J13_a_peer_outside_the_networks_is_itself(backend: Backend) -> None:
    found = await _caller(backend, **FORGED)
    assert found == {"client": "127.0.0.1", "ip": "127.0.0.1", "scheme": "http"}


@pytest.mark.parametrize("settings", [{"TRUSTED_PROXIES": "2"}])
async def test_J13_hops_are_counted_from_the_right(backend: Backend) -> None:
    for forwarded, expected in (
        ("198.51.100.7, 10.1.2.3", "198.51.100.7"),
        ("1.1.1.1, 198.51.100.7, 10.1.2.3", "198.51.100.7"),
        ("198.51.100.7", "127.0.0.1"),
        ("nonsense, 10.1.2.3", "127.0.0.1"),
    ):
        found = await _caller(backend, X_Forwarded_For=forwarded)
        assert found["ip"] == expected, forwarded


async def test_J13_the_lines_of_a_header_are_one_list(
    environ: dict[str, str], make_app: Callable[[], Application]
) -> None:
    environ["TRUSTED_PROXIES"] = "127.0.0.1"
    lines = [("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "198.51.100.7")]
    async with serving(make_app()) as backend:
        answer = await backend.client.get("/probe/caller", headers=lines)
    assert answer.json()["ip"] == "198.51.100.7"


@pytest.mark.parametrize("settings", [LIMITS])
async def test_J13_forged_headers_change_no_limit(backend: Backend) -> None:
    statuses = [
        (
            await backend.client.get(
                "/probe/stream",
                headers={"X-Forwarded-For": f"198.51.100.{i}", "Forwarded": f"for=198.51.100.{i}"},
            )
        ).status_code
        for i in range(4)
    ]
    assert statuses == [200, 200, 429, 429]


async def test_J13_forged_headers_change_no_record(backend: Backend) -> None:
    account = await backend.user("admin")
    await backend.login(account, **{"X-Forwarded-For": "198.51.100.7"})
    sessions = await backend.client.get(f"{backend.api}/auth/sessions", headers=account.headers)
    assert {item["ip"] for item in sessions.json()["items"]} == {"127.0.0.1"}
    logs = await backend.client.get(f"{backend.api}/audit/logs", headers=account.headers)
    assert {item["ip"] for item in logs.json()["items"]} <= {"127.0.0.1", None}
    assert any(item["ip"] == "127.0.0.1" for item in logs.json()["items"])


# J14


async def test_J14_nothing_is_kept_in_cookies(backend: Backend) -> None:
    account = await backend.register()
    answers = [
        await backend.client.get("/admin/setup"),
        await backend.client.get("/docs"),
        await backend.client.post(
            f"{backend.api}/auth/login",
            json={"username_or_email": account.email, "password": account.password},
        ),
        await backend.client.post(
            f"{backend.api}/auth/refresh",
            json={"refresh_token": account.tokens["refresh_token"]},
        ),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers


async def test_J14_a_cookie_signs_nobody_in(backend: Backend, problem_of: Check) -> None:
    account = await backend.register()
    names = ("access_token", "session", "token", "Authorization", "__Host-session")
    calls = (("GET", "/users/me"), ("POST", "/auth/logout-everywhere"))
    for name, (method, path) in product(names, calls):
        cookie = {"Cookie": f"{name}={account.tokens['access_token']}"}
        answer = await backend.client.request(method, backend.api + path, headers=cookie)
        problem_of(answer, 401, "not_authenticated")

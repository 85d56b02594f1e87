"""What the stack does by itself, and must not here: a test for each row of that table."""

import asyncio
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import APIRouter, Body, Depends, Form, Query, Request
from fastapi.routing import iter_route_contexts
from starlette.routing import WebSocketRoute

from mainstay import Feature, Mount, create_app, public
from mainstay.core.http import body as bodies
from mainstay.core.http.access import routes_with_access
from mainstay.core.http.application import Application
from mainstay.testing.backend import Backend
from mainstay.testing.databases import TemplateDatabase

pytestmark = pytest.mark.anyio

Check = Callable[..., dict[str, Any]]
Serve = Callable[..., AbstractContextManager[Any]]
PASSWORD = "hunter2-is-my-password"
router = APIRouter(prefix="/stack", dependencies=[Depends(public)])


@router.post("/echo")
async def echo(body: Annotated[Any, Body()]) -> Any:
    return body


@router.get("/query")
async def query(number: Annotated[float, Query(le=10)]) -> float:
    return number


@router.post("/form")
async def form(
    number: Annotated[float, Form(le=10)], text: Annotated[str, Form(max_length=3)]
) -> None:
    return None


@router.get("/caller")
async def caller(request: Request) -> dict[str, str | None]:
    return {"ip": request.client.host if request.client else None, "scheme": request.url.scheme}


@pytest.fixture(scope="session")
def migrated_database(sqlite_only: TemplateDatabase) -> TemplateDatabase:
    return sqlite_only


@pytest.fixture
def make_app(environ: dict[str, str], tmp_path: Path) -> Callable[[], Application]:
    feature = Feature(name="stack", routers=(Mount(router=router, at="root"),))
    return lambda: create_app([feature], environ=environ, env_file=tmp_path / ".env")


async def test_unknown_body_fields_are_refused(backend: Backend, problem_of: Check) -> None:
    account = await backend.register()
    body = {"first_name": "Ada", "is_superuser": True, "app_data": {}}
    me = f"{backend.api}/users/me"
    document = problem_of(
        await backend.client.patch(me, json=body, headers=account.headers), 422, "unknown_field"
    )
    pointers = {error["pointer"] for error in document["errors"]}
    assert pointers == {"#/is_superuser", "#/app_data"}
    now = await backend.client.get(me, headers=account.headers)
    assert now.json()["first_name"] is None


async def test_numbers_and_texts_that_json_has_not_are_refused(
    backend: Backend, problem_of: Check
) -> None:
    headers = {"Content-Type": "application/json"}
    deep = [b"[" * depth + b"]" * depth for depth in (300, 600, 900)]
    for body in (b"NaN", b"[Infinity]", b'{"a": 1e999}', b'"\\ud800"', *deep):
        answer = await backend.client.post("/stack/echo", content=body, headers=headers)
        problem_of(answer, 400, "malformed_json")


async def test_a_validation_error_survives_such_values(backend: Backend, problem_of: Check) -> None:
    for number in ("nan", "inf", "1e999"):
        answer = await backend.client.get("/stack/query", params={"number": number})
        problem_of(answer, 422, "validation_failed")
    for content in (b"number=nan&text=a", b"number=1&text=%ed%a0%80%ed%b0%80%ff"):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await backend.client.post("/stack/form", content=content, headers=headers)
        problem_of(answer, 422, "validation_failed")


async def test_a_422_does_not_echo_what_was_sent(backend: Backend, problem_of: Check) -> None:
    sent: list[tuple[str, Any]] = [
        ("register", {"email": PASSWORD, "username": PASSWORD, "password": [PASSWORD]}),
        ("register", {"email": "a@example.com", "username": "a b", "password": PASSWORD}),
        ("login", {"username_or_email": [PASSWORD], "password": {"a": PASSWORD}}),
        ("login", [PASSWORD]),
        ("refresh", {"refresh_token": [PASSWORD]}),
        ("reset-password", {"token": PASSWORD, "new_password": [PASSWORD]}),
    ]
    for path, body in sent:
        answer = await backend.client.post(f"{backend.api}/auth/{path}", json=body)
        problem_of(answer, 422)
        assert PASSWORD not in answer.text


async def test_nul_is_refused(backend: Backend, problem_of: Check) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b'"\\u0000"', b'{"\\u0000": 1}', b'["a\\u0000b"]'):
        answer = await backend.client.post("/stack/echo", content=body, headers=headers)
        problem_of(answer, 400, "malformed_json")


@pytest.mark.parametrize("settings", [{"MAX_BODY_SIZE": "1kb"}])
async def test_bodies_have_a_limit(backend: Backend, problem_of: Check) -> None:
    for content, status in ((b'"' + b"a" * 1022 + b'"', 200), (b'"' + b"a" * 1023 + b'"', 413)):
        answer = await backend.client.post(
            "/stack/echo", content=content, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == status


def test_forwarding_headers_from_this_machine_are_not_trusted(
    app: Application, listening: Serve
) -> None:
    forged = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}
    with listening(app) as server, httpx2.Client(base_url=server.url) as client:
        found = client.get("/stack/caller", headers=forged).json()
    assert found == {"ip": "127.0.0.1", "scheme": "http"}


async def test_a_slash_never_redirects(backend: Backend) -> None:
    headers = {"Host": "evil.example"}
    for path, methods, _ in routes_with_access(backend.app):
        concrete = re.sub(r"\{\w+\}", "x", path).rstrip("/")
        for method in methods:
            plain, slash = [
                await backend.client.request(method, concrete + end, headers=headers)
                for end in ("", "/")
            ]
            assert plain.status_code == slash.status_code, (method, concrete)
            assert "location" not in slash.headers


@pytest.mark.parametrize("settings", [{"CORS_ORIGINS": "*"}])
async def test_cors_for_all_is_without_credentials(backend: Backend) -> None:
    headers = {"Origin": "https://evil.example", "Cookie": "a=b", "Authorization": "Bearer x"}
    answer = await backend.client.get("/health", headers=headers)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


def test_partial_headers_and_stalled_bodies_are_let_go(
    app: Application, listening: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "CHUNK_SECONDS", 0.2)
    with listening(app, header_timeout=0.2) as server:
        assert server.send(b"GET /health HTTP/1.1\r\nHost: a\r\n") == b""
        head = b"POST /stack/echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        stalled = server.send(head + b"Connection: close\r\nContent-Length: 10\r\n\r\n[")
    assert stalled.startswith(b"HTTP/1.1 408 ")


def test_no_web_socket_is_served_without_its_checks(app: Application) -> None:
    """Whoever adds the first one adds tests of its Origin check and its message size here."""
    routes = iter_route_contexts(app.router.routes)
    assert not [each for each in routes if isinstance(each.original_route, WebSocketRoute)]


@pytest.mark.parametrize("settings", [{"LOG_FORMAT": "json"}, {"LOG_FORMAT": "console"}])
async def test_the_access_log_has_no_queries(
    backend: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    await backend.client.get("/verify-email", params={"token": PASSWORD})
    await backend.client.get(f"/stack/caller?token={PASSWORD}#{PASSWORD}")
    await asyncio.sleep(0.1)  # lines are written together
    written = capsys.readouterr().out
    assert "/verify-email" in written
    assert "/stack/caller" in written
    assert PASSWORD not in written
    assert "token" not in written


def test_answers_have_security_headers_and_name_no_server(
    app: Application, listening: Serve
) -> None:
    with listening(app) as server, httpx2.Client(base_url=server.url) as client:
        answers = [client.get("/health"), client.get("/nowhere"), client.get("/docs")]
        malformed = server.send(b"nonsense\r\n\r\n").lower()
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert "server" not in answer.headers
    assert b"x-content-type-options: nosniff" in malformed
    assert b"server:" not in malformed


async def test_a_flood_of_sign_ins_starves_nobody(backend: Backend) -> None:
    accounts = [await backend.register() for _ in range(3)]

    async def sign_in(number: int) -> httpx2.Response:
        body = {"username_or_email": accounts[number % 3].email, "password": "not this one"}
        return await backend.client.post(f"{backend.api}/auth/login", json=body)

    flood = [asyncio.create_task(sign_in(number)) for number in range(90)]
    await asyncio.sleep(0)
    answers = [
        await backend.client.get("/health"),
        await backend.client.get(f"{backend.api}/users/me", headers=accounts[0].headers),
    ]
    under_way = [task for task in flood if not task.done()]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert under_way, "the flood was over before anybody else was served"
    for answer in await asyncio.gather(*flood):
        assert answer.status_code in {401, 503}
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) > 0

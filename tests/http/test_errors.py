"""What becomes of errors: a project's own, unforeseen ones, and those of validation."""

import datetime as dt
import decimal
import enum
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx2
import pytest
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi import Path as PathParameter
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import AnyUrl, EmailStr, Field, IPvAnyAddress, StringConstraints
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.testing import capture_logs

from mainstay import (
    ConflictError,
    Feature,
    Input,
    Mount,
    NotFoundError,
    Session,
    create_app,
    public,
)
from mainstay.core.http.application import Application
from mainstay.testing.backend import Backend, serving
from mainstay.testing.databases import TemplateDatabase

pytestmark = pytest.mark.anyio

Check = Callable[..., dict[str, Any]]
SECRET = "zq9secretvalue"
router = APIRouter(prefix="/shop", dependencies=[Depends(public)])


class ShopError(Exception):
    """A project's own error."""


class SoldOutError(ShopError):
    """And one below it."""


class Colour(enum.Enum):
    RED = "red"


class Card(Input):
    kind: Literal["card"]
    number: Annotated[str, StringConstraints(pattern=r"^\d{16}$")]


class Cash(Input):
    kind: Literal["cash"]


class Everything(Input):
    integer: int = 0
    real: float = 0
    exact: decimal.Decimal = decimal.Decimal(0)
    flag: bool = False
    day: dt.date | None = None
    moment: dt.datetime | None = None
    length: dt.timedelta | None = None
    identity: uuid.UUID | None = None
    address: EmailStr | None = None
    url: AnyUrl | None = None
    ip: IPvAnyAddress | None = None
    colour: Colour | None = None
    word: Literal["one", "two"] | None = None
    short: Annotated[str, StringConstraints(max_length=2)] | None = None
    shaped: Annotated[str, StringConstraints(pattern="^a+$")] | None = None
    several: list[int] = Field(default_factory=list, max_length=2)
    mapping: dict[str, int] = Field(default_factory=dict)
    payment: Annotated[Card | Cash, Field(discriminator="kind")] | None = None


@router.get("/http/{status}")
async def http(status: int, request: Request) -> None:
    headers = {"X-Own": "kept", "Location": "/elsewhere"}
    detail: Any = {"reason": "why"} if "object" in request.query_params else "Just so."
    raise HTTPException(status, detail, headers=headers)


@router.get("/own/{name}")
async def own(name: str) -> None:
    errors: dict[str, Exception] = {
        "shop": ShopError("closed"),
        "sold-out": SoldOutError("gone"),
        "bug": RuntimeError(SECRET),
        "known": ConflictError(),
        "missing": NotFoundError(),
    }
    raise errors[name]


@router.post("/everything")
async def everything(body: Everything, session: Session) -> None:
    return None


@router.get("/parameters/{number}")
async def parameters(
    number: Annotated[int, PathParameter()],
    colour: Annotated[Colour, Query()] = Colour.RED,
) -> None:
    return None


@router.get("/long")
async def long() -> dict[str, str]:
    return {"text": "x" * 5000}


@pytest.fixture(scope="session")
def migrated_database(sqlite_only: TemplateDatabase) -> TemplateDatabase:
    return sqlite_only


@pytest.fixture
def make_app(environ: dict[str, str], tmp_path: Path) -> Callable[[], Application]:
    feature = Feature(name="shop", routers=(Mount(router=router, at="root"),))
    return lambda: create_app([feature], environ=environ, env_file=tmp_path / ".env")


def answering(status: int) -> Callable[[Request, Exception], JSONResponse]:
    """Make a handler that answers with its own status, and the name of the exception."""

    def handle(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"own": type(error).__name__, "text": str(error)}, status_code=status)

    return handle


# HTTPException


async def test_an_http_exception_is_a_problem(backend: Backend, problem_of: Check) -> None:
    codes = {400: "bad_request", 403: "permission_denied", 404: "not_found", 409: "conflict"}
    for status, code in codes.items():
        answer = await backend.client.get(f"/shop/http/{status}")
        assert problem_of(answer, status, code)["detail"] == "Just so."
        assert answer.headers["x-own"] == "kept"
    unlisted = {418: "im_a_teapot", 402: "payment_required", 503: "service_unavailable", 499: None}
    for status, known in unlisted.items():
        document = problem_of(await backend.client.get(f"/shop/http/{status}"), status, known)
        assert document["type"] == "about:blank"


async def test_a_detail_that_is_no_text_is_a_member(backend: Backend, problem_of: Check) -> None:
    document = problem_of(await backend.client.get("/shop/http/409?object"), 409)
    assert document["info"] == {"reason": "why"}


async def test_a_401_names_the_scheme_whoever_raises_it(
    backend: Backend, problem_of: Check
) -> None:
    answer = await backend.client.get("/shop/http/401")
    problem_of(answer, 401, "not_authenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_http_exception_that_is_no_error_is_no_problem(backend: Backend) -> None:
    for status in (204, 303, 304, 307):
        answer = await backend.client.get(f"/shop/http/{status}")
        assert (answer.status_code, answer.content) == (status, b"")
        assert answer.headers["location"] == "/elsewhere"
        assert "content-type" not in answer.headers


# Handlers of a project


async def test_own_errors_go_to_their_own_handler(app: Application) -> None:
    app.add_exception_handler(ShopError, answering(402))
    async with serving(app) as backend:
        for name, kind in (("shop", "ShopError"), ("sold-out", "SoldOutError")):
            answer = await backend.client.get(f"/shop/own/{name}")
            assert (answer.status_code, answer.json()["own"]) == (402, kind)
        assert answer.headers["x-request-id"]
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_nearest_handler_answers(app: Application) -> None:
    app.add_exception_handler(ShopError, answering(402))
    app.add_exception_handler(SoldOutError, answering(410))
    async with serving(app) as backend:
        assert (await backend.client.get("/shop/own/sold-out")).status_code == 410
        assert (await backend.client.get("/shop/own/shop")).status_code == 402


@pytest.mark.parametrize("kind", [Exception, 500])
async def test_a_handler_for_all_gets_what_is_not_known(
    app: Application, problem_of: Check, kind: Any
) -> None:
    app.add_exception_handler(kind, answering(500))
    async with serving(app) as backend:
        answer = await backend.client.get("/shop/own/bug")
        assert (answer.status_code, answer.json()["own"]) == (500, "RuntimeError")
        problem_of(await backend.client.get("/shop/own/known"), 409, "conflict")
        problem_of(await backend.client.get("/nowhere"), 404, "not_found")
        problem_of(await backend.client.delete("/shop/long"), 405, "method_not_allowed")
        problem_of(await backend.client.get(f"{backend.api}/users/me"), 401)
        long = {"X-Long": "x" * 40_000}
        problem_of(await backend.client.get("/shop/long", headers=long), 431)


async def test_a_handler_for_a_status_gets_unknown_paths_too(app: Application) -> None:
    async def not_found(_: Request, error: HTTPException) -> PlainTextResponse:
        return PlainTextResponse(f"{error.status_code}: {error.detail}", status_code=404)

    app.add_exception_handler(404, not_found)  # type: ignore[arg-type]
    async with serving(app) as backend:
        assert (await backend.client.get("/nowhere")).text == "404: Not found"
        assert (await backend.client.get("/shop/http/404")).text == "404: Just so."


async def test_a_project_may_replace_what_the_framework_answers(
    app: Application,
) -> None:
    app.add_exception_handler(HTTPException, answering(400))
    app.add_exception_handler(RequestValidationError, answering(400))
    async with serving(app) as backend:
        answer = await backend.client.get("/shop/http/409")
        assert (answer.status_code, answer.json()["own"]) == (400, "HTTPException")
        answer = await backend.client.get("/shop/parameters/x")
        assert (answer.status_code, answer.json()["own"]) == (400, "RequestValidationError")


async def test_a_handler_that_fails_is_a_500(app: Application, problem_of: Check) -> None:
    def broken(_: Request, __: Exception) -> JSONResponse:
        raise ValueError(SECRET)

    app.add_exception_handler(Exception, broken)
    app.add_exception_handler(ShopError, broken)
    async with serving(app) as backend:
        for name in ("bug", "shop"):
            answer = await backend.client.get(f"/shop/own/{name}")
            problem_of(answer, 500, "internal_error")
            assert SECRET not in answer.text


# Unforeseen errors


async def test_an_unforeseen_error_is_logged_with_its_request_id(
    backend: Backend, problem_of: Check
) -> None:
    with capture_logs() as lines:
        answer = await backend.client.get("/shop/own/bug", headers={"X-Request-ID": "mine-1"})
    assert problem_of(answer, 500)["request_id"] == "mine-1"
    (line,) = (line for line in lines if line["event"] == "request.failed")
    assert line["request_id"] == "mine-1"
    assert isinstance(line["exc_info"], RuntimeError)


LOCAL, REMOTE, SIX = ("127.0.0.1", 1), ("198.51.100.7", 1), ("::1", 1)
DEBUGGING = [
    ("development", LOCAL, {}, True),
    ("development", SIX, {}, True),
    ("development", REMOTE, {}, False),
    ("development", LOCAL, {"X-Forwarded-For": "127.0.0.1"}, False),
    ("development", LOCAL, {"X-Forwarded-Proto": "http"}, False),
    ("development", LOCAL, {"X-Forwarded-Host": "localhost"}, False),
    ("development", LOCAL, {"X-Real-IP": "127.0.0.1"}, False),
    ("development", LOCAL, {"Forwarded": "for=127.0.0.1"}, False),
    ("development", LOCAL, {"Via": "1.1 proxy"}, False),
    ("staging", LOCAL, {}, False),
]


async def test_details_are_for_the_developer_at_this_machine(
    environ: dict[str, str], make_app: Callable[[], Application], problem_of: Check
) -> None:
    for environment, peer, headers, shown in DEBUGGING:
        environ["ENVIRONMENT"] = environment
        async with serving(make_app(), peer=peer) as backend:
            answer = await backend.client.get("/shop/own/bug", headers=headers)
        document = problem_of(answer, 500)
        assert ("debug" in document) == shown, (environment, peer, headers)
        if shown:
            assert document["debug"]["exception"] == "RuntimeError"
            assert "test_errors.py:" in document["debug"]["where"]
        assert SECRET not in answer.text


@pytest.mark.parametrize("settings", [{"TRUSTED_PROXIES": "198.51.100.0/24"}])
async def test_who_comes_by_a_proxy_cannot_pass_for_this_machine(
    app: Application, problem_of: Check
) -> None:
    async with serving(app, peer=REMOTE) as backend:
        headers = {"X-Forwarded-For": "127.0.0.1"}
        answer = await backend.client.get("/shop/own/bug", headers=headers)
        assert "debug" not in problem_of(answer, 500)
        assert (await backend.client.get("/admin/mailbox", headers=headers)).status_code == 404


# Validation

WRONG: dict[str, Any] = {
    "integer": SECRET,
    "real": SECRET,
    "exact": SECRET,
    "flag": SECRET,
    "day": SECRET,
    "moment": SECRET,
    "length": SECRET,
    "identity": SECRET,
    "address": f"{SECRET} {SECRET}@{SECRET}",
    "url": SECRET,
    "ip": SECRET,
    "colour": SECRET,
    "word": SECRET,
    "short": SECRET,
    "shaped": SECRET,
    "several": [SECRET, 1, 2],
    "mapping": {"a": SECRET},
    "payment": {"kind": SECRET},
}


async def test_validation_never_echoes_what_was_sent(backend: Backend, problem_of: Check) -> None:
    for name, value in WRONG.items():
        answer = await backend.client.post("/shop/everything", json={name: value})
        (error, *_) = problem_of(answer, 422, "validation_failed")["errors"]
        assert error["pointer"].startswith(f"#/{name}")
        assert error["detail"].endswith(".")
        assert SECRET not in answer.text, name
    card = {"kind": "card", "number": SECRET}
    answer = await backend.client.post("/shop/everything", json={"payment": card})
    problem_of(answer, 422)
    assert SECRET not in answer.text
    for path in (f"/shop/parameters/{SECRET}", f"/shop/parameters/1?colour={SECRET}"):
        document = problem_of(await backend.client.get(path), 422)
        assert SECRET not in str(document["errors"])


async def test_each_fault_says_where_it_is(backend: Backend, problem_of: Check) -> None:
    body = {"integer": "x", "several": ["y"], "mapping": {"a/b~c": "z"}, "unknown": 1}
    document = problem_of(await backend.client.post("/shop/everything", json=body), 422)
    assert document["detail"] == "4 problems in the request."
    assert [error["pointer"] for error in document["errors"]] == [
        "#/integer",
        "#/several/0",
        "#/mapping/a~1b~0c",
        "#/unknown",
    ]
    path = "/shop/parameters/x?colour=y"
    document = problem_of(await backend.client.get(path), 422)
    assert [error["parameter"] for error in document["errors"]] == ["number", "colour"]
    assert all(
        set(error) <= {"parameter", "code", "detail", "params"} for error in document["errors"]
    )


async def test_only_unknown_fields_have_a_code_of_their_own(
    backend: Backend, problem_of: Check
) -> None:
    answer = await backend.client.post("/shop/everything", json={"naïve": 1})
    problem_of(answer, 422, "unknown_field")


# Middleware of a project


class Stamp:
    """A layer on the bare interface."""

    def __init__(self, app: ASGIApp, word: bytes) -> None:
        self.app = app
        self.word = word

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def stamped(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-stamp", self.word)]
            await send(message)

        if scope["path"] == "/shop/refused":
            await PlainTextResponse("no", status_code=403)(scope, receive, stamped)
        elif scope["path"] == "/shop/fails":
            raise ShopError
        else:
            await self.app(scope, receive, stamped)


@asynccontextmanager
async def with_layers(app: Application) -> AsyncIterator[Backend]:
    app.add_middleware(GZipMiddleware, minimum_size=100)
    app.add_middleware(Stamp, word=b"stamped")

    @app.middleware("http")
    async def timed(request: Request, call_next: Any) -> Any:
        answer = await call_next(request)
        answer.headers["X-Timed"] = "yes"
        return answer

    async with serving(app) as backend:
        yield backend


async def test_a_projects_middleware_works(app: Application, problem_of: Check) -> None:
    async with with_layers(app) as backend:
        answer = await backend.client.get("/shop/long", headers={"Accept-Encoding": "gzip"})
        assert answer.json() == {"text": "x" * 5000}
        assert answer.headers["content-encoding"] == "gzip"
        assert (answer.headers["x-stamp"], answer.headers["x-timed"]) == ("stamped", "yes")
        assert answer.headers["x-request-id"]
        refused = await backend.client.get("/shop/refused")
        assert (refused.status_code, refused.text) == (403, "no")
        assert refused.headers["x-content-type-options"] == "nosniff"
        problem_of(await backend.client.get("/shop/fails"), 500, "internal_error")
        problem_of(await backend.client.get("/shop/own/bug"), 500, "internal_error")
        missing = await backend.client.get("/shop/own/missing")
        problem_of(missing, 404)
        assert missing.headers["x-timed"] == "yes"
        problem_of(await backend.client.get("/nowhere"), 404)


async def test_requests_with_middleware_commit_and_roll_back(app: Application) -> None:
    async with with_layers(app) as backend:
        account = await backend.register()
        me, key = f"{backend.api}/users/me", {"Idempotency-Key": "k"}
        for headers in (account.headers, {**account.headers, **key}):
            answer: httpx2.Response = await backend.client.patch(
                me, json={"first_name": "Ada"}, headers=headers
            )
            assert answer.json()["first_name"] == "Ada"
        again = await backend.client.patch(
            me, json={"first_name": "Ada"}, headers={**account.headers, **key}
        )
        assert again.headers["idempotent-replayed"] == "true"

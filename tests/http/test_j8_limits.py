"""Requests that are too much: row J8 of the requirements."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Protocol

import httpx2
import pytest
from fastapi import APIRouter, Body, Depends, Request

from mainstay import Feature, Mount, create_app, public
from mainstay.core.http import body as bodies
from mainstay.core.http.application import Application
from mainstay.core.http.guards import MAX_HEADERS, MAX_TARGET_BYTES
from mainstay.testing.backend import Backend
from mainstay.testing.databases import TemplateDatabase

pytestmark = pytest.mark.anyio

Check = Callable[..., dict[str, Any]]
LIMIT = 64 * 1024
JSON = {"Content-Type": "application/json"}
router = APIRouter(prefix="/sink", dependencies=[Depends(public)])


class Server(Protocol):
    url: str

    def send(self, *parts: bytes) -> bytes: ...


Serve = Callable[..., AbstractContextManager[Server]]


@router.post("/json")
async def take_json(body: Annotated[Any, Body()]) -> Any:
    return {"got": body}


@router.post("/raw")
async def take_raw(request: Request) -> dict[str, int]:
    return {"bytes": len(await request.body())}


@router.post("/stream")
async def take_stream(request: Request) -> dict[str, int]:
    return {"bytes": sum([len(chunk) async for chunk in request.stream()])}


@router.post("/form")
async def take_form(request: Request) -> dict[str, int]:
    return {"fields": len(await request.form())}


@router.get("/headers")
async def headers() -> dict[str, str]:
    return {"is": "there"}


@pytest.fixture(scope="session")
def migrated_database(sqlite_only: TemplateDatabase) -> TemplateDatabase:
    return sqlite_only


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"MAX_BODY_SIZE": "64kb"}


@pytest.fixture
def make_app(environ: dict[str, str], tmp_path: Path) -> Callable[[], Application]:
    feature = Feature(name="sink", routers=(Mount(router=router, at="root"),))
    return lambda: create_app([feature], environ=environ, env_file=tmp_path / ".env")


@pytest.fixture
def server(app: Application, listening: Serve) -> Iterator[Server]:
    with listening(app) as found:
        yield found


def head(method: str = "POST", path: str = "/sink/raw", *lines: str) -> bytes:
    """Give a request's head; the connection is to be closed after the answer."""
    text = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *lines, "", ""]
    return "\r\n".join(text).encode("latin-1")


def parse(answer: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Give status, headers and the JSON document of an answer."""
    start, _, rest = answer.partition(b"\r\n")
    assert start.startswith(b"HTTP/1.1 "), answer[:200]
    lines, _, body = rest.partition(b"\r\n\r\n")
    fields = [line.partition(b":") for line in lines.split(b"\r\n")]
    found = {k.decode().lower(): v.decode().strip() for k, _, v in fields}
    return int(start.split()[1]), found, json.loads(body)


def refused(answer: bytes, *statuses: int) -> dict[str, Any]:
    """Check that an answer is a problem with one of the statuses, and give it."""
    status, fields, document = parse(answer)
    assert status in statuses, document
    assert fields["content-type"] == "application/problem+json"
    assert document["status"] == status
    assert document["request_id"] == fields["x-request-id"]
    assert "server" not in fields
    return document


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


# Bodies


def test_J8_a_declared_length_over_the_limit_is_refused_at_once(server: Server) -> None:
    for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x"):
        lines = (f"Content-Type: {kind}", f"Content-Length: {LIMIT + 1}")
        document = refused(server.send(head("POST", "/sink/raw", *lines)), 413)
        assert (document["code"], document["limit"]) == ("body_too_large", LIMIT)


def test_J8_a_chunked_body_over_the_limit_is_refused_on_the_way(server: Server) -> None:
    part = b"x" * 16_384
    for kind, path in product(
        ("application/json", "text/plain", "application/x-www-form-urlencoded"),
        ("/sink/raw", "/sink/stream"),
    ):
        lines = (f"Content-Type: {kind}", "Transfer-Encoding: chunked")
        # The body has no end: whoever waits for it, waits for ever.
        answer = server.send(head("POST", path, *lines), chunks(*[part] * 8))
        assert refused(answer, 413)["code"] == "body_too_large"


def test_J8_a_body_at_the_limit_is_taken(server: Server) -> None:
    whole = b"x" * LIMIT
    lengths = (f"Content-Length: {LIMIT}",), ("Transfer-Encoding: chunked",)
    for lines, body in zip(lengths, (whole, chunks(whole) + b"0\r\n\r\n"), strict=True):
        for path in ("/sink/raw", "/sink/stream"):
            status, _, document = parse(server.send(head("POST", path, *lines), body))
            assert (status, document) == (200, {"bytes": LIMIT})


def test_J8_a_form_over_the_limit_is_refused(server: Server) -> None:
    lines = ("Content-Type: multipart/form-data; boundary=x", "Transfer-Encoding: chunked")
    field = b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'
    answer = server.send(head("POST", "/sink/form", *lines), chunks(field, *[b"x" * 16_384] * 8))
    assert refused(answer, 413)["code"] == "body_too_large"


def test_J8_two_lengths_are_refused(server: Server) -> None:
    body = b'{"a": 1}'
    for first, second in ((8, 8), (8, 4), (0, 8)):
        lines = (f"Content-Length: {first}", f"Content-Length: {second}", "Content-Type: a/json")
        refused(server.send(head("POST", "/sink/raw", *lines), body), 400)


def test_J8_a_length_beside_chunks_is_refused(server: Server) -> None:
    lines = ("Content-Length: 4", "Transfer-Encoding: chunked")
    refused(server.send(head("POST", "/sink/raw", *lines), chunks(b"body") + b"0\r\n\r\n"), 400)


def test_J8_a_length_that_is_no_number_is_refused(server: Server) -> None:
    for length in ("-1", "+4", "0x4", "4,4", "four", "9" * 400, ""):
        answer = server.send(head("POST", "/sink/raw", f"Content-Length: {length}"), b"body")
        refused(answer, 400, 413)


def test_J8_a_body_that_stalls_is_let_go(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "CHUNK_SECONDS", 0.2)
    for kind, path in product(("application/json", "text/plain"), ("/sink/raw", "/sink/stream")):
        lines = (f"Content-Type: {kind}", "Transfer-Encoding: chunked")
        document = refused(server.send(head("POST", path, *lines), chunks(b"[")), 408)
        assert document["code"] == "request_timeout"


def test_J8_headers_that_never_end_are_let_go(app: Application, listening: Serve) -> None:
    with listening(app, header_timeout=0.2) as server:
        assert server.send(b"GET /sink/headers HTTP/1.1\r\nHost: a\r\nX-Slow: ") == b""
        assert server.send(b"GET /sink") == b""
        assert server.send() == b""


# Heads


def test_J8_a_long_url_is_a_414(server: Server) -> None:
    long = "x" * (MAX_TARGET_BYTES + 1)
    for path in (f"/{long}", f"/sink/headers?q={long}"):
        assert refused(server.send(head("GET", path)), 414)["code"] == "uri_too_long"
    assert refused(server.send(b"GET /" + b"x" * 200_000), 414)


def test_J8_long_headers_are_a_431(server: Server) -> None:
    many = [f"X-{number}: a" for number in range(MAX_HEADERS + 1)]
    for lines in (["X-Long: " + "x" * 40_000], many):
        answer = server.send(head("GET", "/sink/headers", *lines))
        assert refused(answer, 431)["code"] == "headers_too_large"
    endless = b"GET /sink/headers HTTP/1.1\r\nHost: a\r\nX-Long: " + b"x" * 200_000
    assert refused(server.send(endless), 431)


NO_REQUESTS = [
    b"nonsense\r\n\r\n",
    b"GET  HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /sink/headers HTTP/9.9\r\nHost: a\r\n\r\n",
    b"GET /sink/headers HTTP/1.1\r\nHost: a\r\nX-N\x00l: a\r\n\r\n",
    b"GET /sink/headers HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
    b"GET /sink/headers HTTP/1.1\r\nHost: a\r\nX-Null: a\x00b\r\n\r\n",
    b"GET /sink/headers HTTP/1.1\r\nHost: a\r\nX-Space : a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
]


def test_J8_what_is_no_request_gets_a_problem(server: Server) -> None:
    for sent in NO_REQUESTS:
        refused(server.send(sent), 400)


def test_J8_a_body_whose_chunks_are_none_reaches_nobody(server: Server) -> None:
    lines = ("Transfer-Encoding: chunked",)
    assert server.send(head("POST", "/sink/raw", *lines), b"zz\r\n") == b""


def test_J8_the_server_goes_on_after_all_of_that(server: Server) -> None:
    for sent in (b"nonsense\r\n\r\n", head("POST", "/sink/raw", "Content-Length: 99999999")):
        server.send(sent)
    assert parse(server.send(head("GET", "/sink/headers")))[2] == {"is": "there"}


async def over_http2(backend: Backend, kind: bytes | None, parts: Iterator[bytes]) -> int:
    """Send a body that nothing announces, as HTTP/2 may; gives the status of the answer."""
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        part = next(parts, None)
        return {"type": "http.request", "body": part or b"", "more_body": part is not None}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "2",
        "method": "POST",
        "path": "/sink/raw",
        "raw_path": b"/sink/raw",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [] if kind is None else [(b"content-type", kind)],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await backend.app(scope, receive, send)
    (status,) = statuses
    return status


async def test_J8_a_body_that_nothing_announces_has_limits_too(backend: Backend) -> None:
    for kind in (b"application/json", b"text/plain", None):
        assert await over_http2(backend, kind, iter([b"1" * 16_384] * 40)) == 413
        assert await over_http2(backend, kind, iter([b"1"])) == 200
    assert await over_http2(backend, b"application/json", iter([b"[NaN]"])) == 400


# JSON

DEPTH = bodies.MAX_DEPTH
NOT_TAKEN = {
    "deep array": b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1),
    "deep object": b'{"a":' * (DEPTH + 1) + b"1" + b"}" * (DEPTH + 1),
    "very deep": b"[" * 20_000 + b"]" * 20_000,
    "open for ever": b"[" * 30_000,
    "deep with a long number": b"[" * 900 + b"9" * 30 + b"]" * 900,
    "NaN": b'{"a": NaN}',
    "Infinity": b"[Infinity]",
    "-Infinity": b"[-Infinity]",
    "1e999": b'{"a": 1e999}',
    "-1e999": b"-1e999",
    "2^64": b'{"a": 18446744073709551616}',
    "-2^63-1": b"[-9223372036854775809]",
    "long number": b"9" * 5000,
    "longer number": b"-" + b"9" * 50_000,
    "hexadecimal": b"0x10",
    "leading zero": b"01",
    "lone high surrogate": b'"\\ud800"',
    "lone low surrogate": b'{"\\udc00": 1}',
    "swapped surrogates": b'"\\udc00\\ud800"',
    "surrogate in UTF-8": b'"\xed\xa0\x80"',
    "broken UTF-8": b'"\xff\xfe"',
    "overlong UTF-8": b'"\xc0\xaf"',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "UTF-32": '{"a": 1}'.encode("utf-32"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "NUL": b'{"a": "\\u0000"}',
    "NUL in a name": b'{"\\u0000": 1}',
    "NUL after a backslash": b'"\\\\\\u0000"',
    "NUL byte": b'"\x00"',
    "control byte": b'"\x1f"',
    "cut off": b'{"a": [1, 2',
    "rest": b"{} {}",
    "comma": b"[1,]",
    "comment": b"{} // no",
    "single quotes": b"{'a': 1}",
    "space": b" ",
}
TAKEN = {
    "depth": b"[" * DEPTH + b"]" * DEPTH,
    "many brackets": b"[" + b"[]," * 1000 + b"[]]",
    "brackets in text": b'"' + b"[{" * 1000 + b'"',
    "greatest": b"18446744073709551615",
    "least": b"-9223372036854775808",
    "long fraction": b"0.1234567890123456789012345",
    "long number in text": b'"123456789012345678901234567890"',
    "surrogate pair": b'"\\ud83d\\ude00"',
    "NUL as text": b'"\\\\u0000"',
    "many numbers": b"[" + b"1," * 20_000 + b"1]",
}


async def test_J8_json_beyond_the_limits_is_a_400(backend: Backend, problem_of: Check) -> None:
    for name, body in NOT_TAKEN.items():
        answer = await backend.client.post("/sink/json", content=body, headers=JSON)
        assert answer.status_code == 400, name
        problem_of(answer, 400, "malformed_json")


async def test_J8_json_within_the_limits_is_taken(backend: Backend) -> None:
    for name, body in TAKEN.items():
        answer = await backend.client.post("/sink/json", content=body, headers=JSON)
        assert answer.status_code == 200, name
        assert answer.json() == {"got": json.loads(body)}, name


async def test_J8_no_route_breaks_on_nasty_json(backend: Backend) -> None:
    account = await backend.user("superadmin")
    document = backend.app.openapi()
    operations = [
        (method, re.sub(r"\{\w+\}", account.id, path))
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if "requestBody" in operation and "sink" not in path
    ]
    assert len(operations) > 10
    valid = (b"[]", b'""', b"0", b"{}", b"null", b'{"a": {"b": 18446744073709551615}}')
    for method, path in operations:
        for body in (*valid, *NOT_TAKEN.values()):
            answer = await backend.client.request(
                method, path, content=body, headers={**account.headers, **JSON}
            )
            assert answer.status_code < 500, (method, path, body[:40])


async def test_J8_long_members_are_refused(backend: Backend, problem_of: Check) -> None:
    account = await backend.register()
    long: dict[str, Any] = {
        "first_name": "x" * 101,
        "bio": "x" * 2001,
        "timezone": "x" * 65,
        "user_data": {"a": "x" * 20_000},
    }
    for name, value in long.items():
        answer = await backend.client.patch(
            f"{backend.api}/users/me", json={name: value}, headers=account.headers
        )
        problem_of(answer, 422, "validation_failed")


async def test_J8_a_long_token_is_refused(backend: Backend, problem_of: Check) -> None:
    headers = {"Authorization": "Bearer " + "x" * 9000}
    problem_of(await backend.client.get(f"{backend.api}/users/me", headers=headers), 401)


async def test_J8_a_length_is_checked_whatever_the_server_lets_through(
    backend: Backend, problem_of: Check
) -> None:
    for length in (b"9" * 5000, b"-1", b"1e3", "\N{SUPERSCRIPT TWO}".encode("latin-1")):
        answer = await backend.client.post(
            "/sink/raw", content=b"body", headers=[(b"Content-Length", length)]
        )
        assert answer.status_code in {400, 413}
        problem_of(answer, answer.status_code)
    twice = [("Content-Length", "4"), ("Content-Length", "0")]
    request = httpx2.Request("POST", "http://127.0.0.1/sink/raw", content=b"body", headers=twice)
    problem_of(await backend.client.send(request), 400, "bad_request")

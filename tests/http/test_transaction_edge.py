"""One request, one transaction, committed before the answer leaves; on each database."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import httpx2
import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse, StreamingResponse
from sqlalchemy import ForeignKey, Integer, String, func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from structlog.testing import capture_logs

from mainstay import (
    Base,
    BaseModel,
    Event,
    Feature,
    Id,
    Input,
    Mount,
    NotFoundError,
    Ports,
    Session,
    Subscriber,
    create_app,
    get_db,
    get_session,
    public,
    publish,
)
from mainstay.core.db.codes import ConnectionLostError
from mainstay.core.http.application import Application
from mainstay.core.http.body import REPLAYABLE_BYTES
from mainstay.core.http.conditional import tag_answer
from mainstay.core.http.context import context_of
from mainstay.testing.backend import Backend, serving

pytestmark = pytest.mark.anyio

Check = Callable[..., dict[str, Any]]
NOTES = "has notes"
router = APIRouter(prefix="/notes", dependencies=[Depends(public)])


class HttpNote(BaseModel):
    __tablename__ = "http_notes"

    name: Mapped[str] = mapped_column(String(50))
    slug_key: Mapped[str | None] = mapped_column(String(50), unique=True)
    slug: Mapped[str | None] = mapped_column(String(50))
    number: Mapped[int] = mapped_column(Integer(), default=0)
    version: Mapped[int] = mapped_column(Integer(), default=1)

    __mapper_args__: ClassVar[dict[str, Any]] = {"version_id_col": version}


class HttpTag(BaseModel):
    """Its foreign key is checked by the commit, where the database can do that."""

    __tablename__ = "http_tags"

    note_id: Mapped[str] = mapped_column(
        Id(), ForeignKey("http_notes.id", deferrable=True, initially="DEFERRED")
    )


class HttpLink(BaseModel):
    __tablename__ = "http_links"

    note_id: Mapped[str] = mapped_column(Id(), ForeignKey("http_notes.id"))


class NoteBody(Input):
    name: str = "note"
    slug: str | None = None
    number: int = 0


@dataclass(frozen=True, kw_only=True)
class NoteWritten(Event):
    name: ClassVar[str] = "http_note.written"

    text: str


@dataclass(frozen=True, kw_only=True)
class NoteRefused(Event):
    name: ClassVar[str] = "http_note.refused"

    text: str


class Stage:
    """What a test does to the endpoints, and sees of them."""

    def __init__(self) -> None:
        self.calls = 0
        self.errors: list[Exception] = []
        self.seen: list[Any] = []
        self.delivered: list[str] = []
        self.bodies: list[bytes] = []

    def enter(self) -> None:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)


def stage_of(request: Request) -> Stage:
    stage: Stage = request.app.state.stage
    return stage


Staged = Annotated[Stage, Depends(stage_of)]
Plain = Annotated[AsyncSession, Depends(get_session)]


async def _nested(session: Session, other: Annotated[AsyncSession, Depends(get_db)]) -> list[Any]:
    return [session, other]


async def _yielding(session: Plain) -> AsyncIterator[AsyncSession]:
    yield session


async def _write(session: AsyncSession, name: str) -> HttpNote:
    note = HttpNote(name=name)
    session.add(note)
    session.info[NOTES] = True
    await session.flush()
    return note


@router.api_route("", methods=["POST", "PUT", "PATCH", "DELETE"], status_code=201)
async def write(
    request: Request, stage: Staged, session: Plain, response: Response
) -> dict[str, str]:
    note = await _write(session, "note")
    tag_answer(request, note.version)
    response.headers["X-Tried"] = str(stage.calls + 1)
    stage.bodies.append(await request.body())
    stage.enter()
    return {"id": note.id}


@router.get("")
async def count(request: Request, stage: Staged, session: Session) -> dict[str, int]:
    found = await session.scalar(select(func.count()).select_from(HttpNote)) or 0
    tag_answer(request, found)
    stage.enter()
    return {"count": found}


@router.post("/body", status_code=201)
async def write_body(body: NoteBody, session: Session) -> dict[str, str]:
    fields = {"name": body.name, "slug": body.slug, "slug_key": body.slug, "number": body.number}
    note = HttpNote(**fields)
    session.add(note)
    return {"id": note.id or ""}


@router.post("/tag", status_code=201)
async def tag(
    note_id: str, stage: Staged, session: Session, tasks: BackgroundTasks
) -> dict[str, str]:
    await _write(session, "tagged")
    session.add(HttpTag(note_id=note_id))
    tasks.add_task(stage.seen.append, "background")
    return {"is": "tagged"}


@router.post("/link", status_code=201)
async def link(note_id: str, session: Session) -> None:
    session.add(HttpLink(note_id=note_id))
    await session.flush()


@router.get("/one/{note_id}")
async def one(note_id: str, session: Session) -> dict[str, str]:
    note = await session.get(HttpNote, note_id)
    if note is None:
        raise NotFoundError
    return {"id": note.id}


@router.post("/increment/{note_id}")
async def increment(note_id: str, stage: Staged, session: Session) -> dict[str, int]:
    note = await session.get_one(HttpNote, note_id)
    note.number += 1
    if stage.errors:  # somebody else was faster
        stage.errors.clear()
        units = stage.seen[0]
        async with units.transaction() as other:
            await other.execute(text("UPDATE http_notes SET version = version + 1"))
    await session.flush()
    return {"number": note.number}


@router.post("/count-and-write", status_code=201)
async def count_and_write(session: Session) -> dict[str, int]:
    found = await session.scalar(select(func.count()).select_from(HttpNote)) or 0
    await _write(session, f"number {found}")
    return {"count": found}


@router.post("/nested")
async def nested(
    request: Request,
    found: Annotated[list[Any], Depends(_nested)],
    yielded: Annotated[AsyncSession, Depends(_yielding)],
    plain: Plain,
    again: Annotated[AsyncSession, Depends(get_session, use_cache=False)],
) -> dict[str, int]:
    found += [yielded, plain, again, context_of(request.scope).unit.session]
    for session in found:
        await _write(session, "nested")
    return {"sessions": len({id(session) for session in found})}


@router.post("/raise/{how}")
async def raise_(how: str, session: Session) -> Response:
    await _write(session, how)
    if how == "response":
        return JSONResponse({}, status_code=400)
    if how == "redirect":
        return RedirectResponse("/", status_code=303)
    errors: dict[str, Exception] = {
        "problem": NotFoundError(),
        "http": HTTPException(418),
        "bug": RuntimeError("a bug"),
    }
    raise errors[how]


@router.post("/event")
async def event(stage: Staged, session: Session) -> None:
    await publish(session, NoteWritten(text="written"))
    stage.enter()


@router.post("/outlive")
async def outlive(request: Request, stage: Staged, session: Session) -> None:
    await _write(session, "undone with the rest")
    context_of(request.scope).unit.outlive(NoteRefused(text="refused"))
    stage.enter()


@router.post("/later", status_code=201)
async def later(stage: Staged, session: Session, request: Request, tasks: BackgroundTasks) -> None:
    await _write(session, "before")

    async def look() -> None:
        async with request.app.state.mainstay.units.transaction() as other:
            stage.seen.append(await other.scalar(select(func.count()).select_from(HttpNote)))

    tasks.add_task(look)


@router.post("/stream")
async def stream(stage: Staged, session: Session) -> StreamingResponse:
    await _write(session, "before")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            found = await session.scalar(select(func.count()).select_from(HttpNote))
            yield f"{found} ".encode()
        session.add(HttpNote(name="too late"))
        await session.flush()

    return StreamingResponse(chunks(), media_type="text/plain")


@router.get("/breaking-stream")
async def breaking_stream(stage: Staged) -> StreamingResponse:
    stage.calls += 1

    async def chunks() -> AsyncIterator[bytes]:
        yield b"begun"
        raise locked()

    return StreamingResponse(chunks(), media_type="text/plain")


@router.get("/endless")
async def endless(stage: Staged) -> StreamingResponse:
    async def chunks() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1024
            await asyncio.sleep(0)

    return StreamingResponse(chunks(), media_type="text/plain", headers={"X-Own": "there"})


@router.put("/killed")
async def killed(stage: Staged, session: Session) -> dict[str, int]:
    await _write(session, "written on a connection that dies")
    stage.calls += 1
    if stage.calls == 1:
        own, kill = KILLING[session.get_bind().dialect.name]
        number = await session.scalar(text(own))
        async with stage.seen[0].engine.connect() as other:
            await other.execute(text(kill.format(number)))
    await _write(session, "written after that")
    return {"calls": stage.calls}


KILLING = {
    "postgresql": ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend({})"),
    "mariadb": ("SELECT connection_id()", "KILL {}"),
}


async def _note_event(found: NoteRefused | NoteWritten, session: AsyncSession, _: Ports) -> None:
    await _write(session, f"event: {found.text}")


async def _deliver(found: NoteWritten, session: AsyncSession, ports: Ports) -> None:
    stage = ports[Application].state.stage
    stage.delivered.append(found.text)


FEATURE = Feature(
    name="notes",
    routers=(Mount(router=router, at="root"),),
    events=(NoteWritten, NoteRefused),
    subscribers=(
        Subscriber(event=NoteWritten, handler=_note_event, name="notes.written"),
        Subscriber(event=NoteRefused, handler=_note_event, name="notes.refused"),
        Subscriber(event=NoteWritten, handler=_deliver, name="notes.deliver", after_commit=True),
    ),
)


@pytest.fixture
def make_app(environ: dict[str, str], tmp_path: Path) -> Callable[[], Application]:
    return lambda: create_app([FEATURE], environ=environ, env_file=tmp_path / ".env")


@pytest.fixture
async def backend(app: Application) -> AsyncIterator[Backend]:
    app.state.stage = Stage()
    async with serving(app) as running:
        database = running.assembly.database
        tables = [HttpNote.__table__, HttpLink.__table__]
        if database.dialect_name != "mysql":  # which knows no deferred constraints
            tables.append(HttpTag.__table__)
        async with database.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all, tables=tables)
        yield running
        await _all_given_back(running)


async def _all_given_back(backend: Backend) -> None:
    """Wait until no request holds a connection; what works in the background may for a moment."""
    pool: Any = backend.assembly.database.engine.pool
    async with asyncio.timeout(20):
        while pool.checkedout():  # noqa: ASYNC110 - a pool tells nobody
            await asyncio.sleep(0.01)


@pytest.fixture
def stage(backend: Backend) -> Stage:
    found: Stage = backend.app.state.stage
    return found


async def names(backend: Backend) -> list[str]:
    async with backend.assembly.units.transaction() as session:
        return list(await session.scalars(select(HttpNote.name).order_by(HttpNote.id)))


def locked() -> OperationalError:
    """Give what a collision looks like."""
    cause = sqlite3.OperationalError("database is locked")
    cause.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return OperationalError("INSERT", {}, cause)


def fail_commits(monkeypatch: pytest.MonkeyPatch, *errors: Exception) -> None:
    """Let the commits of requests that wrote notes fail, one with each error."""
    commit, waiting = AsyncSession.commit, list(errors)

    async def failing(self: AsyncSession) -> None:
        if waiting and NOTES in self.info:
            raise waiting.pop(0)
        await commit(self)

    monkeypatch.setattr(AsyncSession, "commit", failing)


class Wire:
    """One request on the bare ASGI interface; ``on_send`` sees each message as it leaves."""

    def __init__(self, backend: Backend, method: str, path: str, **headers: str) -> None:
        self.app = backend.app
        self.messages: list[dict[str, Any]] = []
        self.incoming = [{"type": "http.request", "body": b"", "more_body": False}]
        self.on_send: Callable[[dict[str, Any]], Any] | None = None
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "scheme": "http",
            "query_string": b"",
            "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }

    async def run(self) -> list[int]:
        """Run the request; gives the statuses that were sent (one, if all is well)."""

        async def receive() -> dict[str, Any]:
            if self.incoming:
                return self.incoming.pop(0)
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            self.messages.append(message)
            if self.on_send is not None:
                await self.on_send(message)

        await self.app(self.scope, receive, send)
        return [m["status"] for m in self.messages if m["type"] == "http.response.start"]


# The commit


async def test_the_commit_comes_before_the_answer(backend: Backend) -> None:
    seen: list[list[str]] = []
    wire = Wire(backend, "POST", "/notes")

    async def look(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            seen.append(await names(backend))

    wire.on_send = look
    assert await wire.run() == [201]
    assert seen == [["note"]]


async def test_a_constraint_that_fails_at_the_commit_is_a_409(
    backend: Backend, stage: Stage, problem_of: Check
) -> None:
    if backend.assembly.database.dialect_name == "mysql":
        pytest.skip("MariaDB has no deferred constraints")
    nobody = "0198c2a5-0000-7000-8000-000000000000"
    answer = await backend.client.post("/notes/tag", params={"note_id": nobody})
    problem_of(answer, 409, "conflict")
    assert await names(backend) == []
    assert stage.seen == []
    note = (await backend.client.post("/notes")).json()["id"]
    answer = await backend.client.post("/notes/tag", params={"note_id": note})
    assert answer.status_code == 201
    assert stage.seen == ["background"]


async def test_a_failing_commit_is_never_a_success(
    backend: Backend, stage: Stage, monkeypatch: pytest.MonkeyPatch, problem_of: Check
) -> None:
    fail_commits(monkeypatch, *(ValueError() for _ in range(4)))
    for path in ("/notes", "/notes/later", "/notes/stream", "/notes/raise/redirect"):
        problem_of(await backend.client.post(path), 500, "internal_error")
    assert await names(backend) == []
    assert stage.seen == []


async def test_only_one_answer_leaves_when_the_commit_fails(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_commits(monkeypatch, ValueError())
    assert await Wire(backend, "POST", "/notes").run() == [500]


async def test_a_failing_commit_reaches_the_projects_own_handler(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handle(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"handled": type(error).__name__}, status_code=409)

    backend.app.add_exception_handler(IntegrityError, handle)
    fail_commits(monkeypatch, IntegrityError("INSERT", {}, Exception()))
    answer = await backend.client.post("/notes")
    assert (answer.status_code, answer.json()) == (409, {"handled": "IntegrityError"})


async def test_who_hides_a_failing_commit_cannot_answer_success(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hiding:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            try:
                await self.inner(scope, receive, send)
            except ValueError:
                await JSONResponse({"all": "well"})(scope, receive, send)

    app.add_middleware(Hiding)
    app.state.stage = Stage()
    async with serving(app) as backend:
        async with backend.assembly.database.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all, tables=[HttpNote.__table__])
        fail_commits(monkeypatch, ValueError())
        assert (await backend.client.post("/notes")).status_code == 500
        assert await names(backend) == []


# The session


async def test_the_plain_dependency_is_right(backend: Backend) -> None:
    assert (await backend.client.post("/notes")).status_code == 201
    assert (await backend.client.get("/notes")).json() == {"count": 1}


async def test_nested_dependencies_share_one_session(backend: Backend) -> None:
    answer = await backend.client.post("/notes/nested")
    assert answer.json() == {"sessions": 1}
    assert await names(backend) == ["nested"] * 6


async def test_two_requests_have_two_sessions(backend: Backend) -> None:
    answers = await asyncio.gather(
        *(backend.client.post("/notes/count-and-write") for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len(await names(backend)) == 20


# Undoing


async def test_an_exception_undoes_what_was_written(backend: Backend) -> None:
    for how, status in (("problem", 404), ("http", 418), ("bug", 500), ("response", 400)):
        answer = await backend.client.post(f"/notes/raise/{how}")
        assert answer.status_code == status
    assert await names(backend) == []
    assert (await backend.client.post("/notes/raise/redirect")).status_code == 303
    assert await names(backend) == ["redirect"]


# Events


async def test_events_share_the_fate_of_the_transaction(backend: Backend, stage: Stage) -> None:
    assert (await backend.client.post("/notes/event")).status_code == 200
    assert await names(backend) == ["event: written"]
    stage.errors = [RuntimeError()]
    assert (await backend.client.post("/notes/event")).status_code == 500
    assert await names(backend) == ["event: written"]


async def test_what_follows_the_commit_is_delivered_after_it(
    backend: Backend, stage: Stage
) -> None:
    stage.errors = [NotFoundError()]
    assert (await backend.client.post("/notes/event")).status_code == 404
    await backend.run_jobs()
    assert stage.delivered == []
    assert (await backend.client.post("/notes/event")).status_code == 200
    assert stage.delivered == []
    await backend.run_jobs()
    assert stage.delivered == ["written"]


async def test_what_outlives_a_refusal_is_recorded_alone(backend: Backend, stage: Stage) -> None:
    for error in (NotFoundError(), RuntimeError()):
        stage.errors = [error]
        assert (await backend.client.post("/notes/outlive")).status_code >= 400
    assert await names(backend) == ["event: refused"] * 2


async def test_what_outlives_is_recorded_with_a_success_too(backend: Backend) -> None:
    assert (await backend.client.post("/notes/outlive")).status_code == 200
    assert sorted(await names(backend)) == ["event: refused", "undone with the rest"]


async def test_what_outlives_outlives_a_failing_commit(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_commits(monkeypatch, ValueError())
    assert (await backend.client.post("/notes/outlive")).status_code == 500
    assert await names(backend) == ["event: refused"]


async def test_what_outlives_is_recorded_once_for_a_replay(backend: Backend, stage: Stage) -> None:
    stage.errors = [locked(), NotFoundError()]
    answer = await backend.client.post("/notes/outlive", headers={"Idempotency-Key": "k"})
    assert (answer.status_code, stage.calls) == (404, 2)
    assert await names(backend) == ["event: refused"]


# Background tasks


async def test_background_tasks_see_what_was_committed(backend: Backend, stage: Stage) -> None:
    assert (await backend.client.post("/notes/later")).status_code == 201
    assert stage.seen == [1]


async def test_background_tasks_do_not_run_after_a_failing_commit(
    backend: Backend, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_commits(monkeypatch, ValueError(), ValueError())
    for headers in ({}, {"Idempotency-Key": "k"}):
        answer = await backend.client.post("/notes/later", headers=headers)
        assert answer.status_code == 500
    assert stage.seen == []


# Running again

REPEATABLE = [
    ("GET", {}),
    ("HEAD", {}),
    ("PUT", {}),
    ("DELETE", {}),
    ("POST", {"Idempotency-Key": "k"}),
    ("PATCH", {"Idempotency-Key": "k"}),
]
ONCE: list[tuple[str, dict[str, str]]] = [("POST", {}), ("PATCH", {})]


def _transient() -> list[Exception]:
    return [locked(), ConnectionLostError(), locked()]


async def test_a_transient_failure_is_borne_twice(backend: Backend, stage: Stage) -> None:
    for method, headers in REPEATABLE:
        stage.calls, stage.errors = 0, _transient()[:2]
        before = len(await names(backend))
        answer = await backend.client.request(method, "/notes", headers=headers)
        assert (answer.status_code < 300, stage.calls) == (True, 3), method
        assert len(answer.headers.get_list("etag")) == 1
        written = 0 if method in {"GET", "HEAD"} else 1
        assert len(await names(backend)) == before + written, method


async def test_a_third_failure_is_a_503(backend: Backend, stage: Stage, problem_of: Check) -> None:
    for method, headers in REPEATABLE:
        stage.calls, stage.errors = 0, _transient()
        answer = await backend.client.request(method, "/notes", headers=headers)
        assert (answer.status_code, stage.calls) == (503, 3), method
        assert int(answer.headers["retry-after"]) > 0
        if method != "HEAD":
            problem_of(answer, 503, "dependency_unavailable")
    assert await names(backend) == []


async def test_what_must_not_be_repeated_is_not(
    backend: Backend, stage: Stage, problem_of: Check
) -> None:
    for method, headers in ONCE:
        for error in _transient():
            stage.calls, stage.errors = 0, [error]
            answer = await backend.client.request(method, "/notes", headers=headers)
            problem_of(answer, 503, "dependency_unavailable")
            assert stage.calls == 1, method
    assert await names(backend) == []


async def test_another_failure_is_not_tried_again(backend: Backend, stage: Stage) -> None:
    for error in (RuntimeError(), NotFoundError(), IntegrityError("INSERT", {}, Exception())):
        stage.calls, stage.errors = 0, [error]
        assert (await backend.client.put("/notes")).status_code >= 400
        assert stage.calls == 1


async def test_a_commit_that_collides_is_run_again(
    backend: Backend, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for method, headers in REPEATABLE[2:]:
        stage.calls = 0
        with monkeypatch.context() as patched:
            fail_commits(patched, locked(), locked())
            answer = await backend.client.request(method, "/notes", headers=headers)
        assert (answer.status_code, stage.calls) == (201, 3), method
        assert answer.headers["x-tried"] == "3"
    assert len(await names(backend)) == len(REPEATABLE[2:])


async def test_a_plain_post_whose_commit_collides_is_not(
    backend: Backend, stage: Stage, monkeypatch: pytest.MonkeyPatch, problem_of: Check
) -> None:
    fail_commits(monkeypatch, locked())
    problem_of(await backend.client.post("/notes"), 503, "dependency_unavailable")
    assert stage.calls == 1


async def test_each_try_gets_the_whole_body(backend: Backend, stage: Stage) -> None:
    stage.errors = [locked(), locked()]
    body = b'{"a": "body"}'
    headers = {"Content-Type": "application/json"}
    assert (await backend.client.put("/notes", content=body, headers=headers)).status_code == 201
    assert stage.bodies == [body] * 3


async def test_streamed_and_large_bodies_are_sent_once(backend: Backend, stage: Stage) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    large = b"x" * (REPLAYABLE_BYTES + 1)
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    for content, headers in ((chunks(), {}), (large, {}), (b"--x--", form)):
        stage.calls, stage.errors = 0, [locked()]
        answer = await backend.client.put("/notes", content=content, headers=headers)
        assert (answer.status_code, stage.calls) == (503, 1)


async def test_an_answer_that_has_begun_is_not_begun_again(backend: Backend, stage: Stage) -> None:
    wire = Wire(backend, "GET", "/notes/breaking-stream")
    with pytest.raises(OperationalError):
        await wire.run()
    begun = [m for m in wire.messages if m["type"] == "http.response.start"]
    assert (len(begun), stage.calls) == (1, 1)


async def test_a_connection_that_dies_is_replaced(backend: Backend, stage: Stage) -> None:
    database = backend.assembly.database
    if database.dialect_name == "sqlite":
        pytest.skip("a file has no connection that could die")
    stage.seen = [database]
    answer = await backend.client.put("/notes/killed")
    assert (answer.status_code, answer.json()) == (200, {"calls": 2})
    assert len(await names(backend)) == 2


async def test_the_caller_is_known_in_each_try(backend: Backend, stage: Stage) -> None:
    account = await backend.register()
    stage.errors = [locked()]
    headers = {**account.headers, "Idempotency-Key": "k"}
    answer = await backend.client.post("/notes", headers=headers)
    assert (answer.status_code, stage.calls) == (201, 2)


# What a database refuses


async def test_a_taken_value_is_a_409_that_names_the_member(
    backend: Backend, problem_of: Check
) -> None:
    body = {"name": "a", "slug": "taken"}
    assert (await backend.client.post("/notes/body", json=body)).status_code == 201
    document = problem_of(await backend.client.post("/notes/body", json=body), 409)
    assert document["code"] == "already_exists"
    assert [error["pointer"] for error in document["errors"]] == ["#/slug"]
    assert "taken" not in str(document["errors"][0].get("params"))


async def test_a_race_for_a_value_has_one_winner(backend: Backend) -> None:
    body = {"name": "a", "slug": "contested"}
    answers = await asyncio.gather(
        *(backend.client.post("/notes/body", json=body) for _ in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9


async def test_a_reference_to_nothing_is_a_409(backend: Backend, problem_of: Check) -> None:
    nobody = "0198c2a5-0000-7000-8000-000000000000"
    answer = await backend.client.post("/notes/link", params={"note_id": nobody})
    problem_of(answer, 409, "conflict")


async def test_a_malformed_id_is_a_404(backend: Backend, problem_of: Check) -> None:
    for malformed in ("nonsense", "1", "0198c2a5-0000-7000-8000-00000000000g", "%00"):
        problem_of(await backend.client.get(f"/notes/one/{malformed}"), 404, "not_found")


async def test_a_value_out_of_range_is_a_422(backend: Backend, problem_of: Check) -> None:
    answer = await backend.client.post("/notes/body", json={"number": 2**63})
    problem_of(answer, 422, "validation_failed")
    if backend.assembly.database.dialect_name != "sqlite":  # which has no limits of its own
        for body in ({"number": 2**40}, {"name": "x" * 51}):
            answer = await backend.client.post("/notes/body", json=body)
            problem_of(answer, 422, "validation_failed")


async def test_a_row_that_somebody_changed_meanwhile_is_a_conflict(
    backend: Backend, stage: Stage, problem_of: Check
) -> None:
    if backend.assembly.database.dialect_name != "postgresql":
        pytest.skip("the others let nobody in between")
    note = (await backend.client.post("/notes")).json()["id"]
    for headers, status in (({}, 409), ({"If-Match": '"1"'}, 412)):
        stage.errors, stage.seen = [RuntimeError()], [backend.assembly.units]
        answer = await backend.client.post(f"/notes/increment/{note}", headers=headers)
        problem_of(answer, status)


# Streams, HEAD and clients that go away


async def test_a_stream_begins_after_the_commit(backend: Backend) -> None:
    answer = await backend.client.post("/notes/stream")
    assert answer.text == "1 1 1 "
    assert await names(backend) == ["before"]


async def test_head_is_get_without_its_body(backend: Backend) -> None:
    for path in ("/notes", "/notes/one/nonsense"):
        full = await backend.client.get(path)
        answer = await backend.client.head(path)
        assert (answer.status_code, answer.content) == (full.status_code, b"")
        same = {"content-type", "content-length", "etag"}
        assert {k: v for k, v in answer.headers.items() if k in same} == {
            k: v for k, v in full.headers.items() if k in same
        }


async def test_head_ends_a_stream_that_has_no_end(backend: Backend) -> None:
    answer = await asyncio.wait_for(backend.client.head("/notes/endless"), 30)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["x-own"] == "there"


async def test_a_client_that_leaves_in_mid_body_changes_nothing(
    backend: Backend, stage: Stage
) -> None:
    part = {"type": "http.request", "body": b'{"name":', "more_body": True}
    lengths: list[dict[str, str]] = [
        {"content_length": "20", "content_type": "application/json"},
        {"transfer_encoding": "chunked", "content_type": "application/json"},
        {"transfer_encoding": "chunked", "content_type": "text/plain"},
    ]
    for headers in lengths:
        wire = Wire(backend, "POST", "/notes", **headers)
        wire.incoming = [dict(part)]
        with capture_logs() as lines:
            assert await wire.run() == []
        assert [line for line in lines if line["event"] == "request.failed"] == []
    assert await names(backend) == []


async def test_a_client_that_leaves_during_the_answer_keeps_its_effects(
    backend: Backend,
) -> None:
    wire = Wire(backend, "POST", "/notes/stream")

    async def gone(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            raise OSError

    wire.on_send = gone
    with capture_logs() as lines:
        assert await wire.run() == [200]
    assert await names(backend) == ["before"]
    assert [line for line in lines if line["event"] == "request.failed"] == []


async def test_parallel_changes_of_one_profile_never_break(backend: Backend) -> None:
    account = await backend.register()

    async def change(number: int) -> httpx2.Response:
        body = {"first_name": f"Name {number}"}
        me = f"{backend.api}/users/me"
        return await backend.client.patch(me, json=body, headers=account.headers)

    answers = await asyncio.gather(*(change(number) for number in range(8)))
    statuses = {answer.status_code for answer in answers}
    assert 200 in statuses
    assert statuses <= {200, 409, 503}

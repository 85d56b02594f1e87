"""Idempotency keys: row J6 of the requirements, on each database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import String, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from mainstay import (
    Base,
    BaseModel,
    Feature,
    Input,
    Mount,
    NotAuthenticatedError,
    NotFoundError,
    RateLimitedError,
    Session,
    create_app,
    public,
)
from mainstay.core.db.codes import ConnectionLostError
from mainstay.core.errors import ConflictError, DependencyUnavailableError
from mainstay.core.http.application import Application
from mainstay.core.http.conditional import tag_answer
from mainstay.core.http.idempotency import (
    KEEP,
    LEASE,
    IdempotencyKey,
    purge_expired,
    require_key,
)
from mainstay.core.http.recording import MAX_KEPT_BODY
from mainstay.kit.clock import replaced
from mainstay.testing.backend import Backend, serving

pytestmark = pytest.mark.anyio

Check = Callable[..., dict[str, Any]]
ORDERS = "has orders"
router = APIRouter(prefix="/orders", dependencies=[Depends(public)])


class HttpOrder(BaseModel):
    __tablename__ = "http_orders"

    name: Mapped[str] = mapped_column(String(50))


class OrderBody(Input):
    name: str = "pen"


class Stage:
    """What a test does to the endpoint, and sees of it."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: Exception | None = None
        self.entered = asyncio.Event()
        self.gate: asyncio.Event | None = None
        self.rows_seen_behind: list[int] = []


def stage_of(request: Request) -> Stage:
    stage: Stage = request.app.state.stage
    return stage


Staged = Annotated[Stage, Depends(stage_of)]


@router.post("", status_code=201)
@router.patch("", status_code=201)
@router.post("/other", status_code=201)
async def order(
    body: OrderBody, request: Request, stage: Staged, session: Session, response: Response
) -> dict[str, str]:
    stage.calls += 1
    stage.entered.set()
    if stage.gate is not None:
        gate, stage.gate = stage.gate, None
        await gate.wait()
    made = HttpOrder(name=body.name)
    session.add(made)
    session.info[ORDERS] = True
    await session.flush()
    if stage.error is not None:
        raise stage.error
    response.headers["Location"] = f"/orders/{made.id}"
    response.headers["X-Own"] = "not kept"
    tag_answer(request, 3)
    return {"id": made.id}


@router.post("/secret")
async def secret(stage: Staged, response: Response) -> dict[str, str]:
    stage.calls += 1
    response.headers["Cache-Control"] = "no-store"
    return {"access_token": "hunter2"}


@router.post("/empty", status_code=204)
async def empty(stage: Staged) -> None:
    stage.calls += 1


@router.post("/stream")
async def stream(stage: Staged, session: Session, size: int) -> StreamingResponse:
    stage.calls += 1
    session.add(HttpOrder(name="stream"))
    chunks = (b"x" * 65_536 for _ in range(size // 65_536))
    return StreamingResponse(chunks, media_type="application/octet-stream")


@router.post("/later")
async def later(
    stage: Staged, session: Session, request: Request, tasks: BackgroundTasks
) -> dict[str, str]:
    stage.calls += 1
    session.add(HttpOrder(name="later"))

    async def look() -> None:
        units = request.app.state.mainstay.units
        async with units.transaction() as other:
            count = await other.scalar(select(func.count()).select_from(HttpOrder))
        stage.rows_seen_behind.append(count or 0)

    tasks.add_task(look)
    return {"is": "queued"}


@router.post("/required", dependencies=[Depends(require_key)])
async def required(stage: Staged) -> dict[str, str]:
    stage.calls += 1
    return {"is": "done"}


@router.put("")
@router.delete("")
async def repeatable(stage: Staged) -> dict[str, int]:
    stage.calls += 1
    return {"calls": stage.calls}


@pytest.fixture
def make_app(environ: dict[str, str], tmp_path: Path) -> Callable[[], Application]:
    feature = Feature(name="orders", routers=(Mount(router=router, at="root"),))
    return lambda: create_app([feature], environ=environ, env_file=tmp_path / ".env")


@pytest.fixture
async def backend(app: Application) -> AsyncIterator[Backend]:
    app.state.stage = Stage()
    async with serving(app) as running:
        async with running.assembly.database.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all, tables=[HttpOrder.__table__])
        yield running


@pytest.fixture
def stage(backend: Backend) -> Stage:
    found: Stage = backend.app.state.stage
    return found


class Clock:
    """The time, as far ahead as a test wants it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Iterator[Clock]:
    moved = Clock()
    with replaced(moved):
        yield moved


async def post(
    backend: Backend, path: str = "", key: str | None = "k-1", **options: Any
) -> httpx2.Response:
    headers = {**options.pop("headers", {})}
    if key is not None:
        headers["Idempotency-Key"] = key
    method = options.pop("method", "POST")
    if "content" not in options:
        options = {"json": {}, **options}
    return await backend.client.request(method, f"/orders{path}", headers=headers, **options)


async def rows(backend: Backend) -> int:
    async with backend.assembly.units.transaction() as session:
        return await session.scalar(select(func.count()).select_from(HttpOrder)) or 0


async def keys(backend: Backend) -> list[IdempotencyKey]:
    async with backend.assembly.units.transaction() as session:
        return list(await session.scalars(select(IdempotencyKey)))


async def test_J6_a_repeat_gets_the_first_answer(backend: Backend, stage: Stage) -> None:
    first = await post(backend)
    assert first.status_code == 201
    assert "idempotent-replayed" not in first.headers
    again = await post(backend)
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    for name in ("content-type", "content-length", "location", "etag"):
        assert again.headers.get_list(name) == first.headers.get_list(name) != []
    assert (stage.calls, await rows(backend)) == (1, 1)


async def test_J6_a_key_is_the_same_with_and_without_quotes(backend: Backend, stage: Stage) -> None:
    assert (await post(backend, key='"k-1"')).status_code == 201
    assert (await post(backend, key="k-1")).headers["idempotent-replayed"] == "true"
    assert stage.calls == 1


async def test_J6_other_keys_and_none_are_other_requests(backend: Backend, stage: Stage) -> None:
    for key in ("k-1", "k-2", None, None):
        assert (await post(backend, key=key)).status_code == 201
    assert (stage.calls, await rows(backend)) == (4, 4)


async def test_J6_a_malformed_key_is_refused(
    backend: Backend, stage: Stage, problem_of: Check
) -> None:
    for key in ("", '""', "a b", "x" * 256, "tab\there"):
        problem_of(await post(backend, key=key), 400, "bad_request")
    answer = await backend.client.post(
        "/orders", json={}, headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    )
    problem_of(answer, 400, "bad_request")
    assert stage.calls == 0


async def test_J6_the_same_key_with_another_request_is_refused(
    backend: Backend, stage: Stage, problem_of: Check
) -> None:
    assert (await post(backend, json={"name": "pen"})).status_code == 201
    for options in (
        {"json": {"name": "ink"}},
        {"json": {"name": "pen"}, "params": {"a": "1"}},
        {
            "content": b'{"name":"pen"}',
            "headers": {"Content-Type": "application/merge-patch+json"},
        },
    ):
        problem_of(await post(backend, **options), 422, "idempotency_key_reused")
    assert stage.calls == 1


async def test_J6_still_running_is_409(backend: Backend, stage: Stage, problem_of: Check) -> None:
    gate = stage.gate = asyncio.Event()
    first = asyncio.create_task(post(backend))
    await stage.entered.wait()
    second = await post(backend)
    problem_of(second, 409, "idempotency_in_progress")
    assert second.headers["retry-after"] == "1"
    gate.set()
    assert (await first).status_code == 201
    third = await post(backend)
    assert third.headers["idempotent-replayed"] == "true"
    assert (stage.calls, await rows(backend)) == (1, 1)


async def test_J6_of_many_at_once_one_runs(backend: Backend, stage: Stage) -> None:
    answers = await asyncio.gather(*(post(backend) for _ in range(10)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    bodies = {answer.content for answer in answers if answer.status_code == 201}
    assert len(bodies) == 1
    assert (stage.calls, await rows(backend)) == (1, 1)


async def test_J6_a_key_expires_after_a_day(backend: Backend, stage: Stage, clock: Clock) -> None:
    assert timedelta(hours=24) == KEEP
    first = await post(backend)
    clock.ahead = KEEP - timedelta(minutes=1)
    assert (await post(backend)).content == first.content
    clock.ahead = KEEP + timedelta(minutes=1)
    assert (await post(backend, json={"name": "another"})).status_code == 201
    assert (stage.calls, await rows(backend)) == (2, 2)


async def test_J6_expired_keys_are_deleted(backend: Backend, clock: Clock) -> None:
    await post(backend, key="old")
    clock.ahead = KEEP + timedelta(minutes=1)
    await post(backend, key="new")
    async with backend.assembly.units.transaction() as session:
        await purge_expired(session)  # unless the hourly job has just been here
    (left,) = await keys(backend)
    assert left.expires_at > clock()


async def test_J6_a_key_is_its_callers_own(backend: Backend, stage: Stage) -> None:
    one, other = await backend.register(), await backend.register()
    bodies = [(await post(backend, headers=a.headers)).content for a in (one, other)]
    bodies.append((await post(backend)).content)
    assert len(set(bodies)) == 3
    fresh = await backend.login(one)
    headers = {"Authorization": f"Bearer {fresh['access_token']}"}
    again = await post(backend, headers=headers)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.content == bodies[0]
    assert stage.calls == 3


async def test_J6_a_callers_own_answer_is_not_stored_by_caches(backend: Backend) -> None:
    account = await backend.register()
    for _ in range(2):
        answer = await post(backend, headers=account.headers)
        assert answer.headers["cache-control"] == "no-store"


async def test_J6_without_a_sign_in_the_address_is_the_caller(
    backend: Backend, stage: Stage
) -> None:
    first = await post(backend)
    transport = httpx2.ASGITransport(app=backend.app, client=("198.51.100.7", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as elsewhere:
        other = await elsewhere.post("/orders", json={}, headers={"Idempotency-Key": "k-1"})
    assert other.status_code == 201
    assert other.content != first.content
    forged = await post(backend, headers={"X-Forwarded-For": "198.51.100.7"})
    assert forged.content == first.content
    assert stage.calls == 2


async def test_J6_a_key_is_its_routes_own(backend: Backend, stage: Stage) -> None:
    first = await post(backend)
    assert (await post(backend, "/other")).content != first.content
    assert (await post(backend, method="PATCH")).content != first.content
    assert (await post(backend, "/")).content == first.content
    assert stage.calls == 3


async def test_J6_methods_that_may_be_repeated_take_no_key(backend: Backend, stage: Stage) -> None:
    for method in ("PUT", "DELETE", "PUT", "DELETE"):
        answer = await post(backend, method=method)
        assert "idempotent-replayed" not in answer.headers
    assert stage.calls == 4
    assert await keys(backend) == []


async def test_J6_secrets_are_not_kept(backend: Backend, stage: Stage, problem_of: Check) -> None:
    first = await post(backend, "/secret")
    assert first.json() == {"access_token": "hunter2"}
    document = problem_of(await post(backend, "/secret"), 409, "conflict")
    assert "hunter2" not in str(document)
    assert stage.calls == 1
    (row,) = await keys(backend)
    assert (row.status, row.body) == (200, None)


async def test_J6_a_sign_in_is_not_kept(backend: Backend, problem_of: Check) -> None:
    account = await backend.register()
    body = {"username_or_email": account.email, "password": account.password}
    path, headers = f"{backend.api}/auth/login", {"Idempotency-Key": "k-1"}
    assert (await backend.client.post(path, json=body, headers=headers)).status_code == 200
    problem_of(await backend.client.post(path, json=body, headers=headers), 409, "conflict")
    assert [row.body for row in await keys(backend)] == [None]


async def test_J6_a_refusal_is_kept(backend: Backend, stage: Stage, problem_of: Check) -> None:
    stage.error = NotFoundError("There is no such thing.")
    first = await post(backend)
    problem_of(first, 404, "not_found")
    stage.error = None
    again = await post(backend)
    assert (again.status_code, again.content) == (404, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    invalid = await post(backend, key="k-2", json={"name": 7})
    problem_of(invalid, 422)
    assert (await post(backend, key="k-2", json={"name": 7})).content == invalid.content
    assert (stage.calls, await rows(backend)) == (1, 0)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("broken"),
        DependencyUnavailableError(),
        ConflictError(),
        RateLimitedError(),
        NotAuthenticatedError(),
    ],
    ids=["500", "503", "409", "429", "401"],
)
async def test_J6_what_may_go_better_next_time_is_not_kept(
    backend: Backend, stage: Stage, error: Exception
) -> None:
    stage.error = error
    assert (await post(backend)).status_code >= 400
    assert await keys(backend) == []
    stage.error = None
    again = await post(backend)
    assert again.status_code == 201
    assert "idempotent-replayed" not in again.headers
    assert (stage.calls, await rows(backend)) == (2, 1)


async def _pretend_running(backend: Backend, *, lease_until: datetime) -> None:
    """Leave behind what a process leaves that dies before it commits."""
    async with backend.assembly.units.transaction() as session:
        await session.execute(
            update(IdempotencyKey).values(
                status=None, body=None, headers=None, lease_until=lease_until
            )
        )


async def test_J6_after_a_crash_the_lease_runs_out(
    backend: Backend, stage: Stage, problem_of: Check
) -> None:
    await post(backend)
    await _pretend_running(backend, lease_until=datetime.now(UTC) + timedelta(seconds=30))
    problem_of(await post(backend), 409, "idempotency_in_progress")
    await _pretend_running(backend, lease_until=datetime.now(UTC) - timedelta(seconds=1))
    problem_of(await post(backend, json={"name": "other"}), 422, "idempotency_key_reused")
    again = await post(backend)
    assert again.status_code == 201
    assert "idempotent-replayed" not in again.headers
    assert (await post(backend)).content == again.content
    assert stage.calls == 2


@pytest.mark.parametrize("error", [None, NotFoundError()], ids=["success", "refusal"])
async def test_J6_who_took_too_long_cannot_commit_any_more(
    backend: Backend, stage: Stage, clock: Clock, problem_of: Check, *, error: Exception | None
) -> None:
    gate = stage.gate = asyncio.Event()
    first = asyncio.create_task(post(backend))
    await stage.entered.wait()
    clock.ahead = LEASE + timedelta(seconds=1)
    second = await post(backend)
    assert second.status_code == 201
    stage.error = error
    gate.set()
    problem_of(await first, 409, "conflict")
    assert (stage.calls, await rows(backend)) == (2, 1)
    assert (await post(backend)).content == second.content


async def test_J6_a_commit_that_fails_frees_the_key(
    backend: Backend, stage: Stage, monkeypatch: pytest.MonkeyPatch, problem_of: Check
) -> None:
    commit, failures = AsyncSession.commit, [ValueError("the commit failed")]

    async def failing(self: AsyncSession) -> None:
        if failures and ORDERS in self.info:
            raise failures.pop()
        await commit(self)

    monkeypatch.setattr(AsyncSession, "commit", failing)
    problem_of(await post(backend), 500)
    assert (await keys(backend), await rows(backend)) == ([], 0)
    assert (await post(backend)).status_code == 201
    assert (stage.calls, await rows(backend)) == (2, 1)


@pytest.mark.parametrize("committed", [True, False])
async def test_J6_a_repeat_tells_what_became_of_a_commit_that_broke(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, problem_of: Check, *, committed: bool
) -> None:
    commit, losses = AsyncSession.commit, [ConnectionLostError()]

    async def losing(self: AsyncSession) -> None:
        lost = losses and ORDERS in self.info
        if committed or not lost:
            await commit(self)
        if lost:
            raise losses.pop()

    monkeypatch.setattr(AsyncSession, "commit", losing)
    problem_of(await post(backend), 503, "dependency_unavailable")
    again = await post(backend)
    assert again.status_code == 201
    assert ("idempotent-replayed" in again.headers) == committed
    assert await rows(backend) == 1
    assert (await post(backend)).content == again.content


async def test_J6_a_committed_answer_outlives_a_lost_connection(
    backend: Backend, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = AsyncSession.commit

    async def losing(self: AsyncSession) -> None:
        ours = ORDERS in self.info
        await commit(self)
        if ours:
            msg = "not transient"
            raise OSError(msg)

    with monkeypatch.context() as patched:
        patched.setattr(AsyncSession, "commit", losing)
        assert (await post(backend)).status_code == 500
    again = await post(backend)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert (stage.calls, await rows(backend)) == (1, 1)


async def test_J6_an_answer_without_a_body_is_repeated_as_one(
    backend: Backend, stage: Stage
) -> None:
    for _ in range(2):
        answer = await post(backend, "/empty")
        assert (answer.status_code, answer.content) == (204, b"")
        assert "content-length" not in answer.headers
    assert stage.calls == 1


async def test_J6_a_stream_is_kept_whole(backend: Backend, stage: Stage) -> None:
    first, again = [await post(backend, "/stream?size=262144") for _ in range(2)]
    assert first.content == again.content == b"x" * 262_144
    assert (stage.calls, await rows(backend)) == (1, 1)


async def test_J6_what_is_too_long_to_keep_runs_once_all_the_same(
    backend: Backend, stage: Stage, problem_of: Check
) -> None:
    size = 2 * MAX_KEPT_BODY
    first = await post(backend, f"/stream?size={size}")
    assert len(first.content) == size
    problem_of(await post(backend, f"/stream?size={size}"), 409, "conflict")
    assert (stage.calls, await rows(backend)) == (1, 1)


async def test_J6_background_work_sees_what_was_committed(backend: Backend, stage: Stage) -> None:
    assert (await post(backend, "/later")).status_code == 200
    assert stage.rows_seen_behind == [1]
    assert (await post(backend, "/later")).headers["idempotent-replayed"] == "true"
    assert stage.rows_seen_behind == [1]


async def test_J6_missing_where_it_is_required_is_400(
    backend: Backend, stage: Stage, problem_of: Check
) -> None:
    problem_of(await post(backend, "/required", key=None), 400, "idempotency_key_required")
    assert stage.calls == 0
    for _ in range(2):
        assert (await post(backend, "/required")).json() == {"is": "done"}
    assert stage.calls == 1

"""An application with the audit trail and little else, on a database of its own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import httpx2
import pytest
from fastapi import APIRouter, Depends

from mainstay.app import create_app
from mainstay.core.assembly import assembly_of
from mainstay.core.auth import has_permissions
from mainstay.core.errors import ConflictError, NotAuthenticatedError
from mainstay.core.events import Event, publish
from mainstay.core.feature import Feature, Mount
from mainstay.core.http.deps import Session
from mainstay.core.ports import Provide
from mainstay.core.principal import Principal, PrincipalResolver
from mainstay.features import BUILT_IN
from mainstay.features.audit import AuditLog
from mainstay.testing.databases import KINDS, Kind, fresh_database, is_required, why_unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from mainstay.core.db.unit import Units
    from mainstay.core.http.application import Application

READER, PERSON = "0190d9c0-0000-7000-8000-000000000001", "0190d9c0-0000-7000-8000-000000000002"


@dataclass(frozen=True, kw_only=True)
class ThingChanged(Event):
    name: ClassVar[str] = "thing.changed"
    secret: ClassVar[frozenset[str]] = frozenset({"pin"})

    pin: str = "1234"
    colour: str = "red"
    nested: dict[str, Any] | None = None


class Resolver:
    """``reader`` may read the trail, ``person`` may not."""

    async def resolve(self, token: str) -> Principal:
        if token == "reader":
            return Principal(id=READER, permissions=frozenset({"audit:read"}))
        if token == "person":
            return Principal(id=PERSON)
        raise NotAuthenticatedError

    def subject(self, token: str) -> str | None:  # noqa: ARG002
        return None


@pytest.fixture
def thing_changed() -> type[ThingChanged]:
    return ThingChanged


things = APIRouter(tags=["things"])


@things.post("/things/{thing_id}", dependencies=[Depends(has_permissions("audit:read"))])
async def change(thing_id: str, session: Session, fail: bool = False) -> None:
    await publish(session, ThingChanged(target_id=thing_id))
    if fail:
        raise ConflictError


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    kind: Kind = request.param
    reason = why_unavailable(kind)
    if reason is not None:
        (pytest.fail if is_required(kind) else pytest.skip)(reason)
    with fresh_database(kind) as url:
        yield url


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[Application]:
    stub = Feature(
        name="things",
        routers=(Mount(router=things, at="root"),),
        provides=(Provide(PrincipalResolver, lambda _: Resolver()),),
    )
    made = create_app(
        [stub],
        disable=set(BUILT_IN) - {"audit"},
        environ={
            "SECRET_KEY": "p9Zx4Lr7Qm2Vt8Wn5Bk3Hs6Jd1Fg0Cy-XaUeIoTb",
            "DATABASE_URL": database_url,
        },
        env_file=Path(os.devnull),
    )
    database = assembly_of(made).database
    async with database.engine.begin() as connection:
        await connection.run_sync(AuditLog.__table__.create)  # type: ignore[attr-defined]
    yield made
    await database.dispose()


@pytest.fixture
def units(app: Application) -> Units:
    return assembly_of(app).units


@pytest.fixture
async def client(app: Application) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app, client=("203.0.113.9", 4000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://t") as opened:
        yield opened

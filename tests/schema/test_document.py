"""schemathesis over the document: what is promised holds, whoever asks and with whatever input.

The application is served for real, on SQLite, to an anonymous caller and to a superadmin.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mainstay.app import create_app
from mainstay.core.assembly import assembly_of
from mainstay.features.auth import Administrators
from mainstay.testing.backend import environment
from mainstay.testing.databases import fresh_database
from mainstay.testing.migrated import migrate_url

EXAMPLES = 15
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
ENDS_THE_CALLER = {"/auth/logout", "/auth/logout-everywhere", "/users/logout-everywhere"}
EMAIL, PASSWORD = "schema@example.com", "seldom-heard-melody"


@dataclass(frozen=True)
class Served:
    url: str
    headers: dict[str, dict[str, str]]


def document() -> schemathesis.BaseSchema:
    app = create_app(environ=environment(DATA_DIR="/nonexistent", DATABASE_URL="sqlite://"))
    return schemathesis.openapi.from_dict(app.openapi())


SCHEMA = document()
OPERATIONS = {
    operation.label: operation
    for result in SCHEMA.get_all_operations()
    if (operation := result.ok()) is not None
}


async def make_administrator(environ: dict[str, str]) -> None:
    assembly = assembly_of(create_app(environ=environ))
    async with assembly.units.transaction() as session:
        administrators = assembly.ports[Administrators]
        await administrators.create(session, email=EMAIL, password=PASSWORD, how="command")
    await assembly.database.dispose()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("schema")
    with fresh_database("sqlite") as url, socket.socket() as listener:
        migrate_url(url)
        environ = environment(DATABASE_URL=url, DATA_DIR=folder, RUN_MIGRATIONS="false")
        asyncio.run(make_administrator(environ))
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(create_app(environ=environ), log_level="error")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            base = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with httpx2.Client(base_url=base, transport=httpx2.HTTPTransport(retries=50)) as client:
                body = {"email": EMAIL, "password": PASSWORD}
                tokens = client.post("/api/v1/auth/login", json=body).raise_for_status().json()
            signed_in = {"Authorization": f"Bearer {tokens['access_token']}"}
            yield Served(base, {"anonymous": {}, "superadmin": signed_in})
        finally:
            server.should_exit = True
            thread.join(timeout=20)


def test_the_document_has_operations() -> None:
    assert len(OPERATIONS) > 30


@pytest.mark.parametrize("actor", ["anonymous", "superadmin"])
@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_an_operation_keeps_its_promises(label: str, actor: str, served: Served) -> None:
    if actor == "superadmin" and any(label.endswith(path) for path in ENDS_THE_CALLER):
        actor = "anonymous"

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=OPERATIONS[label].as_strategy())
    def check(case: schemathesis.Case) -> None:
        case.call_and_validate(
            base_url=served.url, headers=served.headers[actor], checks=CHECKS, timeout=20
        )

    check()

"""The OpenAPI document is true: requests made from it, right and wrong ones, get what it says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, Final

import httpx2
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mainstay.app import create_app
from mainstay.features.auth.sign_in import SignIn
from mainstay.features.users import find_by_id
from mainstay.testing.backend import Account, Backend, environment, serving
from mainstay.testing.databases import fresh_database
from mainstay.testing.migrated import migrate_url

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
EXAMPLES: Final = 20
TOO_LONG: Final = {413, 414, 431}
BASE: Final = "http://127.0.0.1"


class Service:
    """An application in a thread of its own, and the callers who ask it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, backend: Backend) -> None:
        self._loop = loop
        self.backend = backend
        self.admin: Account = self.run(backend.user("superadmin"))
        self.other: Account = self.run(backend.register())
        roles = self.run(
            backend.client.get(f"{backend.api}/rbac/roles", headers=self.admin.headers)
        )
        self.role_id: str = roles.json()["items"][0]["id"]

    def known_id(self, name: str) -> str | None:
        """Give the id of something that is there, for a path parameter of that name."""
        return {"user_id": self.other.id, "role_id": self.role_id, "role": "user"}.get(name)

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def send(self, case: schemathesis.Case, account: Account | None) -> httpx2.Response:
        """Send a generated request exactly as it is."""
        headers = self._signed_in(account) if account is not None else {}
        options = case.as_transport_kwargs(base_url=BASE, headers=headers)
        prepared = requests.Request(**{k: v for k, v in options.items() if k in _REQUEST}).prepare()
        request = httpx2.Request(
            prepared.method or "",
            prepared.url or "",
            headers=dict(prepared.headers),
            content=prepared.body or b"",
        )
        answer: httpx2.Response = self.run(self.backend.client.send(request))
        return answer

    def _signed_in(self, account: Account) -> dict[str, str]:
        """Give the header of a session that lasts; an earlier request may have ended it."""
        me = f"{self.backend.api}/users/me"
        found = self.run(self.backend.client.get(me, headers=account.headers))
        if found.status_code == 401:
            account.tokens = self.run(self._new_session(account))
        return account.headers

    async def _new_session(self, account: Account) -> dict[str, Any]:
        """Begin a session past the sign-in, which wrong passwords have barred by now."""
        assembly = self.backend.assembly
        async with assembly.units.transaction() as session:
            user = await find_by_id(session, account.id)
            tokens = await assembly.ports[SignIn].let_in(session, user, method="test")
        return tokens.model_dump()


_REQUEST: Final = {"method", "url", "headers", "params", "data", "json", "files", "cookies"}


@contextmanager
def running() -> Iterator[Service]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    with fresh_database("sqlite") as url:
        migrate_url(url)
        app = create_app(environ=environment(DATABASE_URL=url, RUN_MIGRATIONS="false"))
        context = serving(app)
        backend = asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(60)
        try:
            yield Service(loop, backend)
        finally:
            asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(60)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running() as found:
        yield found


def operations(service: Service) -> Iterator[schemathesis.APIOperation]:
    """Give every operation of the document."""
    schema = schemathesis.openapi.from_dict(service.backend.app.openapi())
    for found in schema.get_all_operations():
        yield found.ok()


def try_out(
    operation: schemathesis.APIOperation,
    mode: GenerationMode,
    check: Callable[[schemathesis.Case], None],
) -> None:
    """Run the check for some requests of this kind; always for the same ones."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: schemathesis.Case) -> None:
        check(case)

    try:
        run()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "no request can be made from the document"


@pytest.mark.parametrize("caller", ["anonymous", "superadmin"])
def test_requests_as_documented_get_answers_as_documented(
    service: Service, subtests: pytest.Subtests, caller: str
) -> None:
    account = service.admin if caller == "superadmin" else None

    def check(case: schemathesis.Case) -> None:
        case.validate_response(service.send(case, account), checks=CHECKS)
        if case.path_parameters:
            case.path_parameters = {
                name: service.known_id(name) or value
                for name, value in case.path_parameters.items()
            }
            case.validate_response(service.send(case, account), checks=CHECKS)

    for operation in operations(service):
        with subtests.test(operation=operation.label):
            try_out(operation, GenerationMode.POSITIVE, check)


def test_requests_that_break_the_document_are_refused(
    service: Service, subtests: pytest.Subtests
) -> None:
    def check(case: schemathesis.Case) -> None:
        answer = service.send(case, service.admin)
        # What is too long is refused before anything looks at what it says.
        further = [] if answer.status_code in TOO_LONG else [negative_data_rejection]
        case.validate_response(answer, checks=[*CHECKS, *further])

    for operation in operations(service):
        with subtests.test(operation=operation.label):
            try_out(operation, GenerationMode.NEGATIVE, check)


def test_a_planted_flaw_is_found(service: Service) -> None:
    """A scanner counts only where it fails on what is wrong."""
    document = service.backend.app.openapi()
    flawed = deepcopy(document)
    flawed["components"]["schemas"]["HealthStatus"]["properties"]["status"] = {"type": "integer"}
    schema = schemathesis.openapi.from_dict(flawed)
    operation = schema["/api/v1/health"]["GET"]
    with pytest.raises(FailureGroup):
        try_out(
            operation,
            GenerationMode.POSITIVE,
            lambda case: case.validate_response(service.send(case, None), checks=CHECKS),
        )

"""What the tests through HTTP share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from mainstay.testing.databases import TemplateDatabase, template_database
from mainstay.testing.migrated import migrate_url

MEMBERS = {"type", "title", "status", "code", "detail", "instance", "request_id"}


@pytest.fixture(scope="session")
def sqlite_only() -> Iterator[TemplateDatabase]:
    """A migrated SQLite database, for modules to which it is all one which database it is."""
    with template_database("sqlite", migrate_url) as template:
        yield template


@pytest.fixture
def problem_of() -> Callable[..., dict[str, Any]]:
    """Check that an answer is a problem (RFC 9457) as ours are, and give its document."""

    def check(answer: httpx2.Response, status: int, code: str | None = None) -> dict[str, Any]:
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        document: dict[str, Any] = answer.json()
        assert set(document) >= MEMBERS
        assert document["status"] == status
        assert document["request_id"] == answer.headers["x-request-id"]
        assert document["title"]
        assert document["detail"]
        if code is not None:
            assert document["code"] == code, document
        return document

    return check

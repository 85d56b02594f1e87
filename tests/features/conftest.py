"""What tests of features share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx2

    from mainstay.testing.backend import Account, Backend


@pytest.fixture
def call(backend: Backend) -> Callable[..., Awaitable[httpx2.Response]]:
    """Send a request as an account: ``await call(account, "PUT", "/users/...", json={})``."""

    async def send(account: Account, method: str, path: str, **options: Any) -> httpx2.Response:
        headers = {**account.headers, **options.pop("headers", {})}
        url = backend.api + path
        return await backend.client.request(method, url, headers=headers, **options)

    return send


@pytest.fixture
def actions(backend: Backend, call: Any) -> Callable[[str], Awaitable[list[dict[str, Any]]]]:
    """Give the audit entries of an action, the newest first: ``await actions("user.deleted")``."""

    async def find(action: str) -> list[dict[str, Any]]:
        reader = await backend.user("superadmin")
        answer = await call(reader, "GET", f"/audit/logs?action={action}")
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    return find

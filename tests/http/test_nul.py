"""NUL, which PostgreSQL cannot store, and what is no UTF-8, wherever text comes in."""

import pytest

from mainstay.testing.backend import Backend

pytestmark = pytest.mark.anyio

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NASTY = ("%00", "a%00b", "%ff%fe", "%ed%a0%80", "%c0%af")


async def test_it_never_reaches_the_database(backend: Backend) -> None:
    account = await backend.user("superadmin")
    api, headers = backend.api, account.headers
    for text in NASTY:
        paths = [
            f"{api}/users/{text}",
            f"{api}/users/role/{text}",
            f"{api}/users?q={text}",
            f"{api}/users?username={text}",
            f"{api}/users?username__contains={text}",
            f"{api}/users?id={text}",
            f"{api}/users?cursor={text}",
            f"{api}/users?{text}=1",
            f"{api}/audit/logs?action={text}",
            f"{api}/audit/logs/{text}",
            f"{api}/jobs/{text}",
            f"/verify-email?token={text}",
            f"/docs/problems/{text}",
            f"/admin/mailbox?message={text}",
            f"/{text}",
        ]
        for path in paths:
            answer = await backend.client.get(path, headers=headers)
            assert answer.status_code < 500, path
        for path, body in (
            (f"{api}/auth/login", f"username={text}&password=x"),
            (f"{api}/auth/login", f"username={account.email}&password={text}"),
            ("/verify-email", f"token={text}"),
            ("/reset-password", f"token={text}&password=correct-horse-battery"),
        ):
            answer = await backend.client.post(path, content=body.encode(), headers=FORM)
            assert 400 <= answer.status_code < 500, (path, body)


async def test_escaped_in_json_it_is_refused(backend: Backend) -> None:
    body = b'{"username_or_email": "a\\u0000b", "password": "x"}'
    answer = await backend.client.post(
        f"{backend.api}/auth/login", content=body, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")

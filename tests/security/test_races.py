"""What may happen once, tried by many at once: the rows are counted, not the statuses.

Tokens of mails and refresh tokens race in ``test_c_recovery.py`` and ``test_e_sessions.py``.
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from mainstay.core.http.idempotency import IdempotencyKey
from mainstay.features.auth.models import LoginAttempts, UsernameClaim
from mainstay.features.rbac import Role, UserRole
from mainstay.features.sessions import SessionRow
from mainstay.features.users import User
from mainstay.testing.backend import PASSWORD

pytestmark = pytest.mark.anyio


def body(number: int, **fixed: str) -> dict[str, str]:
    own = {"email": f"racer{number}@example.com", "username": f"racer{number}"}
    return {**own, "password": PASSWORD, **fixed}


@pytest.mark.parametrize("settings", [{}, {"REQUIRE_EMAIL_VERIFICATION": "true"}])
@pytest.mark.parametrize("fixed", [{"email": "one@example.com"}, {"username": "the-one"}])
async def test_one_address_and_one_name_make_one_account(lab: Any, fixed: dict[str, str]) -> None:
    letters = (str.lower, str.title, str.upper)

    async def register(number: int) -> Any:
        spelled = {name: letters[number % 3](value) for name, value in fixed.items()}
        return await lab.post("/auth/register", body(number, **spelled))

    await lab.race(register)
    assert await lab.count(User) == 1
    assert await lab.count(UserRole) == 1
    assert len(await lab.audit("user.created", how="register")) == 1
    if "username" in fixed:
        assert await lab.count(UsernameClaim) <= 1


async def superadmins(lab: Any) -> int:
    role = select(Role.id).where(Role.name == "superadmin").scalar_subquery()
    return int(await lab.count(UserRole, UserRole.role_id == role))


async def set_up(door: Any, token: str, number: int) -> Any:
    wanted = {"token": token, "email": f"chief{number}@example.com", "password": PASSWORD}
    return await door.backend.client.post("/admin/setup", json=wanted)


async def test_one_token_makes_one_first_administrator(lab: Any) -> None:
    token = await lab.backend.setup_token()
    async with lab.other_process() as replica:
        await lab.race(lambda number: set_up((lab, replica)[number % 2], token, number))
    assert await superadmins(lab) == 1
    assert await lab.count(User) == 1


async def test_many_tokens_make_one_first_administrator(lab: Any) -> None:
    tokens = [await lab.backend.setup_token() for _ in range(20)]
    await lab.race(lambda number: set_up(lab, tokens[number], number))
    assert await superadmins(lab) == 1
    assert await lab.count(User) == 1
    assert await lab.backend.setup_token() is None


async def test_one_idempotency_key_carries_a_request_out_once(lab: Any) -> None:
    key = {"Idempotency-Key": "0b5c1f2e-1"}
    wanted = body(1)
    async with lab.other_process() as replica:
        await lab.race(
            lambda number: (lab, replica)[number % 2].post("/auth/register", wanted, headers=key)
        )
    assert await lab.count(User) == 1
    assert await lab.count(IdempotencyKey) == 1
    assert len(await lab.audit("user.created")) == 1
    assert len(await lab.mails()) == 1


async def test_one_idempotency_key_of_a_signed_in_caller(lab: Any) -> None:
    account = await lab.backend.register()
    key = {"Idempotency-Key": "0b5c1f2e-2"}
    before = (await lab.user(account.id)).version

    async def patch(_: int) -> Any:
        change = {"bio": "written once"}
        return await lab.ask("PATCH", "/users/me", json=change, by=account, headers=key)

    statuses = await lab.race(patch)
    assert set(statuses) <= {200, 409}
    assert (await lab.user(account.id)).version == before + 1
    assert len(await lab.audit("user.updated")) == 1
    # The others can have the answer of the first once it is there.
    again = await patch(0)
    assert (again.status_code, again.json()["bio"]) == (200, "written once")


async def test_parallel_changes_of_one_row_lose_nothing(lab: Any) -> None:
    account = await lab.backend.register()
    before = (await lab.user(account.id)).version

    async def patch(number: int) -> Any:
        return await lab.ask("PATCH", "/users/me", json={"bio": str(number)}, by=account)

    statuses = await lab.race(patch)
    assert statuses[200] >= 1
    assert (await lab.user(account.id)).version == before + statuses[200]
    assert len(await lab.audit("user.updated")) == statuses[200]


@pytest.mark.parametrize("settings", [{"ACCOUNT_LOCKOUT_THRESHOLD": 30}])
async def test_parallel_sign_ins_do_not_stand_in_each_others_way(lab: Any) -> None:
    account = await lab.backend.register()
    assert await lab.race(lambda _: lab.login(account.email, PASSWORD)) == {200: 20}
    assert await lab.count(SessionRow, SessionRow.user_id == account.id) == 21
    rows = await lab.rows(select(LoginAttempts.failures).where(LoginAttempts.source == "*"))
    assert rows in ([], [0])

"""Requirements E1 to E11: sessions and refresh tokens."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from mainstay.features.rbac import RbacState, Role
from mainstay.features.rbac.models import RolePermission
from mainstay.features.sessions import RefreshToken
from mainstay.features.users import User
from mainstay.kit.sealing import SealBrokenError, unseal
from mainstay.kit.tokens import digest
from mainstay.testing.backend import Account

pytestmark = pytest.mark.anyio


async def renew(lab: Any, tokens: dict[str, Any]) -> dict[str, Any]:
    answer = await lab.refresh(tokens["refresh_token"])
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return dict(answer.json())


async def status_of(lab: Any, tokens: dict[str, Any]) -> int:
    return int((await lab.refresh(tokens["refresh_token"])).status_code)


async def heads(lab: Any, session_id: str) -> int:
    """Count the refresh tokens of a session that are yet to be spent."""
    unspent = (RefreshToken.session_id == session_id, RefreshToken.spent_at.is_(None))
    return int(await lab.count(RefreshToken, *unspent))


async def sessions(lab: Any, account: Account) -> list[dict[str, Any]]:
    answer = await lab.get("/auth/sessions", by=account)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_E1_each_refresh_gives_a_new_token(lab: Any, clock: Any) -> None:
    account = await lab.backend.register()
    first = await renew(lab, account.tokens)
    assert first["refresh_token"] != account.tokens["refresh_token"]
    assert await lab.is_signed_in(first)
    # Within its grace the spent token gives the same successor again, and no other.
    clock.forward(seconds=9)
    again = await renew(lab, account.tokens)
    assert again["refresh_token"] == first["refresh_token"]
    clock.forward(seconds=2)
    assert await status_of(lab, account.tokens) == 401


@pytest.mark.parametrize("settings", [{"REFRESH_GRACE_SECONDS": 0}])
async def test_E1_without_a_grace_a_spent_token_is_dead_at_once(lab: Any, clock: Any) -> None:
    clock.freeze()
    account = await lab.backend.register()
    successor = await renew(lab, account.tokens)
    assert await status_of(lab, account.tokens) == 401
    assert await status_of(lab, successor) == 401


async def test_E2_reused_refresh_token_revokes_family(lab: Any, clock: Any) -> None:
    account = await lab.backend.register()
    elsewhere = await lab.backend.login(account)
    chain = [account.tokens]
    for _ in range(3):
        chain.append(await renew(lab, chain[-1]))
    clock.forward(seconds=11)
    assert await lab.is_signed_in(chain[-1])
    # An ancestor, not just the latest token spent.
    assert await status_of(lab, chain[1]) == 401
    for tokens in chain:
        assert not await lab.is_signed_in(tokens)
        assert await status_of(lab, tokens) == 401
    assert await lab.is_signed_in(elsewhere)
    assert await status_of(lab, elsewhere) == 200
    [row] = await lab.audit("session.refresh_reused")
    assert (row.outcome, row.target_id, row.ip) == ("failure", account.id, "127.0.0.1")


async def test_E3_of_parallel_refreshes_one_makes_the_one_new_head(lab: Any) -> None:
    account = await lab.backend.register()
    [current] = await sessions(lab, account)
    found: set[str] = set()

    async def refresh(door: Any) -> Any:
        answer = await door.refresh(account.tokens["refresh_token"])
        if answer.status_code == 200:
            found.add(answer.json()["refresh_token"])
        return answer

    async with lab.other_process() as replica:
        await lab.race(lambda number: refresh((lab, replica)[number % 2]))
    assert await heads(lab, current["id"]) == 1
    assert await lab.count(RefreshToken) == 2
    assert len(found) == 1
    assert await lab.audit("session.refresh_reused") == []
    assert await status_of(lab, {"refresh_token": found.pop()}) == 200


@pytest.mark.parametrize(
    "settings", [{"REFRESH_TOKEN_EXPIRE_MINUTES": 60, "REFRESH_IDLE_MINUTES": 25}]
)
async def test_E4_a_session_ends_at_its_time_however_often_it_is_refreshed(
    lab: Any, clock: Any
) -> None:
    account = await lab.backend.register()
    tokens = account.tokens
    for _ in range(2):
        clock.forward(minutes=24)
        tokens = await renew(lab, tokens)
    assert tokens["expires_in"] <= 12 * 60
    clock.forward(minutes=11)
    assert await lab.is_signed_in(tokens)
    clock.forward(minutes=1, seconds=1)
    assert not await lab.is_signed_in(tokens)
    assert await status_of(lab, tokens) == 401


@pytest.mark.parametrize("settings", [{"REFRESH_IDLE_MINUTES": 25}])
async def test_E4_a_session_that_rests_too_long_ends(lab: Any, clock: Any) -> None:
    account = await lab.backend.register()
    clock.forward(minutes=25, seconds=1)
    assert await status_of(lab, account.tokens) == 401


async def test_E5_logout_holds_at_once_in_every_process_and_after_a_restart(lab: Any) -> None:
    account = await lab.backend.register()
    async with lab.other_process() as replica:
        assert await replica.is_signed_in(account)
        assert (await lab.post("/auth/logout", by=account)).status_code == 204
        for door in (lab, replica):
            assert not await door.is_signed_in(account)
            assert await status_of(door, account.tokens) == 401
    async with lab.other_process() as restarted:
        assert not await restarted.is_signed_in(account)
        assert await status_of(restarted, account.tokens) == 401


async def test_E6_disabling_or_deleting_an_account_ends_its_sessions_at_once(lab: Any) -> None:
    disabled, deleted = await lab.backend.register(), await lab.backend.register()
    async with lab.other_process() as replica:
        for account in (disabled, deleted):
            assert await replica.is_signed_in(account)
        await lab.backend.change_user(disabled, is_active=False)
        async with lab.backend.assembly.units.transaction() as session:
            await session.execute(delete(User).where(User.id == deleted.id))
        for door in (lab, replica):
            for account in (disabled, deleted):
                assert not await door.is_signed_in(account)
                assert await status_of(door, account.tokens) == 401


async def test_E7_logout_everywhere_ends_what_was_and_not_what_comes(lab: Any, clock: Any) -> None:
    clock.freeze()
    account, stranger = await lab.backend.register(), await lab.backend.register()
    before = [account.tokens, *[await lab.backend.login(account) for _ in range(2)]]
    answer = await lab.post("/auth/logout-everywhere", by=account)
    assert (answer.status_code, answer.json()) == (200, {"revoked": 3})
    after = await lab.backend.login(account)
    for tokens in before:
        assert not await lab.is_signed_in(tokens)
        assert await status_of(lab, tokens) == 401
    assert await lab.is_signed_in(after)
    assert await status_of(lab, after) == 200
    assert await lab.is_signed_in(stranger)


async def test_E7_the_current_session_can_be_kept(lab: Any) -> None:
    account = await lab.backend.register()
    other = await lab.backend.login(account)
    answer = await lab.post("/auth/logout-everywhere", {"keep_current": True}, by=account)
    assert answer.json() == {"revoked": 1}
    assert [await lab.is_signed_in(each) for each in (account, other)] == [True, False]


async def test_E8_sessions_are_shown_without_tokens_and_only_ones_own_can_be_ended(
    lab: Any,
) -> None:
    account, other = await lab.backend.register(), await lab.backend.register()
    agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    async with lab.client_at("203.0.113.9") as away:
        second = await lab.login(account.email, account.password, client=away, headers=agent)
    shown = await sessions(lab, account)
    assert [(each["ip"], each["current"]) for each in shown] == [
        ("203.0.113.9", False),
        ("127.0.0.1", True),
    ]
    assert shown[0]["device"] == "Firefox on Linux"
    members = {"id", "device", "ip", "created_at", "last_seen_at", "expires_at", "current"}
    assert all(each.keys() == members for each in shown)
    ends = [f"/auth/sessions/{each['id']}" for each in shown]
    for path in ends:
        assert (await lab.ask("DELETE", path, by=other)).status_code == 404
    assert await lab.is_signed_in(second.json())
    assert (await lab.ask("DELETE", ends[0], by=account)).status_code == 204
    assert not await lab.is_signed_in(second.json())
    assert (await lab.ask("DELETE", ends[0], by=account)).status_code == 404
    assert [each["current"] for each in await sessions(lab, account)] == [True]


async def test_E9_an_administrator_ends_the_sessions_of_one_or_of_all(lab: Any) -> None:
    chief, moderator = await lab.backend.user("superadmin"), await lab.backend.user("moderator")
    one, other = await lab.backend.register(), await lab.backend.register()
    path = f"/users/{one.id}/logout-everywhere"
    for by, to in ((other, path), (moderator, f"/users/{chief.id}/logout-everywhere")):
        assert (await lab.post(to, by=by)).status_code == 403
    for by in (other, moderator):
        assert (await lab.post("/users/logout-everywhere", by=by)).status_code == 403
    assert (await lab.post(path, by=moderator)).status_code in {200, 204}
    async with lab.other_process() as replica:
        for door in (lab, replica):
            alive = [await door.is_signed_in(each) for each in (one, other, moderator, chief)]
            assert alive == [False, True, True, True]
        assert await status_of(lab, one.tokens) == 401
        assert (await lab.post("/users/logout-everywhere", by=chief)).status_code in {200, 204}
        for door in (lab, replica):
            for each in (one, other, moderator):
                assert not await door.is_signed_in(each)
                assert await status_of(door, each.tokens) == 401
    assert await lab.is_signed_in(await lab.backend.login(other))


async def test_E10_a_change_of_roles_holds_from_the_next_request_on(lab: Any) -> None:
    account = await lab.backend.register()
    async with lab.other_process() as replica:
        for roles, status in ((("moderator",), 200), (("user",), 403), (("admin",), 200)):
            await lab.backend.give_roles(account, *roles)
            for door in (lab, replica):
                assert (await door.get("/users", by=account)).status_code == status
                shown = (await door.get("/users/me", by=account)).json()
                assert shown["roles"] == list(roles)


async def test_E10_a_change_of_a_role_holds_from_the_next_request_on(lab: Any) -> None:
    account = await lab.backend.register()
    async with lab.other_process() as replica:
        for door in (lab, replica):
            assert (await door.get("/users", by=account)).status_code == 403
        async with lab.backend.assembly.units.transaction() as session:
            role_id = await session.scalar(select(Role.id).where(Role.name == "user"))
            grant = {"role_id": role_id, "permission": "users:read"}
            await session.execute(insert(RolePermission).values(**grant))
            await session.execute(update(RbacState).values(version=RbacState.version + 1))
        for door in (lab, replica):
            assert (await door.get("/users", by=account)).status_code == 200


async def test_E11_refresh_tokens_are_kept_hashed_and_successors_sealed(lab: Any) -> None:
    account = await lab.backend.register()
    first = account.tokens["refresh_token"]
    second = (await renew(lab, account.tokens))["refresh_token"]
    assert len(first) == len(second) == 43
    kept = str(await lab.dump())
    assert first not in kept
    assert second not in kept
    [spent] = await lab.rows(select(RefreshToken).where(RefreshToken.spent_at.is_not(None)))
    assert spent.digest == digest(first)
    assert unseal(first, spent.successor) == second
    for key in (spent.digest, second, account.id):
        with pytest.raises(SealBrokenError):
            unseal(key, spent.successor)

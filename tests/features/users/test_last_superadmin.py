"""Somebody active always is superadmin, whatever happens at once."""

from __future__ import annotations

import asyncio

import pytest

from mainstay.features.users import find_by_id

pytestmark = pytest.mark.anyio

ROUNDS = 6
LOSSES = {
    "demote": ("PUT", "/users/{}/role", {"role": "user"}),
    "demote by list": ("PUT", "/rbac/users/{}/roles", {"roles": ["admin", "user"]}),
    "deactivate": ("POST", "/users/{}/deactivate", None),
    "switch off": ("PATCH", "/users/{}", {"is_active": False}),
    "delete": ("DELETE", "/users/{}", None),
}
EVERY_LOSS = pytest.mark.parametrize("loss", LOSSES.values(), ids=list(LOSSES))


async def lose(call, actor, target, loss):
    method, path, body = loss
    options = {} if body is None else {"json": body}
    return await call(actor, method, path.format(target.id), **options)


async def active_superadmins(backend, call):
    """Count them as somebody who is none, and can read."""
    reader = await backend.user("admin")
    answer = await call(reader, "GET", "/users/role/superadmin?is_active=true")
    return len(answer.json()["items"])


async def test_H7_the_last_one_stays(backend, call, actions):
    last = await backend.user("superadmin", "user")
    before = (await call(last, "GET", "/users/me")).json()
    for name, loss in LOSSES.items():
        answer = await lose(call, last, last, loss)
        assert (answer.status_code, answer.json()["code"]) == (409, "last_superadmin"), name
    assert (await call(last, "GET", "/users/me")).json() == before
    refusals = await actions("action.refused")
    assert [e["data"]["reason"] for e in refusals] == len(LOSSES) * ["last_superadmin"]
    assert {e["target"] for e in refusals} == {last.id}


async def test_H7_an_inactive_one_does_not_count(backend, call):
    last, other = await backend.user("superadmin"), await backend.user("superadmin")
    await backend.change_user(other, is_active=False)
    for name, loss in LOSSES.items():
        answer = await lose(call, last, last, loss)
        assert (answer.status_code, answer.json()["code"]) == (409, "last_superadmin"), name


async def test_one_of_two_may_go(backend, call):
    one, other = await backend.user("superadmin"), await backend.user("superadmin")
    for name, loss in LOSSES.items():
        answer = await lose(call, one, other, loss)
        assert answer.status_code in {200, 204}, (name, answer.text)
        assert await active_superadmins(backend, call) == 1
        other = await restored(backend, other)


async def test_an_inactive_one_may_go(backend, call):
    last, other = await backend.user("superadmin"), await backend.user("superadmin")
    await backend.change_user(other, is_active=False)
    for loss in (LOSSES["demote"], LOSSES["delete"]):
        await backend.give_roles(other, "superadmin")
        assert (await lose(call, last, other, loss)).status_code in {200, 204}
    assert (await call(last, "GET", "/users/me")).status_code == 200


@EVERY_LOSS
async def test_H7_two_at_once_do_not_take_each_other_away(backend, call, loss):
    pair = [await backend.user("superadmin"), await backend.user("superadmin")]
    for _ in range(ROUNDS):
        one, other = pair
        answers = await asyncio.gather(lose(call, one, other, loss), lose(call, other, one, loss))
        assert await active_superadmins(backend, call) == 1
        assert sum(answer.status_code < 300 for answer in answers) == 1
        assert {a.status_code for a in answers} <= {200, 204, 401, 403, 409}
        pair = [await restored(backend, one), await restored(backend, other)]


@pytest.mark.parametrize("second", ["demote", "deactivate"])
async def test_H7_different_losses_at_once(backend, call, second):
    pair = [await backend.user("superadmin"), await backend.user("superadmin")]
    for _ in range(ROUNDS):
        one, other = pair
        await asyncio.gather(
            lose(call, one, other, LOSSES["delete"]), lose(call, other, one, LOSSES[second])
        )
        assert await active_superadmins(backend, call) == 1
        pair = [await restored(backend, one), await restored(backend, other)]


async def test_H7_three_who_all_leave_at_once(backend, call):
    trio = [await backend.user("superadmin") for _ in range(3)]
    answers = await asyncio.gather(*(lose(call, a, a, LOSSES["delete"]) for a in trio))
    assert sorted(a.status_code for a in answers) == [204, 204, 409]
    assert await active_superadmins(backend, call) == 1


async def restored(backend, account):
    """Give the account as superadmin again, or a new one in its place."""
    async with backend.assembly.units.transaction() as session:
        there = await find_by_id(session, account.id)
    if there is None:
        return await backend.user("superadmin")
    await backend.change_user(account, is_active=True)
    await backend.give_roles(account, "superadmin")
    account.tokens = await backend.login(account)
    return account

"""Nobody acts on somebody whose highest role ranks above their own."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.anyio

ACTS = {
    "change": ("PATCH", "", {"bio": "x"}),
    "put": ("PUT", "", {"bio": "x"}),
    "switch off": ("PATCH", "", {"is_active": False}),
    "deactivate": ("POST", "/deactivate", None),
    "activate": ("POST", "/activate", None),
    "unlock": ("POST", "/unlock", None),
    "sign out": ("POST", "/logout-everywhere", None),
    "give a role": ("PUT", "/role", {"role": "user"}),
    "give roles": ("PUT", "/roles", {"roles": ["moderator"]}),
    "delete": ("DELETE", "", None),
}
TAKES = ["users:*", "roles:assign"]


async def do(call, actor, target, act):
    method, path, body = act
    options = {} if body is None else {"json": body}
    users = "/rbac/users" if path == "/roles" else "/users"
    return await call(actor, method, f"{users}/{target.id}{path}", **options)


async def custom_role(backend, call, name, rank):
    """Make a role that may do all this, of a rank between the built-in ones."""
    superadmin = await backend.user("superadmin")
    body = {"name": name, "rank": rank, "permissions": TAKES}
    answer = await call(superadmin, "POST", "/rbac/roles", json=body)
    assert answer.status_code == 201, answer.text


async def test_H6_a_higher_rank_is_out_of_reach(backend, call):
    await custom_role(backend, call, "deputy", 29)
    actor, target = await backend.user("deputy"), await backend.user("admin")
    shown = (await call(target, "GET", "/users/me")).json()
    for name, act in ACTS.items():
        answer = await do(call, actor, target, act)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied"), name
    assert (await call(target, "GET", "/users/me")).json() == shown


async def test_H6_the_highest_of_several_roles_counts(backend, call):
    await custom_role(backend, call, "deputy", 29)
    actor, target = await backend.user("deputy"), await backend.user("user", "superadmin")
    for name, act in ACTS.items():
        assert (await do(call, actor, target, act)).status_code == 403, name


async def test_equal_ranks_may_act_on_each_other(backend, call):
    await custom_role(backend, call, "deputy", 30)
    actor, target = await backend.user("deputy"), await backend.user("admin")
    for name, act in ACTS.items():
        answer = await do(call, actor, target, act)
        assert answer.status_code in {200, 204}, (name, answer.text)


async def test_a_refusal_is_in_the_audit_trail(backend, call, actions):
    actor, target = await backend.user("moderator"), await backend.user("admin")
    await call(actor, "PATCH", f"/users/{target.id}", json={"bio": "x"})
    (entry,) = await actions("action.refused")
    assert (entry["actor"], entry["target"], entry["outcome"]) == (actor.id, target.id, "failure")
    assert entry["data"] == {"action": "users:update", "reason": "permission_denied"}


async def test_whoever_ranks_higher_may_be_seen(backend, call):
    actor, target = await backend.user("moderator"), await backend.user("superadmin")
    assert (await call(actor, "GET", f"/users/{target.id}")).status_code == 200


async def test_rank_keeps_nobody_from_changing_themselves(backend, call):
    me = await backend.user("superadmin")
    answer = await call(me, "PATCH", f"/users/{me.id}", json={"bio": "x"})
    assert answer.status_code == 200

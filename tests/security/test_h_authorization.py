"""Requirements H1 to H6 and H9: who may call what, and what may be written, read and asked."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, Depends

from mainstay import create_app
from mainstay.core.auth import get_current_user, has_permissions, has_role, public
from mainstay.core.feature import Feature, Mount
from mainstay.core.http.access import routes_with_access
from mainstay.core.registry import AssemblyError
from mainstay.features.rbac import UserRole
from mainstay.features.users import User
from mainstay.kit.ids import NIL_ID, new_id
from mainstay.testing.backend import PASSWORD, environment

pytestmark = pytest.mark.anyio

OPEN = re.compile(
    r"""
    /api/v1/auth/(register|login|refresh|forgot-password|reset-password|verify-email
        |resend-verification|change-email/confirm|accept-invitation|magic-link(/verify)?
        |verify-2fa|2fa/resend|passkeys/login/(options|verify))
    | /api/v1/oauth/(providers|exchange|\{provider\}/(initiate|callback))
    | (/api/v1)?/health(/(liveness|readiness|database|db|cache))?
    | /livez | /readyz | /up | /\.well-known/jwks\.json
    | (/api)?/(docs|redoc) | /openapi\.json | /docs/(assets/\{name\}|problems(/\{code\})?)
    | /admin/(setup|mailbox(\.json)?|assets/[\w.]+)
    | /(verify-email|change-email|reset-password|accept-invitation)
    """,
    re.VERBOSE,
)
"""What a stranger may call: the specification's list, and no more."""


def shown(answer: httpx2.Response) -> tuple[Any, ...]:
    """Give an answer without what differs between any two requests."""
    body = {k: v for k, v in answer.json().items() if k not in {"request_id", "instance"}}
    return answer.status_code, sorted(answer.headers.keys()), body


def feature_with(*dependencies: Any) -> Feature:
    router = APIRouter()

    @router.get("/secrets", dependencies=[Depends(each) for each in dependencies])
    async def secrets() -> str:
        return "secret"

    return Feature(name="leaky", routers=(Mount(router=router),))


def test_H1_a_route_without_declared_access_stops_the_start() -> None:
    with pytest.raises(AssemblyError, match="GET /api/v1/secrets does not say who may call it"):
        create_app([feature_with()], environ=environment())
    for declared in (public, get_current_user, has_role("admin"), has_permissions("users:read")):
        create_app([feature_with(declared)], environ=environment())


def test_H1_a_permission_that_nobody_declares_stops_the_start() -> None:
    with pytest.raises(AssemblyError, match="users:raed"):
        create_app([feature_with(has_permissions("users:raed"))], environ=environment())


def test_H1_only_what_is_meant_to_be_is_open_to_everybody() -> None:
    routes = list(routes_with_access(create_app(environ=environment())))
    assert len(routes) > 30
    undeclared = [path for path, _, access in routes if not access.declared]
    opened = {path for path, _, access in routes if access.declared and not access.signed_in}
    assert undeclared == []
    assert {path for path in opened if not OPEN.fullmatch(path)} == set()


async def test_H1_whatever_is_not_open_asks_for_a_sign_in_first(lab: Any) -> None:
    client, asked = lab.backend.client, 0
    for path, methods, access in routes_with_access(lab.backend.app):
        if access.signed_in:
            for method in methods - {"HEAD"}:
                url = re.sub(r"\{\w+\}", NIL_ID, path)
                for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}):
                    answer = await client.request(method, url, headers=headers)
                    assert answer.status_code == 401, (method, path)
                    asked += 1
    assert asked > 30


async def test_H2_somebody_elses_account_is_out_of_reach(lab: Any) -> None:
    account, other = await lab.backend.register(), await lab.backend.register()
    assert (await lab.get(f"/users/{account.id}", by=account)).status_code == 200
    answers = [
        shown(await lab.get(f"/users/{user_id}", by=account))
        for user_id in (other.id, other.id.upper(), new_id(), NIL_ID, "1", "nonsense")
    ]
    assert answers[0][0] in {403, 404}
    assert answers == [answers[0]] * 6
    assert other.email not in str(answers)
    assert (await lab.get("/users", by=account)).status_code == 403


async def standing(lab: Any) -> dict[str, str]:
    """Give all rows that say who somebody is and what they may do."""
    dump = await lab.dump()
    return {name: dump[name] for name in ("users", "user_roles", "sessions", "role_permissions")}


WRITES = (
    ("PUT", "/users/{}", {"bio": "defaced"}),
    ("PATCH", "/users/{}", {"bio": "defaced"}),
    ("PUT", "/users/update/{}", {"bio": "defaced"}),
    ("DELETE", "/users/{}", None),
    ("DELETE", "/users/delete/{}", None),
    ("POST", "/users/{}/deactivate", None),
    ("POST", "/users/{}/activate", None),
    ("POST", "/users/{}/unlock", None),
    ("POST", "/users/{}/logout-everywhere", None),
    ("PUT", "/users/{}/role", {"role": "superadmin"}),
    ("PUT", "/rbac/users/{}/roles", {"roles": ["superadmin"]}),
)


async def test_H2_nobody_writes_to_somebody_elses_account(lab: Any) -> None:
    account, other = await lab.backend.register(), await lab.backend.register()
    before = await standing(lab)
    for method, path, body in WRITES:
        answers = [
            shown(await lab.ask(method, path.format(user_id), json=body, by=account))
            for user_id in (other.id, other.id.upper(), new_id(), "nonsense")
        ]
        assert answers[0][0] in {403, 404}, (method, path)
        assert answers == [answers[0]] * 4, (method, path)
    assert await standing(lab) == before
    assert await lab.is_signed_in(other)


async def test_H6_nobody_acts_on_who_ranks_higher_or_raises_anybody(lab: Any) -> None:
    names = ("user", "moderator", "admin", "superadmin")
    accounts = [await lab.backend.user(name) for name in names]
    before = await standing(lab)
    for rank, actor in enumerate(accounts[:3]):
        for target in accounts[rank + 1 :]:
            for method, path, body in WRITES:
                answer = await lab.ask(method, path.format(target.id), json=body, by=actor)
                assert answer.status_code in {403, 404}, (actor.username, method, path)
        for path, body in (
            (f"/users/{actor.id}/role", {"role": names[rank + 1]}),
            (f"/rbac/users/{actor.id}/roles", {"roles": [names[rank], names[rank + 1]]}),
        ):
            answer = await lab.ask("PUT", path, json=body, by=actor)
            assert answer.status_code == 403, (actor.username, path)
    assert await standing(lab) == before


async def test_H2_what_a_caller_claims_to_be_changes_nothing(lab: Any) -> None:
    account, other = await lab.backend.register(), await lab.backend.register()
    spoofed = {"X-User-Id": other.id, "X-Forwarded-User": other.id, "X-Role": "superadmin"}
    shown_self = await lab.get("/users/me", by=account, headers=spoofed)
    assert shown_self.json()["id"] == account.id
    for body in ({"id": other.id, "bio": "x"}, {"user_id": other.id, "bio": "x"}):
        answer = await lab.ask("PATCH", "/users/me", json=body, by=account)
        assert answer.status_code == 422
    assert (await lab.user(other.id)).bio is None


async def test_H3_unknown_and_forbidden_sessions_are_alike(lab: Any) -> None:
    account, other = await lab.backend.register(), await lab.backend.register()
    [theirs] = (await lab.get("/auth/sessions", by=other)).json()["items"]
    answers = [
        shown(await lab.ask("DELETE", f"/auth/sessions/{session_id}", by=account))
        for session_id in (theirs["id"], new_id(), NIL_ID, "nonsense", "1")
    ]
    assert answers[0][0] == 404
    assert answers == [answers[0]] * 5
    assert await lab.is_signed_in(other)


async def test_H3_for_who_may_see_all_an_unknown_account_is_a_404(lab: Any) -> None:
    moderator, other = await lab.backend.user("moderator"), await lab.backend.register()
    assert (await lab.get(f"/users/{other.id}", by=moderator)).status_code == 200
    for user_id in (new_id(), NIL_ID, "nonsense"):
        assert (await lab.get(f"/users/{user_id}", by=moderator)).status_code == 404


async def test_H4_nobody_registers_with_a_role(lab: Any) -> None:
    wanted = {"email": "ada@example.com", "username": "lovelace", "password": PASSWORD}
    for role in ("superadmin", "admin", "moderator", "Superadmin", "no-such-role", ""):
        answer = await lab.post("/auth/register", wanted | {"role": role})
        assert (answer.status_code, answer.json()["code"]) == (403, "role_not_assignable"), role
    assert await lab.count(User) == 0
    assert len(await lab.audit("auth.registration_refused", reason="role")) == 6
    assert (await lab.post("/auth/register", wanted | {"role": "user"})).status_code == 201
    assert await lab.count(UserRole) == 1


EXTRA = {
    "roles": ["superadmin"],
    "permissions": ["*"],
    "is_superuser": True,
    "is_active": True,
    "email_verified": True,
    "two_fa_enabled": False,
    "app_data": {"plan": "enterprise"},
    "password_hash": "x",
    "id": NIL_ID,
    "version": 7,
    "last_login_at": None,
}


async def test_H4_registering_takes_no_field_that_is_not_offered(lab: Any) -> None:
    wanted = {"email": "ada@example.com", "username": "lovelace", "password": PASSWORD}
    for name, value in EXTRA.items():
        answer = await lab.post("/auth/register", wanted | {name: value})
        assert answer.status_code == 422, name
        assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"#/{name}"]
    assert await lab.count(User) == 0


async def test_H4_a_profile_takes_no_field_that_is_not_offered(lab: Any) -> None:
    account = await lab.backend.register()
    before = (await lab.dump())["users"]
    more = {"role": "superadmin", "email": "x@example.com", "password": "x", "username": "root"}
    for name, value in (EXTRA | more).items():
        answer = await lab.ask("PATCH", "/users/me", json={name: value}, by=account)
        assert answer.status_code == 422, name
    assert (await lab.dump())["users"] == before
    assert (await lab.login(account.email, PASSWORD, client=lab.backend.client)).status_code == 200
    form = {"username": account.email, "password": PASSWORD, "role": "superadmin"}
    assert (await lab.ask("POST", "/auth/login", data=form)).status_code == 422


async def test_H5_only_readable_columns_can_be_asked_for(lab: Any) -> None:
    admin = await lab.backend.user("admin")
    await lab.backend.change_user(admin, app_data={"plan": "hush-hush"})
    for column in ("password_hash", "app_data", "email_key", "username_key", "version"):
        for query in (
            {column: "x"},
            {f"{column}__startswith": "$argon2id"},
            {f"{column}__isnull": "false"},
            {"sort": column},
            {"sort": f"-{column}"},
            {"fields": f"id,{column}"},
            {"expand": column},
        ):
            answer = await lab.get("/users", params=query, by=admin)
            assert answer.status_code == 422, query
    answer = await lab.get("/users", by=admin)
    assert answer.status_code == 200
    assert "argon2" not in answer.text
    assert "hush-hush" not in answer.text
    # A search does not look into what is not shown.
    for words in ("argon2", "hush"):
        answer = await lab.get("/users", params={"q": words}, by=admin)
        assert (answer.status_code, answer.json()["items"]) == (200, [])


async def test_H9_pages_are_bounded_and_cursors_are_signed(lab: Any) -> None:
    admin = await lab.backend.user("admin")
    await lab.backend.register()
    for query in ({"limit": 101}, {"limit": 0}, {"limit": -1}, {"offset": -1}, {"offset": 10**9}):
        assert (await lab.get("/users", params=query, by=admin)).status_code == 422, query
    page = (await lab.get("/users", params={"limit": 1}, by=admin)).json()["page"]
    cursor = page["next_cursor"]
    assert (await lab.get("/users", params={"cursor": cursor}, by=admin)).status_code == 200
    changed = [cursor[:place] + "A" + cursor[place + 1 :] for place in range(0, len(cursor), 7)]
    for broken in {*changed, cursor[:-1], cursor + "A", "AAAA"} - {cursor}:
        answer = await lab.get("/users", params={"cursor": broken}, by=admin)
        assert answer.status_code in {400, 422}, broken


async def test_H1_refusals_leave_their_row(lab: Any) -> None:
    account = await lab.backend.register()
    for path in ("/users", "/jobs", "/audit/logs", f"/jobs/{NIL_ID}", f"/audit/logs/{NIL_ID}"):
        answer = await lab.get(path, by=account)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    rows = await lab.audit("access.refused")
    assert len(rows) == 5
    assert {(row.actor_id, row.outcome) for row in rows} == {(account.id, "failure")}

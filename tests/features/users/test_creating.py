"""Users made by administrators, and the mail that invites them."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.anyio

PERSON = {"email": "ada@example.com", "username": "ada"}


async def test_an_administrator_makes_a_user(backend, call, actions):
    admin = await backend.user("admin")
    answer = await call(admin, "POST", "/users", json={**PERSON, "first_name": "Ada"})
    assert answer.status_code == 201, answer.text
    user = answer.json()
    assert user["email"] == "ada@example.com"
    assert user["first_name"] == "Ada"
    assert (user["role"], user["roles"]) == ("user", ["user"])
    assert user["is_active"]
    assert not user["email_verified"]
    assert answer.headers["location"] == f"/api/v1/users/{user['id']}"
    shown = await backend.client.get(answer.headers["location"], headers=admin.headers)
    assert shown.json() == user
    assert shown.headers["etag"] == answer.headers["etag"]
    made = [e for e in await actions("user.created") if e["target"] == user["id"]]
    assert [(e["actor"], e["data"]) for e in made] == [
        (admin.id, {"how": "admin", "roles": ["user"]})
    ]


async def test_a_trailing_slash_makes_no_difference(backend, call):
    admin = await backend.user("admin")
    answer = await call(admin, "POST", "/users/", json=PERSON)
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/v1/users/{answer.json()['id']}"


async def test_the_invited_person_sets_a_password_and_gets_in(backend, call):
    admin = await backend.user("admin")
    await call(admin, "POST", "/users", json=PERSON)
    mail = next(m for m in await backend.mailbox() if m["to"] == "ada@example.com")
    token = re.search(r"accept-invitation\?token=([\w-]+)", mail["text"])[1]
    body = {"token": token, "password": "a-password-of-her-own"}
    accepted = await backend.client.post(f"{backend.api}/auth/accept-invitation", json=body)
    assert accepted.status_code == 200, accepted.text
    login = {"username": "ada", "password": "a-password-of-her-own"}
    tokens = await backend.client.post(f"{backend.api}/auth/login", json=login)
    assert tokens.status_code == 200
    assert tokens.json()["user"]["email_verified"]


async def test_nobody_is_invited_who_registered(backend):
    account = await backend.register()
    subjects = [m["subject"] for m in await backend.mailbox() if m["to"] == account.email]
    assert len(subjects) == 1
    assert "erify" in subjects[0]


async def test_C8_no_password_can_be_given(backend, call):
    admin = await backend.user("superadmin")
    body = {**PERSON, "password": "chosen-by-somebody-else"}
    answer = await call(admin, "POST", "/users", json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "unknown_field"
    assert answer.json()["errors"][0]["pointer"] == "#/password"


async def test_address_and_username_are_required(backend, call):
    admin = await backend.user("admin")
    answer = await call(admin, "POST", "/users", json={"first_name": "Ada"})
    assert answer.status_code == 422
    assert {e["pointer"] for e in answer.json()["errors"]} == {"#/email", "#/username"}


async def test_a_taken_name_is_a_conflict(backend, call):
    admin = await backend.user("admin")
    await call(admin, "POST", "/users", json=PERSON)
    for member, taken in {"email": "ADA@example.com", "username": "Ada"}.items():
        other = {"email": "eve@example.com", "username": "eve", member: taken}
        answer = await call(admin, "POST", "/users", json=other)
        assert (answer.status_code, answer.json()["code"]) == (409, "already_exists")
        assert [e["pointer"] for e in answer.json()["errors"]] == [f"#/{member}"]


async def test_it_takes_the_permission(backend, call):
    account = await backend.user("moderator")
    answer = await call(account, "POST", "/users", json=PERSON)
    assert answer.status_code == 403
    assert answer.json()["required"] == ["users:create"]


async def test_H6_only_who_may_assign_roles_gives_one_at_once(backend, call, actions):
    admin = await backend.user("admin")
    for role in ("moderator", "superadmin", "unheard-of"):
        answer = await call(admin, "POST", "/users", json={**PERSON, "role": role})
        assert (answer.status_code, answer.json()["code"]) == (403, "role_not_assignable")
    assert (await call(admin, "GET", "/users?username=ada")).json()["items"] == []
    refusals = await actions("action.refused")
    assert [e["data"] for e in refusals] == 3 * [
        {"action": "roles:assign", "reason": "role_not_assignable"}
    ]
    answer = await call(admin, "POST", "/users", json={**PERSON, "role": "user"})
    assert answer.status_code == 201


async def test_a_superadmin_gives_a_role_at_once(backend, call):
    superadmin = await backend.user("superadmin")
    answer = await call(superadmin, "POST", "/users", json={**PERSON, "role": "moderator"})
    assert answer.status_code == 201
    assert answer.json()["roles"] == ["moderator"]


async def test_an_unknown_role_is_not_valid(backend, call):
    superadmin = await backend.user("superadmin")
    answer = await call(superadmin, "POST", "/users", json={**PERSON, "role": "unheard-of"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0] == {
        "pointer": "#/role",
        "code": "unknown_role",
        "detail": "There is no such role.",
    }

"""Requirements C1 to C9: reset, verification, change of address, invitation."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from itertools import product
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from mainstay import create_app
from mainstay.core.settings import SettingsError
from mainstay.features.auth import one_time
from mainstay.features.auth.mails import AccountMails
from mainstay.features.auth.models import LoginAttempts, OneTimeToken
from mainstay.features.users import User, find_by_id
from mainstay.testing.backend import PASSWORD, Account, environment

pytestmark = pytest.mark.anyio

NEW = "a-new-fine-phrase"
PURPOSES = ("verify_email", "reset_password", "change_email", "invitation", "setup")
CODES = {400: "token_invalid", 401: "not_authenticated"}


def body_of(purpose: str, token: str, number: int = 0) -> tuple[str, dict[str, Any]]:
    """Give the path and body that use a token; ``number`` tells racers apart."""
    password = f"{NEW}-{number:02}"
    return {
        "verify_email": ("/auth/verify-email", {"token": token}),
        "change_email": ("/auth/change-email/confirm", {"token": token}),
        "reset_password": ("/auth/reset-password", {"token": token, "new_password": password}),
        "invitation": ("/auth/accept-invitation", {"token": token, "password": password}),
        "setup": (
            "/admin/setup",
            {"token": token, "email": f"chief{number}@example.com", "password": password},
        ),
    }[purpose]


async def use(lab: Any, purpose: str, token: str, number: int = 0) -> httpx2.Response:
    path, body = body_of(purpose, token, number)
    if purpose == "setup":
        return await lab.backend.client.post(path, json=body)
    return await lab.post(path, body)


async def ask_for_change(lab: Any, account: Account, email: str) -> httpx2.Response:
    body = {"new_email": email, "password": account.password}
    return await lab.post("/auth/change-email", body, by=account)


async def invite(lab: Any, account: Account) -> str:
    """Take the password from an account, and send it the mail that lets it set one."""
    await lab.backend.change_user(account, password_hash=None)
    assembly = lab.backend.assembly
    async with assembly.units.transaction() as session:
        user = await find_by_id(session, account.id)
        await assembly.ports[AccountMails].invitation(session, user)
    return await lab.mailed_token(account.email, "accept-invitation")


async def token_for(lab: Any, purpose: str, account: Account) -> str:
    """Have a token made in the way that it usually is, and give it."""
    if purpose == "setup":
        return str(await lab.backend.setup_token())
    if purpose == "verify_email":
        return await lab.mailed_token(account.email, "verify-email")
    if purpose == "reset_password":
        return await lab.forgot(account)
    if purpose == "invitation":
        return await invite(lab, account)
    address = f"new-{account.email}"
    assert (await ask_for_change(lab, account, address)).status_code == 200
    return await lab.mailed_token(address, "change-email")


@pytest.mark.parametrize("purpose", PURPOSES)
async def test_C1_a_token_works_once_and_parallel_tries_change_nothing_about_it(
    lab: Any, purpose: str
) -> None:
    account = await lab.backend.register()
    token = await token_for(lab, purpose, account)
    await lab.race(lambda number: use(lab, purpose, token, number))
    assert (await use(lab, purpose, token)).status_code in {400, 409}
    done = {
        "verify_email": ("auth.email_verified", {}),
        "reset_password": ("auth.password_changed", {"how": "reset"}),
        "change_email": ("auth.email_changed", {}),
        "invitation": ("auth.password_changed", {"how": "invitation"}),
        "setup": ("user.created", {"how": "setup"}),
    }
    action, data = done[purpose]
    assert len(await lab.audit(action, **data)) == 1
    spent = (OneTimeToken.purpose == purpose, OneTimeToken.spent_at.is_not(None))
    assert await lab.count(OneTimeToken, *spent) == 1
    assert await lab.count(User) == (2 if purpose == "setup" else 1)


@pytest.mark.parametrize("purpose", PURPOSES)
async def test_C1_tokens_are_random_kept_hashed_and_expire(
    lab: Any, clock: Any, purpose: str
) -> None:
    account = await lab.backend.register()
    token = await token_for(lab, purpose, account)
    # 43 characters of base64url are 256 bits.
    assert re.fullmatch(r"[\w-]{43}", token)
    assert token not in str(await lab.dump("mail_messages"))
    lifetime = {"verify_email": 1440, "change_email": 1440, "invitation": 10_080}
    clock.forward(minutes=lifetime.get(purpose, 30), seconds=1)
    late = await use(lab, purpose, token)
    assert (late.status_code, late.json()["code"]) == (400, "token_invalid")


async def test_C1_no_two_tokens_are_alike(lab: Any) -> None:
    account = await lab.backend.register()
    tokens = {await lab.forgot(account) for _ in range(one_time.MAILS_IN_WINDOW)}
    assert len(tokens) == one_time.MAILS_IN_WINDOW


def test_C1_a_reset_never_lives_for_more_than_an_hour() -> None:
    with pytest.raises(SettingsError, match="PASSWORD_RESET_TOKEN_EXPIRE_MINUTES"):
        create_app(environ=environment(PASSWORD_RESET_TOKEN_EXPIRE_MINUTES=61), inspecting=True)


async def test_C2_a_token_of_one_purpose_is_refused_for_every_other(lab: Any) -> None:
    accounts = {purpose: await lab.backend.register() for purpose in PURPOSES}
    tokens = {name: await token_for(lab, name, account) for name, account in accounts.items()}
    for purpose, other in product(PURPOSES, PURPOSES):
        if purpose != other:
            answer = await use(lab, other, tokens[purpose])
            assert answer.status_code == 400, (purpose, other)
            assert answer.json()["code"] == "token_invalid"
    for purpose, token in tokens.items():
        assert (await lab.refresh(token)).status_code == 401, purpose
        assert not await lab.is_signed_in({"access_token": token})
    for tried in ("access_token", "refresh_token"):
        for purpose in PURPOSES:
            answer = await use(lab, purpose, accounts["setup"].tokens[tried][:200])
            assert (answer.status_code, answer.json()["code"]) == (400, "token_invalid")
    # None of that used any of them up.
    for purpose, token in tokens.items():
        assert (await use(lab, purpose, token)).status_code in {200, 201}, purpose


@pytest.mark.parametrize(
    ("settings", "base"),
    [
        ({"FRONTEND_URL": "https://shop.example.com"}, "https://shop.example.com/"),
        (
            {"PUBLIC_URL": "https://api.example.com", "ALLOWED_HOSTS": "*"},
            "https://api.example.com/",
        ),
        ({}, "http://127.0.0.1:8000/"),
    ],
    ids=["frontend", "public", "neither"],
)
async def test_C3_links_come_from_the_settings_alone(lab: Any, base: str) -> None:
    account = await lab.backend.register()
    evil = "evil.example.net"
    headers = {
        "Host": evil,
        "X-Forwarded-Host": evil,
        "X-Forwarded-Server": evil,
        "X-Original-Host": evil,
        "Forwarded": f"host={evil};proto=http",
        "Origin": f"https://{evil}",
        "Referer": f"https://{evil}/",
    }
    asked = {"email": account.email}
    for path in ("/auth/forgot-password", "/auth/resend-verification"):
        assert (await lab.post(path, asked, headers=headers)).status_code == 200
    uri = f"http://{evil}{lab.backend.api}/auth/forgot-password"
    assert (await lab.backend.client.post(uri, json=asked)).status_code == 200
    mails = await lab.mails(account.email)
    assert len(mails) == 4
    for mail in mails:
        assert evil not in str(mail)
        assert all(link.startswith(base) for link in mail["links"]), mail["links"]


@pytest.mark.parametrize("settings", [{"PUBLIC_URL": "https://api.example.com"}])
async def test_C3_another_host_is_not_even_served(lab: Any) -> None:
    asked = {"email": "ada@example.com"}
    for host, status in (("evil.example.net", 400), ("api.example.com", 200)):
        answer = await lab.post("/auth/forgot-password", asked, headers={"Host": host})
        assert answer.status_code == status


async def test_C4_a_reset_signs_nobody_in_and_ends_all_that_was(lab: Any) -> None:
    account = await lab.backend.register()
    sessions = [account.tokens, await lab.backend.login(account)]
    assert (await lab.refresh(sessions[1]["refresh_token"])).status_code == 200
    pending = await lab.forgot(account)
    change = await token_for(lab, "change_email", account)
    token = await lab.forgot(account)
    answer = await lab.reset(token, NEW)
    assert answer.status_code == 200
    assert answer.json().keys() == {"message"}
    assert "set-cookie" not in answer.headers
    for tokens in sessions:
        assert not await lab.is_signed_in(tokens)
        assert (await lab.refresh(tokens["refresh_token"])).status_code == 401
    assert (await lab.reset(pending, "yet-another-phrase")).status_code == 400
    assert (await use(lab, "change_email", change)).status_code == 400
    assert not await lab.can_enter(account)
    assert await lab.can_enter(account, NEW)


async def test_C5_asking_for_a_reset_changes_nothing(lab: Any) -> None:
    account = await lab.backend.register()
    before = (await lab.dump())["users"]
    for _ in range(5):
        await lab.forgot(account)
    assert (await lab.dump())["users"] == before
    assert await lab.count(LoginAttempts) == 0
    assert await lab.is_signed_in(account)
    assert await lab.can_enter(account)


async def test_C5_the_mail_goes_to_the_address_on_record(lab: Any) -> None:
    account = await lab.backend.register(email="gross@example.com")
    for spelling in ("GROSS@example.com", "groß@example.com", "\uff47ross@example.com"):
        assert (await lab.post("/auth/forgot-password", {"email": spelling})).status_code == 200
    assert {mail["to"] for mail in await lab.mails()} == {account.email}


async def test_C6_changing_the_address_needs_the_password_again(lab: Any) -> None:
    account = await lab.backend.register()
    for body, status, code in (
        ({"new_email": "new@example.com"}, 422, "validation_failed"),
        ({"new_email": "new@example.com", "password": NEW}, 400, "password_incorrect"),
    ):
        answer = await lab.post("/auth/change-email", body, by=account)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await lab.count(OneTimeToken, OneTimeToken.purpose == "change_email") == 0
    assert await lab.mails("new@example.com") == []
    attempts = await lab.rows(select(LoginAttempts).where(LoginAttempts.account == account.id))
    assert {row.failures for row in attempts} == {1}


async def test_C6_an_address_changes_only_once_the_new_one_has_proved_itself(lab: Any) -> None:
    account = await lab.backend.register()
    sent_before = [await lab.forgot(account), await token_for(lab, "verify_email", account)]
    first = await token_for(lab, "change_email", account)
    assert (await ask_for_change(lab, account, "second@example.com")).status_code == 200
    assert (await lab.user(account.id)).email == account.email
    assert await lab.can_enter(account)
    notices = await lab.mails(account.email, "address")
    assert len([m for m in notices if "token=" not in m["text"]]) == 2
    # Only the latest wish counts.
    assert (await use(lab, "change_email", first)).status_code == 400
    token = await lab.mailed_token("second@example.com", "change-email")
    assert (await use(lab, "change_email", token)).status_code == 200
    user = await lab.user(account.id)
    assert (user.email, user.email_key, user.email_verified) == (*["second@example.com"] * 2, True)
    assert (await lab.reset(sent_before[0], NEW)).status_code == 400
    assert (await use(lab, "verify_email", sent_before[1])).status_code == 400
    assert not await lab.can_enter(account)


async def test_C6_an_address_taken_in_the_meantime_is_not_taken_over(lab: Any) -> None:
    account = await lab.backend.register()
    assert (await ask_for_change(lab, account, "wanted@example.com")).status_code == 200
    token = await lab.mailed_token("wanted@example.com", "change-email")
    await lab.backend.register(email="Wanted@example.com")
    assert (await use(lab, "change_email", token)).status_code == 409
    assert (await lab.user(account.id)).email == account.email


async def test_C7_changes_are_told_by_mail_without_secrets(lab: Any) -> None:
    account = await lab.backend.register()
    body = {"old_password": PASSWORD, "new_password": NEW}
    assert (await lab.post("/auth/change-password", body, by=account)).status_code == 200
    assert (await lab.reset(await lab.forgot(account), f"{NEW}-2")).status_code == 200
    account.password = f"{NEW}-2"
    account.tokens = await lab.backend.login(account)
    assert (await ask_for_change(lab, account, "new@example.com")).status_code == 200
    told = [m for m in await lab.mails(account.email) if "token=" not in m["text"]]
    subjects = [mail["subject"].lower() for mail in told]
    for words, times in (("password was changed", 2), ("address", 1)):
        assert sum(words in subject for subject in subjects) == times, subjects
    for mail in told:
        for secret in (PASSWORD, NEW, account.tokens["access_token"]):
            assert secret not in str(mail)


def test_C8_no_route_lets_anybody_set_or_see_the_password_of_somebody_else(app: Any) -> None:
    document = app.openapi()
    schemas = document["components"]["schemas"]
    own = {
        "/api/v1/auth/register",
        "/api/v1/auth/login",
        "/api/v1/auth/reset-password",
        "/api/v1/auth/change-password",
        "/api/v1/auth/change-email",
        "/api/v1/auth/accept-invitation",
        "/api/v1/auth/reauthenticate",
        "/admin/setup",
    }
    asking = set()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            sent = _spelled_out(operation.get("requestBody", {}), schemas)
            given = _spelled_out(operation["responses"], schemas)
            assert "password" not in given, path
            if "password" in sent:
                asking.add(path)
    assert "/api/v1/auth/login" in asking
    assert asking <= own


def _spelled_out(part: Any, schemas: dict[str, Any], seen: frozenset[str] = frozenset()) -> set:
    """Give the names of all properties in a part of the document."""
    if isinstance(part, list):
        return set().union(*(_spelled_out(each, schemas, seen) for each in part))
    if not isinstance(part, dict):
        return set()
    name = str(part.get("$ref", "")).rpartition("/")[2]
    if name in schemas and name not in seen:
        return _spelled_out(schemas[name], schemas, seen | {name})
    found = {re.sub(r"^(old|new|current)_", "", key) for key in part.get("properties", {})}
    return found.union(*(_spelled_out(value, schemas, seen) for value in part.values()))


@pytest.mark.parametrize(
    ("path", "page"),
    [("/auth/forgot-password", "reset-password"), ("/auth/resend-verification", "verify-email")],
)
async def test_C9_an_address_gets_few_mails_and_the_answers_are_the_same(
    lab: Any, clock: Any, path: str, page: str
) -> None:
    account = await lab.backend.register()
    answers = Counter()

    async def ask(_: int = 0) -> httpx2.Response:
        answer = await lab.post(path, {"email": account.email})
        answers[(answer.status_code, answer.text)] += 1
        return answer

    async def links() -> int:
        return sum(f"/{page}?" in mail["text"] for mail in await lab.mails(account.email))

    await lab.race(ask)
    assert await links() == one_time.MAILS_IN_WINDOW
    assert len(answers) == 1
    clock.forward(minutes=16)
    await ask()
    assert await links() == one_time.MAILS_IN_WINDOW + 1


async def test_C9_a_new_address_gets_few_mails(lab: Any) -> None:
    account = await lab.backend.register()
    await lab.race(lambda _: ask_for_change(lab, account, "victim@example.com"))
    assert len(await lab.mails("victim@example.com")) == one_time.MAILS_IN_WINDOW


@pytest.mark.parametrize(
    "settings", [{"RATE_LIMIT_ENABLED": "true", "RATE_LIMIT_AUTH_ENDPOINTS": "3/hour"}]
)
@pytest.mark.parametrize(
    "path", ["/auth/forgot-password", "/auth/resend-verification", "/auth/register"]
)
async def test_C9_a_caller_is_limited_whoever_is_asked_for(lab: Any, path: str) -> None:
    account = await lab.backend.register()
    spent = [await lab.post(path, {"email": account.email}) for _ in range(2)]
    assert 429 not in {answer.status_code for answer in spent}
    refused = [await lab.post(path, {"email": to}) for to in (account.email, "x@example.com")]
    bodies = [{**answer.json(), "request_id": "", "detail": ""} for answer in refused]
    assert [answer.status_code for answer in refused] == [429, 429]
    assert bodies[0] == bodies[1]
    assert refused[0].headers.keys() == refused[1].headers.keys()
    assert timedelta(seconds=int(refused[0].headers["retry-after"])) <= timedelta(hours=1)

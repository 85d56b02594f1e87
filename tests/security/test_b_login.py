"""Requirements B1 to B8: signing in, throttling, and what a stranger learns."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from mainstay import create_app
from mainstay.core.settings import SettingsError
from mainstay.features.auth.models import LoginAttempts
from mainstay.features.sessions import SessionRow
from mainstay.features.users import User
from mainstay.testing.backend import PASSWORD, Account, environment

pytestmark = pytest.mark.anyio

N = 3
WRONG = "not-the-password"
UNKNOWN = "nobody@example.com"


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"ACCOUNT_LOCKOUT_THRESHOLD": N, "ACCOUNT_LOCKOUT_DURATION_MINUTES": 20}


def shown(answer: httpx2.Response) -> tuple[Any, ...]:
    """Give all of an answer that may differ between accounts, and must not."""
    body = answer.json()
    body.pop("request_id", None)
    assert answer.headers.keys() >= {"content-type", "x-request-id"}
    return answer.status_code, tuple(sorted(answer.headers.keys())), body


async def lock(lab: Any, name: str) -> None:
    for _ in range(N):
        assert (await lab.login(name, WRONG)).status_code == 401


async def failures(lab: Any, account: Account) -> dict[str, int]:
    rows = await lab.rows(select(LoginAttempts).where(LoginAttempts.account == account.id))
    return {row.source: row.failures for row in rows}


async def test_B1_failures_are_counted_in_the_database_and_then_nothing_is_evaluated(
    lab: Any, hasher: Any
) -> None:
    account = await lab.backend.register()
    await lock(lab, account.email)
    assert hasher.evaluations == N
    # Under its other name, in other letters, and with the right password.
    for name in (account.username, account.email.upper()):
        assert (await lab.login(name, PASSWORD)).status_code == 401
    async with lab.other_process() as replica:
        assert (await replica.login(account.email, PASSWORD)).status_code == 401
    assert hasher.evaluations == N
    assert len(await lab.audit("auth.sign_in_failed", reason="locked")) == 3
    assert len(await lab.audit("auth.account_locked")) == 1


def test_B1_no_more_than_a_hundred_can_be_allowed() -> None:
    for name, value in {
        "ACCOUNT_LOCKOUT_THRESHOLD": 101,
        "ACCOUNT_LOCKOUT_DURATION_MINUTES": 61,
    }.items():
        with pytest.raises(SettingsError, match=name):
            create_app(environ=environment(**{name: value}), inspecting=True)


async def test_B2_parallel_wrong_passwords_are_evaluated_no_more_than_n_times(
    lab: Any, hasher: Any
) -> None:
    account = await lab.backend.register()

    async def attempt(number: int) -> httpx2.Response:
        if number % 4:
            return await lab.login((account.email, account.username)[number % 2], WRONG)
        return await lab.post("/auth/reauthenticate", {"password": WRONG}, by=account)

    await lab.race(attempt, N + 20)
    assert hasher.evaluations == N
    assert not await lab.can_enter(account)
    assert (await failures(lab, account))["*"] == N


async def test_B2_every_parallel_failure_leaves_its_row(lab: Any, hasher: Any) -> None:
    account = await lab.backend.register()
    await lab.race(lambda _: lab.login(account.email, WRONG), N + 20)
    evaluated = await lab.audit("auth.sign_in_failed", reason="password")
    refused = await lab.audit("auth.sign_in_failed", reason="locked")
    assert len(evaluated) == hasher.evaluations == N
    assert len(refused) == 20
    assert len(await lab.audit("auth.account_locked")) == 1


async def test_B2_it_holds_across_processes(lab: Any, hasher: Any) -> None:
    account = await lab.backend.register()
    async with lab.other_process() as replica:
        doors = (lab, replica)
        await lab.race(lambda number: doors[number % 2].login(account.email, WRONG), N + 20)
    assert len(await lab.audit("auth.sign_in_failed", reason="password")) == N


async def test_B3_a_lock_ends_by_itself_and_nobody_prolongs_it(lab: Any, clock: Any) -> None:
    account = await lab.backend.register()
    await lock(lab, account.email)
    clock.forward(minutes=19)
    for _ in range(2):
        assert not await lab.can_enter(account)
    clock.forward(minutes=1, seconds=1)
    assert await lab.can_enter(account)


async def test_B3_the_owner_of_a_locked_account_gets_in_by_mail_and_stays_in(lab: Any) -> None:
    account = await lab.backend.register()
    await lock(lab, account.email)
    assert await lab.is_signed_in(account)
    assert not await lab.can_enter(account)
    assert (await lab.reset(await lab.forgot(account), "a-new-fine-phrase")).status_code == 200
    assert await lab.can_enter(account, "a-new-fine-phrase")


async def test_B4_a_success_forgives_only_what_its_own_address_did(lab: Any) -> None:
    account, other = await lab.backend.register(), await lab.backend.register()
    await lab.login(other.email, WRONG)
    async with lab.client_at("203.0.113.9") as attacker:
        for _ in range(N - 2):
            await lab.login(account.email, WRONG, client=attacker)
        await lab.login(account.email, WRONG)
        assert (await lab.login(account.email, PASSWORD)).status_code == 200
        assert await failures(lab, account) == {"*": N - 2, "203.0.113.9": N - 2}
        assert await failures(lab, other) == {"*": 1, "127.0.0.1": 1}
        for _ in range(2):
            await lab.login(account.email, WRONG, client=attacker)
    assert not await lab.can_enter(account)


@pytest.mark.parametrize(
    "settings", [{"RATE_LIMIT_ENABLED": "true", "RATE_LIMIT_AUTH_ENDPOINTS": "4/hour"}]
)
async def test_B4_a_success_does_not_clear_the_counter_of_its_address(lab: Any) -> None:
    account = await lab.backend.register()
    statuses = [
        (await lab.login(name, password)).status_code
        for name, password in (
            (UNKNOWN, WRONG),
            (account.email, PASSWORD),
            (account.email, PASSWORD),
            (UNKNOWN, WRONG),
        )
    ]
    assert statuses == [401, 200, 200, 429]


async def test_B5_login_tells_nothing_of_an_account(lab: Any, hasher: Any) -> None:
    plain, disabled, locked, social = [await lab.backend.register() for _ in range(4)]
    await lab.backend.change_user(disabled, is_active=False)
    await lab.backend.change_user(social, password_hash=None)
    await lock(lab, locked.email)
    expected = shown(await lab.login(UNKNOWN, WRONG))
    assert expected[0] == 401
    assert expected[2]["code"] == "invalid_credentials"
    for name, password in (
        ("nobody", PASSWORD),
        (plain.email, WRONG),
        (plain.username, WRONG),
        (disabled.email, WRONG),
        (disabled.email, PASSWORD),
        (locked.email, WRONG),
        (locked.email, PASSWORD),
        (social.email, WRONG),
    ):
        assert shown(await lab.login(name, password)) == expected, name


async def test_B5_an_unknown_name_is_throttled_as_an_account_is(lab: Any) -> None:
    account = await lab.backend.register()
    for name in (UNKNOWN, account.email):
        answers = [shown(await lab.login(name, WRONG)) for _ in range(N + 2)]
        assert answers == [answers[0]] * (N + 2)
    assert await lab.count(LoginAttempts, LoginAttempts.failures == N) == 4


async def test_B5_login_costs_a_hash_whoever_is_asked_for(
    lab: Any, hasher: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, disabled = await lab.backend.register(), await lab.backend.register()
    await lab.backend.change_user(disabled, is_active=False)
    done: list[bool] = []
    scheme = hasher._scheme
    verify = scheme.verify
    monkeypatch.setattr(scheme, "verify", lambda *given: (done.append(True), verify(*given))[1])
    names = (UNKNOWN, account.email, disabled.email)
    for number, name in enumerate(names, 1):
        await lab.login(name, WRONG)
        assert len(done) == number, name
    await lock(lab, account.email)
    done.clear()
    await lab.login(account.email, WRONG)
    assert done == [True]


@pytest.mark.parametrize("path", ["/auth/forgot-password", "/auth/resend-verification"])
async def test_B5_mail_requests_tell_nothing_of_an_account(lab: Any, path: str) -> None:
    known, disabled, verified, social = [await lab.backend.register() for _ in range(4)]
    await lab.backend.change_user(disabled, is_active=False)
    await lab.backend.change_user(verified, email_verified=True)
    await lab.backend.change_user(social, password_hash=None)
    await lock(lab, known.email)
    answers = [
        shown(await lab.post(path, {"email": email}))
        for email in (UNKNOWN, known.email, disabled.email, verified.email, social.email)
    ]
    assert answers[0][0] == 200
    assert answers == [answers[0]] * 5


@pytest.mark.parametrize("settings", [{"REQUIRE_EMAIL_VERIFICATION": "true"}])
async def test_B5_registering_tells_nothing_of_an_address(lab: Any) -> None:
    async def register(email: str, username: str) -> httpx2.Response:
        body = {"email": email, "username": username, "password": PASSWORD}
        return await lab.post("/auth/register", body)

    fresh = shown(await register("ada@example.com", "lovelace"))
    assert fresh[0] == 201
    assert fresh[2].keys() == {"message"}
    assert shown(await register("Ada@Example.com", "somebody")) == fresh
    # The names are gone in both cases, and are refused in the same words.
    taken = [
        shown(await register("one@example.com", "lovelace")),
        shown(await register("two@example.com", "somebody")),
    ]
    assert taken[0][0] == 409
    assert taken[0] == taken[1]
    assert await lab.count(User) == 1
    assert [m["to"] for m in await lab.mails()] == ["ada@example.com"] * 2


async def test_B5_changing_to_a_taken_address_looks_like_any_other(lab: Any) -> None:
    account, other = await lab.backend.register(), await lab.backend.register()
    answers = []
    for email in ("fresh@example.com", other.email, other.email.upper()):
        body = {"new_email": email, "password": PASSWORD}
        answers.append(shown(await lab.post("/auth/change-email", body, by=account)))
    assert answers[0][0] == 200
    assert answers == [answers[0]] * 3
    assert await lab.mails(other.email, "change") == []


async def test_B6_there_is_no_account_and_no_secret_by_default(lab: Any) -> None:
    assert await lab.count(User) == 0
    for name in ("admin", "admin@example.com", "root", "superuser"):
        for password in ("admin", "password", "changeme"):
            assert (await lab.login(name, password)).status_code == 401


@pytest.mark.parametrize("kind", ["production", "staging"])
def test_B6_without_a_secret_nothing_starts(kind: str) -> None:
    environ = environment(ENVIRONMENT=kind, PUBLIC_URL="https://app.example.com")
    del environ["SECRET_KEY"]
    with pytest.raises(SettingsError, match="SECRET_KEY"):
        create_app(environ=environ)


@pytest.mark.parametrize("settings", [{"REQUIRE_EMAIL_VERIFICATION": "true"}])
async def test_B7_every_way_in_asks_for_a_verified_address(lab: Any) -> None:
    account = await _verified(lab)
    tokens = (await lab.login(account.email, PASSWORD)).json()
    assert await lab.is_signed_in(tokens)
    await lab.backend.change_user(account, email_verified=False)
    refused = await lab.login(account.email, PASSWORD)
    assert (refused.status_code, refused.json()["code"]) == (403, "email_not_verified")
    assert (await lab.login(account.email, WRONG)).status_code == 401
    assert not await lab.is_signed_in(tokens)
    assert (await lab.refresh(tokens["refresh_token"])).status_code == 401


async def test_B7_every_way_in_asks_for_an_active_account(lab: Any) -> None:
    account = await lab.backend.register()
    token = await lab.forgot(account)
    await lab.backend.change_user(account, is_active=False)
    assert not await lab.is_signed_in(account)
    assert (await lab.refresh(account.tokens["refresh_token"])).status_code == 401
    await lab.reset(token, "a-new-fine-phrase")
    for password in (PASSWORD, "a-new-fine-phrase"):
        assert not await lab.can_enter(account, password)


async def test_B8_every_sign_in_has_a_session_and_tokens_of_its_own(lab: Any) -> None:
    account = await lab.backend.register()
    tokens = [account.tokens, *[await lab.backend.login(account) for _ in range(2)]]
    for name in ("access_token", "refresh_token"):
        assert len({each[name] for each in tokens}) == 3
    assert await lab.count(SessionRow) == 3
    # The end of one is not the end of another.
    assert (await lab.post("/auth/logout", by=tokens[0])).status_code == 204
    assert [await lab.is_signed_in(each) for each in tokens] == [False, True, True]


async def _verified(lab: Any) -> Account:
    """Register and verify an account, where that comes first."""
    body = {"email": "ada@example.com", "username": "lovelace", "password": PASSWORD}
    assert (await lab.post("/auth/register", body)).json().keys() == {"message"}
    assert (await lab.login(body["email"], PASSWORD)).status_code == 403
    token = await lab.mailed_token(body["email"], "verify-email")
    assert (await lab.post("/auth/verify-email", {"token": token})).status_code == 200
    user = (await lab.rows(select(User)))[0]
    return Account(user.id, user.email, user.username, PASSWORD)

"""Requirements N1 and N2: what is written down of signing in, and what never is."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, redirect_stdout
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
import structlog
from sqlalchemy import select

from mainstay.core.http.application import Application
from mainstay.features.audit import AuditLog
from mainstay.features.jobs import JobRow
from mainstay.features.users import service as users_service
from mainstay.testing.backend import PASSWORD, Account

pytestmark = pytest.mark.anyio

HOME = "198.51.100.7"
NEW, NEWER, WRONG = "a-new-fine-phrase", "a-newer-fine-phrase", "not-the-password-at-all"


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"LOG_LEVEL": "DEBUG"}


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """All that the process writes to its standard output, other libraries' lines included."""
    written = io.StringIO()
    structlog.reset_defaults()
    monkeypatch.setattr(sys, "stdout", written)
    handler = logging.StreamHandler(written)
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)
    structlog.reset_defaults()


@pytest.fixture
def app(log: io.StringIO, make_app: Callable[[], Application]) -> Application:
    """The application, whose logger writes where the test reads."""
    return make_app()


@asynccontextmanager
async def overheard(lab: Any, log: io.StringIO) -> AsyncIterator[Any]:
    """Start another process whose lines are all read; pytest has its own standard output."""
    with redirect_stdout(log):
        async with lab.other_process() as door:
            yield door


class Diary:
    """Sends requests from one address, and finds the rows that each has left."""

    def __init__(self, lab: Any, client: httpx2.AsyncClient) -> None:
        self.lab = lab
        self.client = client
        self.last: httpx2.Response

    async def send(self, path: str, body: Any = None, **how: Any) -> Any:
        self.last = await self.lab.post(path, body, client=self.client, **how)
        return self.last.json() if self.last.content else None

    async def left(self, action: str, outcome: str, **columns: Any) -> None:
        """Require that the last request left one such row."""
        request_id = self.last.headers["x-request-id"]
        rows = [r for r in await self.lab.audit(action) if r.request_id == request_id]
        assert len(rows) == 1, (action, self.last.status_code, self.last.text)
        [row] = rows
        assert row.outcome == outcome
        assert row.ip == HOME
        assert row.created_at.utcoffset() == timedelta()
        assert abs(datetime.now(UTC) - row.created_at) < timedelta(minutes=1)
        for name, value in columns.items():
            assert getattr(row, name) == value, (action, name)


@pytest.fixture
async def diary(lab: Any) -> Any:
    async with lab.client_at(HOME) as client:
        yield Diary(lab, client)


@pytest.mark.parametrize("settings", [{"ACCOUNT_LOCKOUT_THRESHOLD": 2}])
async def test_N1_signing_in_leaves_rows(lab: Any, diary: Any) -> None:
    account = await lab.backend.register()
    name, own = account.email, {"target_id": account.id}
    right = {"username_or_email": name, "password": PASSWORD}
    tokens = await diary.send("/auth/login", right)
    await diary.left("auth.signed_in", "success", actor_id=account.id, **own)
    await diary.left("session.started", "success", actor_id=account.id, **own)
    await diary.send("/auth/login", {"username_or_email": "nobody", "password": PASSWORD})
    await diary.left("auth.sign_in_failed", "failure", actor_id=None, target_id=None)
    for _ in range(2):
        await diary.send("/auth/login", {**right, "password": WRONG})
        await diary.left("auth.sign_in_failed", "failure", data={"reason": "password"}, **own)
    await diary.left("auth.account_locked", "failure", **own)
    await diary.send("/auth/login", right)
    await diary.left("auth.sign_in_failed", "failure", data={"reason": "locked"}, **own)
    assert await diary.send("/auth/logout", by=tokens) is None
    await diary.left("session.revoked", "success", actor_id=account.id, **own)


async def test_N1_refused_accounts_leave_rows(lab: Any, diary: Any) -> None:
    account = await lab.backend.register()
    await lab.backend.change_user(account, is_active=False)
    await diary.send("/auth/login", {"email": account.email, "password": PASSWORD})
    wanted = {"data": {"reason": "disabled"}, "target_id": account.id}
    await diary.left("auth.sign_in_failed", "failure", **wanted)


async def test_N1_refreshing_leaves_rows(lab: Any, diary: Any, clock: Any) -> None:
    account = await lab.backend.register()
    spent = {"refresh_token": account.tokens["refresh_token"]}
    own = {"target_id": account.id}
    await diary.send("/auth/refresh", spent)
    await diary.left("session.refreshed", "success", actor_id=account.id, **own)
    await diary.send("/auth/refresh", {"refresh_token": "no-such-token"})
    await diary.left("session.refresh_refused", "failure", actor_id=None, target_id=None)
    clock.forward(seconds=11)
    await diary.send("/auth/refresh", spent)
    await diary.left("session.refresh_reused", "failure", actor_id=account.id, **own)
    await diary.send("/auth/refresh", spent)
    await diary.left("session.refresh_refused", "failure", **own)


async def test_N1_passwords_and_addresses_leave_rows(lab: Any, diary: Any) -> None:
    account = await lab.backend.register()
    own = {"actor_id": account.id, "target_id": account.id}
    wrong = {"password": WRONG, "old_password": WRONG, "new_password": NEW, "new_email": "n@x.org"}
    right = wrong | {"password": PASSWORD, "old_password": PASSWORD}
    for path, members, action in (
        ("/auth/reauthenticate", ["password"], "auth.reauthenticated"),
        ("/auth/change-email", ["new_email", "password"], "auth.email_change_requested"),
        ("/auth/change-password", ["old_password", "new_password"], "auth.password_changed"),
    ):
        await diary.send(path, {name: wrong[name] for name in members}, by=account)
        assert diary.last.status_code in {400, 401}
        await diary.left("auth.reauthentication_failed", "failure", **own)
        await diary.send(path, {name: right[name] for name in members}, by=account)
        assert diary.last.status_code == 200, diary.last.text
        await diary.left(action, "success", **own)


async def test_N1_tokens_of_mails_leave_rows(lab: Any, diary: Any) -> None:
    account = await lab.backend.register()
    body = {"new_email": "new@example.com", "password": PASSWORD}
    assert (await lab.post("/auth/change-email", body, by=account)).status_code == 200
    verify = await lab.mailed_token(account.email, "verify-email")
    await diary.send("/auth/forgot-password", {"email": account.email})
    reset = await lab.mailed_token(account.email, "reset-password")
    [asked] = await lab.audit("auth.password_reset_requested")
    assert (asked.target_id, asked.request_id) == (
        account.id,
        diary.last.headers["x-request-id"],
    )
    change = await lab.mailed_token("new@example.com", "change-email")
    for path, token, action in (
        ("/auth/verify-email", verify, "auth.email_verified"),
        ("/auth/change-email/confirm", change, "auth.email_changed"),
        ("/auth/reset-password", reset, "auth.one_time_token_refused"),
    ):
        more = {"new_password": NEW} if "reset" in path else {}
        await diary.send(path, {"token": "wrong-token", **more})
        await diary.left("auth.one_time_token_refused", "failure")
        await diary.send(path, {"token": token, **more})
        success = action != "auth.one_time_token_refused"
        columns = {"target_id": account.id} if success else {}
        # The reset was sent to the address that the account no longer has.
        await diary.left(action, "success" if success else "failure", **columns)


async def test_N1_refusals_and_bad_tokens_are_on_record(
    lab: Any, diary: Any, log: io.StringIO
) -> None:
    account = await lab.backend.register()
    diary.last = await lab.get("/users", by=account, client=diary.client)
    await diary.left("access.refused", "failure", actor_id=account.id)
    # A bad access token leaves a line in the log; a row for each would be an invitation.
    async with overheard(lab, log) as door:
        refused = await door.get("/users/me", by={"access_token": "bad"})
    lines = [json.loads(line) for line in log.getvalue().splitlines() if line.startswith("{")]
    wanted = refused.headers["x-request-id"]
    [line] = [each for each in lines if each.get("request_id") == wanted]
    assert (line["status"], line["ip"], line["user_id"]) == (401, "127.0.0.1", None)
    assert datetime.fromisoformat(line["timestamp"]).utcoffset() == timedelta()


class Secrets:
    """What was said in confidence, and where it has turned up."""

    def __init__(self) -> None:
        self.known: set[str] = {PASSWORD, NEW, NEWER, WRONG}

    def learn(self, tokens: Any) -> None:
        access = tokens["access_token"]
        self.known |= {access, access.rpartition(".")[2], tokens["refresh_token"]}

    def found_in(self, text: str) -> set[str]:
        return {secret for secret in self.known if secret in text or quote(secret) in text}


async def live_a_little(door: Any, secrets: Secrets) -> tuple[Account, list[str]]:
    """Do all that one does with an account, well and badly; gives it, and every problem."""
    problems: list[str] = []

    async def send(path: str, body: Any = None, **how: Any) -> httpx2.Response:
        answer = await door.post(path, body, **how)
        if answer.status_code >= 400:
            problems.append(answer.text + str(answer.headers))
        return answer

    account = await door.backend.register()
    secrets.learn(account.tokens)
    name, by = account.email, {"by": account}
    secrets.known.add(verify := await door.mailed_token(name, "verify-email"))
    await send("/auth/login", {"username_or_email": name, "password": WRONG})
    await send("/auth/login", {"username_or_email": PASSWORD, "password": name})
    await send("/auth/login", {"username_or_email": name, "password": [PASSWORD]})
    await send("/auth/login", {"username_or_email": name, "passwort": PASSWORD})
    await send(f"/auth/login?password={PASSWORD}", {"username_or_email": name})
    await send("/auth/register", {"email": PASSWORD, "username": PASSWORD, "password": "short"})
    broken = f'{{"password": "{PASSWORD}"'.encode()
    json_type = {"Content-Type": "application/json"}
    await send("/auth/login", content=broken, headers=json_type)
    secrets.learn(answer := (await send("/auth/refresh", _refresh(account.tokens))).json())
    secrets.learn((await send("/auth/refresh", _refresh(answer))).json())
    await send("/auth/refresh", {"refresh_token": answer["access_token"]})
    await send("/auth/reset-password", {"token": verify, "new_password": NEW})
    await send("/auth/verify-email", {"token": verify})
    await send("/auth/verify-email", {"token": verify})
    await door.backend.client.get(f"/verify-email?token={verify}")
    await door.get(f"/users/me?access_token={answer['access_token']}")
    for old in (WRONG, PASSWORD):
        await send("/auth/change-password", {"old_password": old, "new_password": NEW}, **by)
    await send("/auth/reauthenticate", {"password": WRONG}, **by)
    await send("/auth/change-email", {"new_email": "new@example.com", "password": NEW}, **by)
    secrets.known.add(change := await door.mailed_token("new@example.com", "change-email"))
    await send("/auth/change-email/confirm", {"token": change + "x"})
    secrets.known.add(reset := await door.forgot(account))
    await send("/auth/reset-password", {"token": reset, "new_password": "too-short"})
    await send("/auth/reset-password", {"token": reset, "new_password": NEWER})
    await send("/auth/reset-password", {"token": reset, "new_password": NEWER})
    account.password = NEWER
    account.tokens = await door.backend.login(account)
    secrets.learn(account.tokens)
    return account, problems


def _refresh(tokens: dict[str, Any]) -> dict[str, Any]:
    return {"refresh_token": tokens["refresh_token"]}


@pytest.mark.parametrize("settings", [{"LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json"}])
async def test_N2_no_secret_is_written_down(lab: Any, log: io.StringIO) -> None:
    secrets = Secrets()
    async with overheard(lab, log) as door:
        account, problems = await live_a_little(door, secrets)
    lines = log.getvalue()
    assert lines.count('"event":"request"') > 25
    assert len(problems) > 10
    assert len(secrets.known) >= 16
    assert secrets.found_in(lines) == set()
    assert secrets.found_in("".join(problems)) == set()
    assert {row.payload.get("email") for row in await lab.rows(select(JobRow))} <= {
        None,
        account.email,
    }
    assert await lab.count(AuditLog) > 20
    # Only the mails hold what they were sent for.
    dump = await lab.dump("mail_messages")
    assert "jobs" in dump
    assert "audit_log" in dump
    for table, rows in dump.items():
        assert secrets.found_in(rows) == set(), table
    mails = await lab.mails()
    single_use = {mail["links"][0].partition("token=")[2] for mail in mails if mail["links"]}
    assert secrets.found_in(str(mails)) == single_use & secrets.known
    assert len(single_use) == 3


@pytest.mark.parametrize("settings", [{"LOG_FORMAT": "json"}, {"LOG_FORMAT": "console"}])
async def test_N2_a_failure_shows_neither_values_nor_variables(
    lab: Any, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = Secrets()
    monkeypatch.setattr(users_service, "case_blind", lambda _: None)
    async with overheard(lab, log) as door:
        body = {"email": "ada@example.com", "username": "lovelace", "password": PASSWORD}
        answer = await door.post("/auth/register", body)
    assert answer.status_code == 500
    assert "request.failed" in log.getvalue()
    assert secrets.found_in(log.getvalue() + answer.text) == set()
    assert "ada@example.com" not in log.getvalue() + answer.text
    assert "argon2" not in log.getvalue() + answer.text


@pytest.mark.parametrize("settings", [{"LOG_FORMAT": "console"}])
async def test_N2_the_log_for_people_is_as_discreet(lab: Any, log: io.StringIO) -> None:
    secrets = Secrets()
    async with overheard(lab, log) as door:
        await live_a_little(door, secrets)
    assert log.getvalue().count("POST") > 20
    assert secrets.found_in(log.getvalue()) == set()

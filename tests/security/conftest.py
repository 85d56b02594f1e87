"""A laboratory round a running backend: rows, mails, other processes, other addresses, time."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from mainstay.core.assembly import assembly_of
from mainstay.core.db import Base
from mainstay.core.db.base import owner_of
from mainstay.core.http.application import Application
from mainstay.features.audit import AuditLog
from mainstay.features.auth.hashing import PasswordHasher, Verification
from mainstay.features.users import User
from mainstay.kit.clock import replaced
from mainstay.testing.backend import Account, Backend, serving

RACERS = 20


class Clock:
    """The time, as far ahead as a test wants it, or standing still."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self.frozen: datetime | None = None

    def __call__(self) -> datetime:
        return (self.frozen or datetime.now(UTC)) + self.ahead

    def forward(self, **how_far: float) -> None:
        self.ahead += timedelta(**how_far)

    def freeze(self) -> None:
        self.frozen = datetime.now(UTC)


class CountingHasher(PasswordHasher):
    """Counts how often a password was really compared with an account's hash."""

    evaluations = 0

    async def verify(self, password: str, stored: str | None) -> Verification:
        self.evaluations += stored is not None
        return await super().verify(password, stored)


class Lab:
    """Ways into a backend, and behind it."""

    def __init__(self, backend: Backend, make_app: Callable[[], Application]) -> None:
        self.backend = backend
        self._make_app = make_app

    async def ask(self, method: str, path: str, **how: Any) -> httpx2.Response:
        """Send a request below the API's prefix; ``by`` is an account, or the tokens of one."""
        by, client = how.pop("by", None), how.pop("client", self.backend.client)
        tokens = by.tokens if isinstance(by, Account) else by
        headers = dict(how.pop("headers", {}))
        if tokens is not None:
            headers["Authorization"] = f"Bearer {tokens['access_token']}"
        return await client.request(method, f"{self.backend.api}{path}", headers=headers, **how)

    async def get(self, path: str, **how: Any) -> httpx2.Response:
        return await self.ask("GET", path, **how)

    async def post(self, path: str, json: Any = None, **how: Any) -> httpx2.Response:
        return await self.ask("POST", path, json=json, **how)

    async def login(self, name: str, password: str, **how: Any) -> httpx2.Response:
        body = {"username_or_email": name, "password": password}
        return await self.post("/auth/login", body, **how)

    async def refresh(self, token: str, **how: Any) -> httpx2.Response:
        return await self.post("/auth/refresh", {"refresh_token": token}, **how)

    async def can_enter(self, account: Account, password: str | None = None) -> bool:
        answer = await self.login(account.email, password or account.password)
        assert answer.status_code in {200, 401}, answer.text
        return answer.status_code == 200

    async def is_signed_in(self, tokens: Any, **how: Any) -> bool:
        answer = await self.get("/users/me", by=tokens, **how)
        assert answer.status_code in {200, 401}, answer.text
        return answer.status_code == 200

    @asynccontextmanager
    async def other_process(self) -> AsyncIterator[Lab]:
        """Start a second application on the same database."""
        async with serving(self._make_app()) as second:
            yield Lab(second, self._make_app)

    @asynccontextmanager
    async def client_at(self, ip: str) -> AsyncIterator[httpx2.AsyncClient]:
        """Give a client at another address."""
        transport = httpx2.ASGITransport(
            app=self.backend.app, client=(ip, 40_000), raise_app_exceptions=False
        )
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield client

    async def race(
        self, runner: Callable[[int], Awaitable[httpx2.Response]], times: int = RACERS
    ) -> Counter[int]:
        """Let all go at once; gives how often each status came. None may be an accident."""
        answers = await asyncio.gather(*(runner(number) for number in range(times)))
        broken = [answer.text for answer in answers if answer.status_code == 500]
        assert not broken, broken[0]
        return Counter(answer.status_code for answer in answers)

    async def rows(self, statement: Any) -> list[Any]:
        async with self.backend.assembly.database.session(write=False) as session:
            return list((await session.scalars(statement)).all())

    async def count(self, model: Any, *where: Any) -> int:
        found = await self.rows(select(func.count()).select_from(model).where(*where))
        return int(found[0])

    async def user(self, user_id: str) -> User:
        found: User = (await self.rows(select(User).where(User.id == user_id)))[0]
        return found

    async def audit(self, action: str, **data: Any) -> list[AuditLog]:
        """Give the audit rows of an action whose data has these members, the oldest first."""
        order = (AuditLog.created_at, AuditLog.id)
        found = await self.rows(select(AuditLog).where(AuditLog.action == action).order_by(*order))
        return [row for row in found if data.items() <= row.data.items()]

    async def dump(self, *but: str) -> dict[str, str]:
        """Give the whole database as text, table by table."""
        found = {}
        async with self.backend.assembly.database.session(write=False) as session:
            for table in Base.metadata.sorted_tables:
                if owner_of(table) == "mainstay" and table.name not in but:
                    rows = (await session.execute(select(table))).all()
                    found[table.name] = "\n".join(str(tuple(row)) for row in rows)
        return found

    async def mails(self, to: str | None = None, about: str = "") -> list[dict[str, Any]]:
        """Give the mails to an address, or to anybody, the newest first."""
        found = await self.backend.mailbox()
        about = about.lower()
        return [m for m in found if to in {None, m["to"]} and about in m["subject"].lower()]

    async def mailed_token(self, to: str, page: str) -> str:
        """Give the token of the newest mail to an address whose link leads to the page."""
        for mail in await self.mails(to):
            match = re.search(rf"/{page}\?token=([\w-]+)", mail["text"])
            if match:
                return match[1]
        raise AssertionError(f"no mail to {to} leads to {page}")

    async def forgot(self, account: Account) -> str:
        """Ask for a reset, and give the token of its mail."""
        answer = await self.post("/auth/forgot-password", {"email": account.email})
        assert answer.status_code == 200, answer.text
        return await self.mailed_token(account.email, "reset-password")

    async def reset(self, token: str, password: str) -> httpx2.Response:
        return await self.post("/auth/reset-password", {"token": token, "new_password": password})


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The clock of the whole process."""
    clock = Clock()
    with replaced(clock):
        yield clock


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def app(make_app: Callable[[], Application], hasher: CountingHasher) -> Application:
    """The application, with a hasher that counts."""
    app = make_app()
    assembly_of(app).ports.add(PasswordHasher, hasher)
    return app


@pytest.fixture
async def lab(backend: Backend, make_app: Callable[[], Application]) -> Lab:
    return Lab(backend, make_app)

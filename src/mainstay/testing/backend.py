"""A whole backend in a test's own process: the application, a client, and ways to sign in."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import httpx2

from mainstay.core.assembly import Assembly, assembly_of
from mainstay.core.roles import RoleDirectory
from mainstay.features.auth import Administrators
from mainstay.features.jobs import run_due_jobs
from mainstay.features.users import UserService, find_by_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from mainstay.core.http.application import Application

PASSWORD: Final = "correct-horse-battery"  # noqa: S105 - for accounts in tests
_numbers = count(1)


@dataclass
class Account:
    """An account that a test made, and its tokens."""

    id: str
    email: str
    username: str
    password: str
    tokens: dict[str, Any] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        """The header that signs a request in."""
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}


class Backend:
    """An application that has been started, with a client that talks to it."""

    def __init__(self, app: Application, client: httpx2.AsyncClient) -> None:
        self.app = app
        self.client = client

    @property
    def assembly(self) -> Assembly:
        """The parts of the application."""
        return assembly_of(self.app)

    @property
    def api(self) -> str:
        """The prefix of the API."""
        return str(self.assembly.settings.API_V1_PREFIX)

    async def register(self, **fields: Any) -> Account:
        """Register an account over HTTP; what is not given is made up."""
        number = next(_numbers)
        body = {
            "email": f"user{number}@example.com",
            "username": f"user{number}",
            "password": PASSWORD,
            **fields,
        }
        answer = await self.client.post(f"{self.api}/auth/register", json=body)
        answer.raise_for_status()
        tokens = answer.json()
        return Account(
            id=tokens["user"]["id"],
            email=body["email"],
            username=body["username"],
            password=body["password"],
            tokens=tokens,
        )

    async def user(self, *roles: str) -> Account:
        """Give a registered account that has these roles in place of the default one."""
        account = await self.register()
        if roles:
            await self.give_roles(account, *roles)
        return account

    async def give_roles(self, account: Account, *roles: str) -> None:
        """Replace an account's roles, past all rules."""
        directory = self.assembly.ports[RoleDirectory]
        async with self.assembly.units.transaction() as session:
            await directory.assign(session, account.id, roles)

    async def change_user(self, account: Account, **columns: Any) -> None:
        """Set columns of an account's row, past all rules."""
        async with self.assembly.units.transaction() as session:
            user = await find_by_id(session, account.id)
            for name, value in columns.items():
                setattr(user, name, value)

    async def login(self, account: Account, **headers: str) -> dict[str, Any]:
        """Sign an account in over HTTP, and give the tokens."""
        answer = await self.client.post(
            f"{self.api}/auth/login",
            json={"username_or_email": account.email, "password": account.password},
            headers=headers,
        )
        answer.raise_for_status()
        tokens: dict[str, Any] = answer.json()
        return tokens

    async def setup_token(self) -> str | None:
        """Give the one-time token of the first administrator."""
        async with self.assembly.units.transaction() as session:
            return await self.assembly.ports[Administrators].setup_token(session)

    async def run_jobs(self) -> int:
        """Run all jobs that are due; gives how many ran."""
        return await run_due_jobs(self.assembly.ports)

    async def mailbox(self) -> list[dict[str, Any]]:
        """Give the captured mails, the newest first, after running due jobs."""
        await self.run_jobs()
        answer = await self.client.get("/admin/mailbox.json")
        answer.raise_for_status()
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    @property
    def users(self) -> UserService:
        """The service of users, for tests of pure parts."""
        return self.assembly.ports[UserService]


@asynccontextmanager
async def serving(
    app: Application, *, peer: tuple[str, int] = ("127.0.0.1", 50_000)
) -> AsyncIterator[Backend]:
    """Start an application in this process, and stop it at the end."""
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app, client=peer, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield Backend(app, client)


def environment(**settings: Any) -> dict[str, str]:
    """Give environment variables for a test: no limits in the way, a fixed key, plus the given."""
    base = {
        "SECRET_KEY": "a test's own key, and long enough for that!",
        "RATE_LIMIT_ENABLED": "false",
        "LOG_FORMAT": "json",
    }
    return base | {name: str(value) for name, value in settings.items()}


__all__: Sequence[str] = ("PASSWORD", "Account", "Backend", "environment", "serving")

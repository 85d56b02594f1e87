"""Every route of the running application, called by every kind of caller.

What is expected follows from what the route declares, and from the built-in roles' permissions.
Nobody ever gets a 5xx. A route with a parameter that is not known here fails the test, so that a
new one is thought about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from mainstay.app import create_app
from mainstay.core.auth import Access
from mainstay.core.http.access import routes_with_access
from mainstay.core.principal import BUILT_IN_RANKS, admits
from mainstay.testing.backend import Account, Backend, serving

pytestmark = pytest.mark.anyio

ROLES = ("user", "moderator", "admin", "superadmin")
ACTORS = ("anonymous", "unverified", "inactive", "user", "other user", *ROLES[1:])
OUTSIDE = {"anonymous", "unverified", "inactive"}
PARAMETERS = {
    "user_id": "an account's, see `filled`",
    "session_id": "01900000-0000-7000-8000-000000000001",
    "role_id": "01900000-0000-7000-8000-000000000002",
    "job_id": "01900000-0000-7000-8000-000000000003",
    "entry_id": "01900000-0000-7000-8000-000000000004",
    "role": "user",
    "code": "not_found",
    "name": "page.css",
}
INVENTED = {"session_id", "role_id", "job_id", "entry_id", "name"}
"""Parameters whose values name nothing: who may read it is told that it is not there."""

ENDS_SESSIONS = ("/logout", "/logout-everywhere")
REFUSED_BY_ROW = {403, 404}


@dataclass
class Cast:
    """The callers, and the account that routes with a user id are about."""

    backend: Backend
    accounts: dict[str, Account] = field(default_factory=dict)

    def headers(self, actor: str) -> dict[str, str]:
        account = self.accounts.get(actor)
        return account.headers if account else {}


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"REQUIRE_EMAIL_VERIFICATION": "false", "ACCOUNT_LOCKOUT_THRESHOLD": "100"}


@pytest.fixture
async def cast(backend: Backend) -> Cast:
    cast = Cast(backend)
    for actor in ("user", "other user", "unverified", "inactive", "target"):
        cast.accounts[actor] = await backend.register()
    for role in ROLES[1:]:
        cast.accounts[role] = await backend.user(role)
    for actor, account in cast.accounts.items():
        await backend.change_user(account, email_verified=actor != "unverified")
    await backend.change_user(cast.accounts["inactive"], is_active=False)
    return cast


def permissions_of(backend: Backend, actor: str) -> set[str]:
    """Give what an actor's role has by default, from the declarations."""
    role = actor if actor in ROLES else "user"
    if role == "superadmin":
        return {"*"}
    declared = backend.assembly.registry.permissions
    rank = BUILT_IN_RANKS[role]
    return {p.name for p in declared if BUILT_IN_RANKS[p.lowest_role] <= rank}


def is_let_in(backend: Backend, access: Access, actor: str, *, own: bool) -> bool:
    """Say whether an actor's role opens a route; what is somebody else's needs the general form."""
    if access.role is not None:
        return BUILT_IN_RANKS.get(actor, 10) >= BUILT_IN_RANKS[access.role]
    held = permissions_of(backend, actor)
    names = access.permissions if own else [n.removesuffix(":self") for n in access.permissions]
    return not names or any(admits(held, name) for name in names)


def filled(path: str, cast: Cast, whose: str) -> str:
    def value(match: re.Match[str]) -> str:
        name = match.group(1).partition(":")[0]
        assert name in PARAMETERS, f"Say in PARAMETERS what {{{name}}} of {path} stands for."
        return cast.accounts[whose].id if name == "user_id" else PARAMETERS[name]

    return re.sub(r"{([^}]+)}", value, path)


async def call(
    cast: Cast, method: str, path: str, actor: str, *, whose: str = "target"
) -> httpx2.Response:
    body = {"json": {}} if method in {"POST", "PUT", "PATCH"} else {}
    return await cast.backend.client.request(
        method, filled(path, cast, whose), headers=cast.headers(actor), **body
    )


def reads_what_is_there(method: str, path: str) -> bool:
    """Say whether a call only reads, and something that exists: then it succeeds, or is refused."""
    return method == "GET" and not any(f"{{{name}" in path for name in INVENTED)


def fault(
    access: Access, actor: str, answer: httpx2.Response, *, let_in: bool, reads: bool
) -> str | None:
    """Say what is wrong with an answer, or nothing."""
    status = answer.status_code
    code = answer.json().get("code") if "problem+json" in answer.headers["content-type"] else None
    shown = f"{status} {code}"
    if status >= 500:
        return f"{status} {answer.text}"
    if reads and (not access.signed_in or (let_in and actor not in OUTSIDE)):
        wrong = status >= 400
    elif not access.signed_in:
        wrong = code in {"not_authenticated", "token_revoked"}
    elif actor in OUTSIDE:
        wrong = status != 401
    elif let_in:
        ranked = actor in {"moderator", "admin", "superadmin"}
        wrong = status == 401 or (ranked and code == "permission_denied")
    else:
        wrong = code != "permission_denied"
    return shown if wrong else None


def operations(backend: Backend) -> list[tuple[str, str, Access]]:
    found = [
        (method, path, access)
        for path, methods, access in routes_with_access(backend.app)
        for method in sorted(methods)
    ]
    # What deletes or ends things comes last, so that the others still find their callers.
    found.sort(key=lambda o: (o[1].endswith(ENDS_SESSIONS), o[0] == "DELETE", o[1], o[0]))
    return found


async def test_every_route_for_every_actor(cast: Cast) -> None:
    faults = []
    for method, path, access in operations(cast.backend):
        for actor in ACTORS:
            if actor == "unverified" or (path.endswith(ENDS_SESSIONS) and actor not in OUTSIDE):
                continue  # the first has a test of its own; the others would end the callers
            own = "{user_id}" not in path or (actor == "user" and method != "DELETE")
            let_in = is_let_in(cast.backend, access, actor, own=own)
            whose = "user" if own else "target"
            answer = await call(cast, method, path, actor, whose=whose)
            reads = reads_what_is_there(method, path)
            wrong = fault(access, actor, answer, let_in=let_in, reads=reads)
            if wrong:
                faults.append(f"{actor}: {method} {path}: {wrong}")
    assert faults == []


async def test_the_other_user_reaches_nothing_of_a_user(cast: Cast) -> None:
    reached = []
    for method, path, access in operations(cast.backend):
        if "{user_id}" in path and access.signed_in:
            answer = await call(cast, method, path, "other user", whose="user")
            if answer.status_code not in REFUSED_BY_ROW:
                reached.append(f"{method} {path}: {answer.status_code}")
    assert reached == []


async def test_the_unverified_reach_nothing_where_verification_comes_first(
    cast: Cast, environ: dict[str, str]
) -> None:
    strict = create_app(environ=environ | {"REQUIRE_EMAIL_VERIFICATION": "true"})
    reached = []
    async with serving(strict) as other:
        for method, path, access in operations(other):
            if access.signed_in:
                strict_cast = Cast(other, cast.accounts)
                answer = await call(strict_cast, method, path, "unverified")
                if answer.status_code != 401:
                    reached.append(f"{method} {path}: {answer.status_code}")
    assert reached == []


async def test_every_declared_access_is_met_here(backend: Backend) -> None:
    accesses = [access for _, _, access in operations(backend)]
    assert all(access.declared for access in accesses)
    assert any(access.permissions for access in accesses)
    assert any(not access.signed_in for access in accesses)

"""Making administrators and tokens, for `createsuperuser` and `token`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import typer
from pydantic import TypeAdapter, ValidationError

from mainstay.cli.console import CommandError, say
from mainstay.cli.serving.welcome import base_address, setup_link
from mainstay.core.alembic import MigrationRunner
from mainstay.core.errors import AlreadyExistsError, ProblemError
from mainstay.core.migrating import migrate
from mainstay.core.roles import RoleDirectory
from mainstay.core.settings import ApplicationSettings, Settings
from mainstay.core.tokens import KeyRing
from mainstay.features.auth import Administrators
from mainstay.features.sessions import SessionService
from mainstay.features.sessions.access_tokens import AccessTokens
from mainstay.features.users import (
    Email,
    Username,
    UserService,
    find_by_email,
    find_by_id,
)

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.assembly import Assembly
    from mainstay.features.users import User

PASSWORD_VARIABLE: Final = "MAINSTAY_SUPERUSER_PASSWORD"  # noqa: S105 - a name
ROLE: Final = "superadmin"
_TRIES: Final = 3
_USAGE: Final = 2


@dataclass(slots=True)
class Newcomer:
    """What is known of an administrator to be made; where ``asking``, the rest is asked for."""

    email: str | None
    username: str | None
    password: str | None
    asking: bool

    def ask_for_email(self) -> bool:
        """Say whether there is an address, after asking for one where that is possible.

        Raises:
            CommandError: it is not one, or the given username is none.
        """
        if self.email is None and self.asking:
            self.email = typer.prompt("E-mail")
        if self.email is None:
            return False
        self.email = _checked(Email, self.email, what="--email")
        if self.username is not None:
            self.username = _checked(Username, self.username, what="--username")
        return True

    def ask_for_the_rest(self) -> tuple[str | None, str]:
        """Give username and password; without a username, one is made from the address.

        Raises:
            CommandError: there is no password, and nobody to ask for it.
        """
        name, password = self.username, self.password or os.environ.get(PASSWORD_VARIABLE)
        if self.asking and name is None:
            name = typer.prompt(
                "Username (empty: from the address)", default="", show_default=False
            )
            name = _checked(Username, name, what="The username") if name else None
        if password is None and self.asking:
            password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        if not password:
            msg = f"There is no password. Set {PASSWORD_VARIABLE}, or give --password."
            raise CommandError(msg, exit_code=_USAGE)
        return name, password


async def bring_schema(assembly: Assembly) -> None:
    """Migrate in development; elsewhere refuse a database that is behind.

    Raises:
        CommandError: migrations are pending.
    """
    if assembly.settings[ApplicationSettings].is_development:
        await migrate(assembly)
    elif await assembly.ports[MigrationRunner].pending():
        msg = "The database is not migrated. Run `mainstay migrate` first."
        raise CommandError(msg)


async def make(assembly: Assembly, newcomer: Newcomer) -> None:
    """Make an administrator, asking again where an answer was refused.

    Raises:
        CommandError: the username is taken, the address is a user's, or the password too weak.
    """
    email = newcomer.email or ""
    if await _is_there(assembly, email):
        say(f"{email} is an administrator already.")
        return
    for left in range(_TRIES if newcomer.asking else 1, 0, -1):
        try:
            name, password = newcomer.ask_for_the_rest()
            user = await _create(assembly, email, username=name, password=password)
        except CommandError as error:
            if left == 1:
                raise
            say(str(error), error=True)
            continue
        say(f"Created the administrator {email} (username {user.username}).")
        return


async def print_setup_link(assembly: Assembly) -> None:
    """Print a link with which the first administrator is made in the browser."""
    settings = assembly.settings[ApplicationSettings]
    base = settings.PUBLIC_URL or base_address(settings.HOST, settings.PORT)
    link = await setup_link(assembly, base)
    if link is None:
        say("There is an administrator already. To make another one, give --email.")
        return
    say("Create the administrator in a browser (the link works once, for 30 minutes):")
    say(link)


async def issue_token(assembly: Assembly, email: str | None, *, minutes: int) -> str:
    """Start a session that ends with its one access token, and give that.

    Raises:
        CommandError: nobody has the address, or there is no administrator yet.
    """
    lifetimes = {"ACCESS_TOKEN_EXPIRE_MINUTES": minutes, "REFRESH_TOKEN_EXPIRE_MINUTES": minutes}
    short = assembly.ports[Settings].replaced(lifetimes, source="override")
    tokens = AccessTokens(short, assembly.ports[KeyRing])
    sessions = SessionService(short, assembly.ports[UserService], tokens)
    async with assembly.units.transaction() as session:
        user = await _chosen(assembly, session, email)
        started = await sessions.start(session, user)
    return started.access_token


async def _is_there(assembly: Assembly, email: str) -> bool:
    """Say whether the address is an administrator's.

    Raises:
        CommandError: it is that of another user.
    """
    async with assembly.units.transaction() as session:
        user = await find_by_email(session, email)
        holders = await assembly.ports[RoleDirectory].holders(session, ROLE)
    if user is None:
        return False
    if user.id in (holders or ()):
        return True
    msg = (
        f"{email} is a user who is no administrator. Let an administrator give them the role "
        f"{ROLE}, or use another address."
    )
    raise CommandError(msg)


async def _create(assembly: Assembly, email: str, *, username: str | None, password: str) -> User:
    administrators = assembly.ports[Administrators]
    try:
        async with assembly.units.transaction() as session:
            return await administrators.create(
                session, email=email, username=username, password=password, how="command"
            )
    except AlreadyExistsError as error:
        named = f"The username {username}" if username else "The username made from the address"
        what = f"{named} is taken; choose another with --username."
        if any(fault.pointer == "#/email" for fault in error.errors):
            what = f"The address {email} is taken."
        raise CommandError(what) from error
    except ProblemError as error:
        raise CommandError(" ".join(_reasons(error))) from error


def _reasons(error: ProblemError) -> list[str]:
    if not error.errors:
        return [error.detail or f"{error.title}."]
    return [f"The password is refused: {error.errors[0].detail}"] + [
        fault.detail for fault in error.errors[1:]
    ]


async def _chosen(assembly: Assembly, session: AsyncSession, email: str | None) -> User:
    if email is not None:
        user = await find_by_email(session, email)
        if user is None:
            msg = f"Nobody here has the address {email}."
            raise CommandError(msg)
        return user
    holders = await assembly.ports[RoleDirectory].holders(session, ROLE)
    first = await find_by_id(session, min(holders)) if holders else None
    if first is None:
        msg = "There is no administrator yet. Run `mainstay createsuperuser`, or name a user."
        raise CommandError(msg)
    return first


def _checked(kind: Any, value: str, *, what: str) -> str:
    try:
        return str(TypeAdapter(kind).validate_python(value))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        text = str(fault.get("ctx", {}).get("error", fault["msg"])).rstrip(".")
        msg = f"{what} {value!r} is refused: {text}."
        raise CommandError(msg, exit_code=_USAGE) from None

"""`createsuperuser` and `token`: people, from the machine itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mainstay.cli.console import CommandError, is_interactive, say
from mainstay.cli.project import enter_project, load_app
from mainstay.cli.work import app_to_change, require_database, with_assembly

if TYPE_CHECKING:
    from mainstay.core.assembly import Assembly


def createsuperuser(
    *,
    email: Annotated[str | None, typer.Option("--email", help="Their address.")] = None,
    username: Annotated[
        str | None, typer.Option("--username", help="Made from the address if left out.")
    ] = None,
    password: Annotated[
        str | None,
        typer.Option(
            "--password", help="Better in MAINSTAY_SUPERUSER_PASSWORD, which nobody else sees."
        ),
    ] = None,
    noinput: Annotated[bool, typer.Option("--noinput", help="Ask nothing.")] = False,
) -> None:
    """Create an administrator (or print a one-time setup link)."""
    from mainstay.cli.administrators import Newcomer, bring_schema, make, print_setup_link

    newcomer = Newcomer(email, username, password, asking=is_interactive() and not noinput)
    app = app_to_change(enter_project())

    async def work(assembly: Assembly) -> None:
        await require_database(assembly)
        await bring_schema(assembly)
        if newcomer.ask_for_email():
            await make(assembly, newcomer)
        else:
            await print_setup_link(assembly)

    with_assembly(app, work)


def token(
    email: Annotated[
        str | None,
        typer.Argument(metavar="EMAIL", help="Whose; the first administrator's if left out."),
    ] = None,
    *,
    ttl: Annotated[
        int, typer.Option("--ttl", min=1, max=525_600, help="Minutes that it works.")
    ] = 30,
) -> None:
    """Print a short-lived token for curl (development only)."""
    from mainstay.cli.administrators import bring_schema, issue_token
    from mainstay.core.settings import ApplicationSettings

    app = load_app(enter_project(), inspecting=False)

    async def work(assembly: Assembly) -> str:
        if not assembly.settings[ApplicationSettings].is_development:
            msg = "`mainstay token` works in development only; elsewhere, sign in by the API."
            raise CommandError(msg)
        await require_database(assembly)
        await bring_schema(assembly)
        return await issue_token(assembly, email, minutes=ttl)

    say(with_assembly(app, work))

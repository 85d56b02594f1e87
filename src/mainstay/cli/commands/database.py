"""`migrate`, `makemigrations`, `migrations`: the schema of the database."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mainstay.cli.console import CommandError, is_interactive, say, show_json, show_table
from mainstay.cli.project import enter_project, load_app
from mainstay.cli.work import app_to_change, require_database, with_assembly

if TYPE_CHECKING:
    from mainstay.cli.moves import Move
    from mainstay.core.alembic import Revision
    from mainstay.core.assembly import Assembly

UNNAMED: Final = "changes"
"""The message of a revision that nobody gave one."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def migrate(
    revision: Annotated[
        str,
        typer.Argument(metavar="REV", help="Up to this one, or back: an applied one, -1, base."),
    ] = "head",
    *,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would be done.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Go back without asking.")] = False,
) -> None:
    """Apply migrations."""
    from mainstay.cli.moves import find_move, make_move

    app = app_to_change(enter_project())

    async def work(assembly: Assembly) -> None:
        await require_database(assembly)
        move = await find_move(assembly, revision)
        if plan:
            _show_plan(move)
            return
        if move.backward:
            _confirm(assembly, move, yes=yes)
        done = await make_move(assembly, move)
        word = "Undone" if move.backward else "Applied"
        described = {each.id: _described(each) for each in move.revisions}
        for name in done:
            say(f"  ✓ {described.get(name, name)}")
        say(f"{word} {_counted(len(done))}." if done else "There is nothing to apply.")

    with_assembly(app, work)


def makemigrations(
    message: Annotated[
        str | None, typer.Option("--message", "-m", help="What the migration does.")
    ] = None,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if one is missing.")
    ] = False,
    package: Annotated[bool, typer.Option("--package", hidden=True)] = False,
) -> None:
    """Write a migration from model changes."""
    project = enter_project()
    if project is None and not (check or package):
        msg = "There is no project here to write a migration for; see `mainstay migrate`."
        raise CommandError(msg)
    app = load_app(project)
    if message is None and not check and is_interactive():
        message = typer.prompt("What does the migration do", default=UNNAMED)

    async def work(assembly: Assembly) -> None:
        from mainstay.core.alembic import MigrationRunner

        await require_database(assembly)
        runner = assembly.ports[MigrationRunner]
        if check:
            await _check(assembly)
            return
        written = await runner.write_revision(message or UNNAMED)
        if written is None:
            say("The models have not changed.")
        else:
            say(f"Wrote {_from_here(written)}. Look it over, then run: mainstay migrate")

    with_assembly(app, work)


def migrations(*, as_json: Json = False) -> None:
    """Show applied and pending migrations."""
    app = load_app(enter_project())

    async def work(assembly: Assembly) -> list[Revision]:
        from mainstay.core.alembic import MigrationRunner

        await require_database(assembly)
        return await assembly.ports[MigrationRunner].revisions()

    revisions = with_assembly(app, work)
    if as_json:
        members = ("history", "id", "message", "applied")
        show_json([{name: getattr(each, name) for name in members} for each in revisions])
        return
    rows = [
        ("[x]" if each.applied else "[ ]", each.history, each.id, each.message)
        for each in revisions
    ]
    show_table(("", "history", "revision", "what it does"), rows)


async def _check(assembly: Assembly) -> None:
    from mainstay.core.alembic import MigrationRunner

    runner = assembly.ports[MigrationRunner]
    pending = await runner.pending()
    if pending:
        msg = f"{_counted(len(pending))} not applied, so nothing can be compared: mainstay migrate"
        raise CommandError(msg)
    differences = await runner.check()
    if differences:
        listed = "\n".join(f"  {each}" for each in differences)
        msg = f"The models differ from the migrations; run `mainstay makemigrations`:\n{listed}"
        raise CommandError(msg)
    say("The models and the migrations agree.")


def _show_plan(move: Move) -> None:
    if not move.revisions:
        say("There is nothing to apply.")
        return
    sign = "-" if move.backward else "+"
    for each in move.revisions:
        say(f"  {sign} {_described(each)}")
    say(f"{_counted(len(move.revisions))} would be {'undone' if move.backward else 'applied'}.")


def _confirm(assembly: Assembly, move: Move, *, yes: bool) -> None:
    from mainstay.core.settings import ApplicationSettings

    if yes or not move.revisions:
        return
    undone = _counted(len(move.revisions))
    say(f"This undoes {undone}; the data in whatever was made there will be lost:")
    for each in move.revisions:
        say(f"  - {_described(each)}")
    if assembly.settings[ApplicationSettings].is_production:
        msg = "Nothing was done. In production this takes --yes."
        raise CommandError(msg)
    if is_interactive() and not typer.confirm("Go on?"):
        raise typer.Abort


def _described(revision: Revision) -> str:
    return str(revision) if re.search(r"\D", revision.id) else f"{revision.id} {revision.message}"


def _counted(number: int) -> str:
    return "1 migration" if number == 1 else f"{number} migrations"


def _from_here(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path

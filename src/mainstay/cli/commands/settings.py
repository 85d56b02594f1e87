"""`config`, `secret` and `env-example`: settings, shown and made."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mainstay.cli.console import CommandError, say, show_json, show_table
from mainstay.cli.project import enter_project, load_app

if TYPE_CHECKING:
    from mainstay.core.settings import Entry, Settings

_USAGE = 2


def config(
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="Show only this one.")] = None,
    *,
    diff: Annotated[bool, typer.Option("--diff", help="Leave out what is at its default.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show settings with their source, secrets hidden."""
    settings = _settings()
    entries = [
        entry
        for entry in ([_named(settings, key)] if key else settings.entries())
        if not (diff and entry.source == "default")
    ]
    if as_json:
        show_json({"settings": [_member(e) for e in entries], "notices": list(settings.notices)})
        return
    for notice in settings.notices:
        say(notice, error=True)
    rows = [(entry.name, entry.value, entry.source) for entry in entries]
    show_table(("NAME", "VALUE", "SOURCE"), rows)


def secret(
    *,
    write: Annotated[bool, typer.Option("--write", help="Put it into .env instead.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the one that is there.")] = False,
) -> None:
    """Print a new secret key."""
    from mainstay.cli.env_file import write_secret
    from mainstay.core.settings.secret import new_secret

    if not write:
        say(new_secret())
        return
    enter_project()
    replaced = write_secret(Path(".env"), new_secret(), force=force)
    say("SECRET_KEY written to .env, which only you can read.")
    if replaced:
        say("Whoever was signed in by the former key has to sign in again.")


def env_example() -> None:
    """Print the text of .env.example."""
    from mainstay.core.settings import env_example as example

    sections = [type(section) for section in _settings().sections]
    typer.echo(example(sections), nl=False)


def _settings() -> Settings:
    from mainstay.core.assembly import assembly_of

    return assembly_of(load_app(enter_project())).settings


def _named(settings: Settings, key: str) -> Entry:
    wanted = key.upper().removeprefix("MAINSTAY_")
    entries = {name: entry for entry in settings.entries() for name in (entry.name, *entry.aliases)}
    if wanted in entries:
        return entries[wanted]
    close = difflib.get_close_matches(wanted, entries, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    msg = f"There is no setting {wanted}.{hint}"
    raise CommandError(msg, exit_code=_USAGE)


def _member(entry: Entry) -> dict[str, object]:
    members = ("name", "value", "source", "section", "default", "description", "secret")
    return {name: getattr(entry, name) for name in members} | {"aliases": list(entry.aliases)}

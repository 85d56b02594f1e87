"""The program `mainstay`: its commands, its help, and what becomes of errors."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

from mainstay.cli.commands import checking, database, looking, people, serving, settings
from mainstay.cli.console import say
from mainstay.cli.failing import explained

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HELP: Final = "The backend that Python people start their product on."
_SETTINGS: Final = {"help_option_names": ["-h", "--help"]}
_BACK: Final = {**_SETTINGS, "ignore_unknown_options": True}  # `migrate -1` is no option


class Commands(TyperGroup):
    """The commands under the headings of their kinds."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands."""
        kinds: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            if not command.hidden:
                line = command.get_short_help_str(formatter.width)
                kinds.setdefault(command.rich_help_panel, []).append((name, line))
        width = max(len(name) for rows in kinds.values() for name, _ in rows)
        for kind, rows in kinds.items():
            with formatter.section(kind):
                formatter.write_dl([(name.ljust(width), line) for name, line in rows])


app = typer.Typer(
    name="mainstay",
    cls=Commands,
    help=_HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=_SETTINGS,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        looking.version()
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


def _add(kind: str, function: Callable[..., None], *aliases: str, **options: Any) -> None:
    given = {"context_settings": _SETTINGS, **options}
    app.command(given.pop("name", function.__name__), rich_help_panel=kind, **given)(function)
    for alias in aliases:
        app.command(alias, hidden=True, **given)(function)


_add("Start", serving.serve)
_add("Code", looking.routes)
_add("Code", looking.inspect)
_add("Database", database.migrate, context_settings=_BACK)
_add("Database", database.makemigrations)
_add("Database", database.migrations)
_add("People", people.createsuperuser, "createsuperadmin")
_add("People", people.token)
_add("Operate", checking.check)
_add("Operate", checking.health)
_add("Operate", settings.config)
_add("Operate", settings.secret, "secret-key")
_add("Operate", settings.env_example, name="env-example", hidden=True)
_add("Operate", looking.version)


def run(arguments: Sequence[str] | None = None) -> None:
    """Run a command and end the process with its status.

    0 is success, 1 a failure, 2 a wrong use, 3 failed checks. A failure that people can do
    something about is a sentence; any other keeps its traceback.
    """
    command = get_command(app)
    try:
        command.main(args=None if arguments is None else list(arguments), prog_name="mainstay")
    except Exception as error:
        known = explained(error)
        if known is None:
            raise
        say(known.text, error=True)
        sys.exit(known.status)

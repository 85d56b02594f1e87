"""`routes`, `inspect` and `version`: what an application is made of."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Annotated

import typer

from mainstay.cli.console import say, show_json, show_table
from mainstay.cli.project import enter_project, load_app
from mainstay.kit.version import VERSION

if TYPE_CHECKING:
    from mainstay.cli.parts import Part

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def routes(
    *,
    unprotected: Annotated[
        bool, typer.Option("--unprotected", help="Only those that anybody may call.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List routes with permission, rate limit, operation id."""
    from mainstay.cli.parts import routes as list_routes

    found = list_routes(load_app(enter_project()))
    if unprotected:
        found = [route for route in found if not route["signed_in"]]
    _show(found, ("method", "path", "access", "limit", "operation"), as_json=as_json)


def inspect(
    what: Annotated[
        str,
        typer.Argument(
            metavar="features|routes|permissions|settings|middleware|jobs|health",
            help="Which parts.",
        ),
    ],
    *,
    as_json: Json = False,
) -> None:
    """Show each part of the application with its owner."""
    from mainstay.cli.parts import LISTS

    if what not in LISTS:
        msg = f"Choose one of {', '.join(LISTS)}."
        raise typer.BadParameter(msg)
    list_parts, members = LISTS[what]
    _show(list_parts(load_app(enter_project())), members, as_json=as_json)


def version(*, as_json: Json = False) -> None:
    """Print the version."""
    if as_json:
        show_json({"mainstay": VERSION, "python": platform.python_version()})
    else:
        say(f"Mainstay {VERSION} · Python {platform.python_version()}")


def _show(parts: list[Part], members: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        show_json(parts)
        return
    rows = [[_text(part[name]) for name in members] for part in parts]
    show_table([name.upper() for name in members], rows)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)

"""`check` and `health`: what is wrong, before and while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mainstay.cli.console import CommandError, say, show_json
from mainstay.cli.project import enter_project, load_app
from mainstay.cli.work import with_assembly

if TYPE_CHECKING:
    from mainstay.core.assembly import Assembly
    from mainstay.core.checks.report import Report

FailLevel = Literal["error", "warning", "info"]


def check(
    *,
    deploy: Annotated[
        bool, typer.Option("--deploy", help="Everything that production needs.")
    ] = False,
    tag: Annotated[str, typer.Option("--tag", help="Only ids that begin so: S, D, shop.")] = "",
    fail_level: Annotated[
        FailLevel, typer.Option("--fail-level", help="From which level on to fail.")
    ] = "error",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look for problems; with --deploy, everything production needs."""
    from mainstay.core.checks.runner import Selection, run_checks
    from mainstay.core.checks.silence import read_silence

    app = load_app(enter_project())
    silence = read_silence(Path("pyproject.toml"))

    async def work(assembly: Assembly) -> Report:
        return await run_checks(assembly.ports, Selection(deploy=deploy, tag=tag, silence=silence))

    report = with_assembly(app, work)
    if as_json:
        show_json(report.as_json())
    else:
        say(report.as_text(fail_level))
    raise typer.Exit(report.exit_status(fail_level))


def health(
    *,
    url: Annotated[
        str | None, typer.Option("--url", help="Where to ask; else by HOST and PORT.")
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.1, max=600, help="Seconds to wait.")
    ] = 5,
) -> None:
    """Ask the running server if it is ready (for container health checks)."""
    from mainstay.cli.asking import ask_readiness

    enter_project()
    down = ask_readiness(url, timeout=timeout)
    if down:
        msg = f"Not ready: {', '.join(down)}."
        raise CommandError(msg)
    say("Ready.")
